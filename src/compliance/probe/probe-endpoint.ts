import type { RevocationVerdict } from '../../tls/index.ts';
import {
  type Flight,
  groupName,
  signatureName,
  suiteName,
  type VersionName,
  versionName,
  versions,
} from '../../tls/wire/index.ts';
import { allUntested, reasonAmong, untestedFeatures, withoutSentinel } from '../facts/blank-facts.ts';
import { askIssuers, type ChainJudge, Chains } from '../facts/chains.ts';
import {
  type Answer,
  type Facts,
  type FeatureName,
  type Features,
  type NotApplicable,
  notApplicable,
  notTested,
  type ProtocolName,
  protocolNames,
  publishedProtocols,
  untestedReason,
} from '../facts/facts.ts';
import { reducedReason, Untested } from '../facts/untested.ts';
import { Bracket } from './bracket.ts';
import { Dialer } from './dialer.ts';
import { type Endpoint, type Manners, speaksMail } from './endpoint.ts';
import { HelloExchange, type HelloOffer } from './hello-exchange.ts';
import { computable, hello12, hello13 } from './hellos.ts';
import { probeFeatures } from './probe-features.ts';
import {
  type FiniteFieldFact,
  type KeyExchange,
  probeFiniteField,
  probeKeyExchange12,
  probeKeyExchange13,
} from './probe-groups.ts';
import { closeMail, type MailProbe, probeGreeting, probeMail } from './probe-mail.ts';
import { probeProtocols } from './probe-protocols.ts';
import { probeSuites } from './probe-suites.ts';

export interface ProbeOptions {
  readonly manners: Manners;
  readonly judge: Omit<ChainJudge, 'host'>;
  readonly signal: AbortSignal;
  /** Hears what is being tried: 'cipher suites of TLS 1.2'. */
  readonly progress?: (text: string) => void;
  /** Asks the issuers of a chain (DER, leaf first, anchor last) whether it was revoked. Absent: nobody is asked. */
  readonly revocation?: (path: readonly Buffer[], endpoint: Endpoint) => Promise<RevocationVerdict>;
  /** Fewer probes: protocols, certificates and mail alone, for lists of many targets. */
  readonly reduced?: boolean;
}

export interface ProbeResult {
  readonly facts: Facts;
  readonly connections: number;
  readonly seconds: number;
}

/** Tests one endpoint from outside. Never throws for what the endpoint does: all of that is facts. */
export async function probeEndpoint(endpoint: Endpoint, options: ProbeOptions): Promise<ProbeResult> {
  const began = performance.now();
  const run = new EndpointProbe(endpoint, options);
  const facts = await run.all();
  const seconds = Math.round((performance.now() - began) / 10) / 100;
  return { facts, connections: run.connections, seconds };
}

class EndpointProbe {
  readonly #dialer: Dialer;
  readonly #bracket: Bracket;
  readonly #chains = new Chains();
  readonly #options: ProbeOptions;
  readonly #endpoint: Endpoint;
  readonly #host: string | undefined;
  readonly #untested: Record<string, string> = {};
  readonly #suites: Partial<Record<ProtocolName, readonly number[]>> = {};
  readonly #order: Partial<Record<ProtocolName, string>> = {};

  constructor(endpoint: Endpoint, options: ProbeOptions) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#host = endpoint.host === '' ? undefined : endpoint.host;
    this.#dialer = new Dialer(endpoint, options.manners, options.signal);
    const exchange = new HelloExchange(this.#dialer, (flight, hello) =>
      this.#chains.add(flight, this.#label(flight, hello)),
    );
    this.#bracket = new Bracket(exchange);
  }

  get connections(): number {
    return this.#dialer.connections;
  }

  async all(): Promise<Facts> {
    this.#say('greeting');
    const mail = await probeGreeting(this.#dialer);
    const closed = this.#dialer.startsInClear && mail.starttls !== 'offered' ? closedReason(mail) : undefined;
    const protocols = closed === undefined ? await this.#protocols() : allUntested(closed);
    const offered = protocolNames.filter((name) => protocols[name] === 'offered');
    const facts = await this.#handshakes(protocols, closed ?? 'no version of TLS was seen');
    if (offered.length > 0 && speaksMail(this.#endpoint)) {
      this.#say('mail protocol');
      await probeMail(this.#dialer, this.#host, mail);
    } else if (closed === undefined) closeMail(mail, 'no version of TLS was seen');
    return { ...facts, ...(speaksMail(this.#endpoint) ? { mail: { ...mail } } : {}) };
  }

  #say(text: string): void {
    this.#options.progress?.(text);
  }

  #protocols(): Promise<Record<ProtocolName, Answer>> {
    this.#say('protocol versions');
    return probeProtocols(this.#bracket, this.#dialer, this.#host);
  }

  async #handshakes(protocols: Record<ProtocolName, Answer>, otherwise: string): Promise<Facts> {
    const offered = (['tls1_3', 'tls1_2', 'tls1_1', 'tls1_0', 'ssl3'] as const).filter(
      (name) => protocols[name] === 'offered',
    );
    const deep = offered.length > 0 && this.#options.reduced !== true;
    const why = offered.length === 0 ? otherwise : reducedReason;
    const newest = newestBefore13(protocols);
    for (const name of deep ? offered : []) await this.#suitesOf(name, name === newest);
    if (!deep) Object.assign(this.#untested, { cipherSuites: why, groups: why, signatureAlgorithms: why });
    const keys = deep ? await this.#keysBetween(protocols) : noKeys;
    const withoutSni =
      offered.length > 0 ? await this.#nameVariants(protocols, keys.exchange13.groups) : notTested(why);
    const features = deep ? await this.#features(protocols, keys, withoutSni) : untestedFeatures(why);
    const shown = this.#chains.facts({ ...this.#options.judge, host: this.#endpoint.host });
    const { certificates, unreadable } = shown;
    if (unreadable.length > 0) this.#untested['certificates'] = unreadable.join('; ');
    const { revocation } = this.#options;
    if (revocation !== undefined) this.#say('revocation');
    const published = publishedProtocols(protocols);
    return {
      protocols: published.protocols,
      cipherSuites: named(this.#suites, suiteName),
      serverOrder: this.#order,
      groups: [...new Set([...keys.exchange13.groups, ...keys.exchange12.groups, ...keys.finite13])].map(groupName),
      signatureAlgorithms: [...new Set([...keys.exchange13.signatures, ...keys.exchange12.signatures])].map(
        signatureName,
      ),
      untested: { ...published.untested, ...this.#untested },
      certificates,
      chain:
        revocation === undefined ? shown.chain : await askIssuers(shown, (path) => revocation(path, this.#endpoint)),
      features,
    };
  }

  async #suitesOf(name: VersionName, newest: boolean): Promise<void> {
    this.#say(`cipher suites of ${name.replace('_', '.')}`);
    const found = await this.#part(`cipherSuites.${name}`, () => probeSuites(this.#bracket, name, this.#host, newest));
    if (found === undefined) return;
    this.#suites[name] = found.accepted;
    this.#order[name] = found.order;
    if (found.unsorted !== undefined) this.#untested[`serverOrder.${name}`] = found.unsorted;
  }

  /** One pair of control hellos around all of them. */
  async #keysBetween(protocols: Record<ProtocolName, Answer>): Promise<KeyFacts> {
    const found = await this.#part('groups', () => this.#bracket.between(() => this.#keyExchange(protocols)));
    if (found !== undefined) return found;
    const reason = this.#untested['groups'] ?? '';
    Object.assign(this.#untested, { signatureAlgorithms: reason, dhe: reason });
    return { ...noKeys, withoutNamedGroups: notTested(reason) };
  }

  async #keyExchange(protocols: Record<ProtocolName, Answer>): Promise<KeyFacts> {
    this.#say('groups and signatures');
    const facts: KeyFacts = { ...noKeys };
    if (protocols.tls1_3 === 'offered') {
      facts.exchange13 = await this.#both(() => probeKeyExchange13(this.#bracket, this.#host));
    }
    const name = newestBefore13(protocols);
    const accepted = name === undefined ? undefined : this.#suites[name];
    if (name === undefined) {
      const unknown = reasonAmong(protocols, ['tls1_2', 'tls1_1', 'tls1_0', 'ssl3']);
      return unknown === undefined ? facts : { ...facts, withoutNamedGroups: notTested(unknown) };
    }
    if (accepted === undefined) {
      const reason = this.#untested[`cipherSuites.${name}`] ?? 'the cipher suites are not known';
      for (const part of ['groups', 'signatureAlgorithms', 'dhe']) this.#untested[part] ??= reason;
      facts.withoutNamedGroups = notTested(reason);
      return facts;
    }
    const older = { version: versions[name], accepted };
    if (name !== 'ssl3')
      facts.exchange12 = await this.#both(() => probeKeyExchange12(this.#bracket, this.#host, older));
    const finite = await this.#part('dhe', () => probeFiniteField(this.#bracket, this.#host, older));
    facts.finite13 = finite?.named ?? [];
    if (finite?.field !== undefined) facts.dhe = finite.field;
    facts.withoutNamedGroups = this.#withoutNamedGroups(finite);
    return facts;
  }

  #withoutNamedGroups(finite: Awaited<ReturnType<typeof probeFiniteField>>): Answer | NotApplicable {
    const reason = this.#untested['dhe'];
    if (reason !== undefined) return notTested(reason);
    if (finite === undefined) return notApplicable('no DHE suite is taken');
    return finite.field === undefined ? 'not-offered' : 'offered';
  }

  async #features(protocols: Record<ProtocolName, Answer>, keys: KeyFacts, helloWithoutSni: Answer): Promise<Features> {
    this.#say('features');
    const group13 = computable(keys.exchange13.groups);
    const known = {
      host: this.#host,
      protocols,
      suites: this.#suites,
      group13,
      groupsUnknown: this.#untested['groups'],
    };
    const { answers, ticketLifetime, alpn } = await probeFeatures(this.#bracket, this.#dialer, known);
    const filled: Partial<Record<FeatureName, Answer | NotApplicable>> = {
      ocspStaple: this.#stapled(protocols),
      dheWithoutNamedGroups: keys.withoutNamedGroups,
      downgradeSentinel: withoutSentinel(protocols),
      helloWithoutSni,
      ...answers,
    };
    return {
      ...untestedFeatures('it did not come to that'),
      ...filled,
      ...(ticketLifetime === undefined ? {} : { ticketLifetime }),
      ...(keys.dhe === undefined ? {} : { dhe: keys.dhe }),
      ...(alpn === undefined ? {} : { alpn }),
    };
  }

  /** Every hello with extensions asks for a staple. */
  #stapled(protocols: Record<ProtocolName, Answer>): Answer | NotApplicable {
    const { chain } = this.#chains.facts({ ...this.#options.judge, host: this.#endpoint.host });
    if (chain.some(({ staple }) => staple !== 'none')) return 'offered';
    if (chain.length === 0) return notTested(this.#untested['certificates'] ?? 'no certificate was seen');
    const asked = (['tls1_3', 'tls1_2', 'tls1_1', 'tls1_0'] as const).some((name) => protocols[name] === 'offered');
    return asked ? 'not-offered' : notApplicable('SSL 3.0 has no extensions');
  }

  /** The certificate without SNI and with a name that is not the server's; answers whether SNI may be left away. */
  async #nameVariants(protocols: Record<ProtocolName, Answer>, groups13: readonly number[]): Promise<Answer> {
    const group = computable(groups13) ?? 29;
    const version = newestBefore13(protocols) ?? 'ssl3';
    const older = (host: string | undefined): HelloOffer => {
      const usual = hello12(versions[version], { host });
      return { ...usual, suites: this.#suites[version] ?? usual.suites.slice(0, 60) };
    };
    const offerFor = (host: string | undefined): HelloOffer =>
      protocols.tls1_3 === 'offered' ? hello13({ host, groups: [group], shares: [group] }) : older(host);
    const ask = async (host: string | undefined, name: string): Promise<Answer> => {
      const answer = await this.#part(name, () => this.#bracket.between(() => this.#bracket.ask(offerFor(host))));
      if (answer === undefined) return notTested(this.#untested[name] ?? '');
      return answer.kind === 'accepted' ? 'offered' : 'not-offered';
    };
    if (this.#options.reduced === true) return ask(this.#host, 'certificate');
    await ask('other-name.invalid', 'certificate for another SNI');
    return ask(undefined, 'certificate without SNI');
  }

  #label(flight: Flight, hello: HelloOffer): string {
    const version = versionName(flight.hello?.version ?? 0);
    const list = hello.extensions?.([]) ?? [];
    const name = list
      .find(({ type }) => type === 0)
      ?.data.subarray(5)
      .toString('latin1');
    if (name === this.#host) return version;
    return name === undefined ? `${version} without SNI` : `${version} SNI ${name}`;
  }

  /** Groups and signatures are found together, or neither is known. */
  async #both(act: () => Promise<KeyExchange>): Promise<KeyExchange> {
    const found = await this.#part('groups', act);
    const reason = this.#untested['groups'];
    if (found === undefined && reason !== undefined) this.#untested['signatureAlgorithms'] = reason;
    else if (found?.unknown !== undefined) this.#untested['signatureAlgorithms'] = found.unknown;
    return found ?? noExchange;
  }

  /** Runs one part; what could not be tested is noted with its reason. */
  async #part<T>(name: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Untested)) throw error;
      this.#untested[name] = error.message;
      return undefined;
    }
  }
}

interface KeyFacts {
  exchange13: KeyExchange;
  exchange12: KeyExchange;
  finite13: readonly number[];
  dhe?: FiniteFieldFact;
  withoutNamedGroups: Answer | NotApplicable;
}

const noExchange: KeyExchange = { groups: [], signatures: [] };
const noKeys: KeyFacts = {
  exchange13: noExchange,
  exchange12: noExchange,
  finite13: [],
  withoutNamedGroups: notApplicable('no DHE suite is taken'),
};

function newestBefore13(protocols: Record<ProtocolName, Answer>): 'tls1_2' | 'tls1_1' | 'tls1_0' | 'ssl3' | undefined {
  return (['tls1_2', 'tls1_1', 'tls1_0', 'ssl3'] as const).find((name) => protocols[name] === 'offered');
}

function closedReason(mail: MailProbe): string {
  return untestedReason(mail.starttls) ?? 'STARTTLS is not offered';
}

function named(
  codes: Partial<Record<ProtocolName, readonly number[]>>,
  nameOf: (code: number) => string,
): Partial<Record<ProtocolName, string[]>> {
  return Object.fromEntries(Object.entries(codes).map(([name, list]) => [name, list.map(nameOf)]));
}
