import {
  type Flight,
  groupName,
  shareable,
  signatureName,
  suiteName,
  type VersionName,
  versionName,
  versions,
} from '../tls/wire/index.ts';
import { Bracket } from './bracket.ts';
import { type ChainJudge, Chains } from './chains.ts';
import { Dialer } from './dialer.ts';
import type { Endpoint, Manners } from './endpoint.ts';
import {
  type Answer,
  type Facts,
  type FeatureName,
  type Features,
  featureNames,
  type NotApplicable,
  notApplicable,
  notTested,
  type ProtocolName,
  protocolNames,
  untestedReason,
} from './facts.ts';
import { HelloExchange, type HelloOffer } from './hello-exchange.ts';
import { hello12, hello13 } from './hellos.ts';
import { probeFeatures } from './probe-features.ts';
import {
  type FiniteFieldFact,
  type KeyExchange12,
  probeFiniteField,
  probeGroups13,
  probeKeyExchange12,
  probeSignatures13,
} from './probe-groups.ts';
import { closeMail, type MailProbe, probeGreeting, probeMail } from './probe-mail.ts';
import { probeProtocols } from './probe-protocols.ts';
import { probeOrder, probeSuites } from './probe-suites.ts';
import { Untested } from './untested.ts';

export interface ProbeOptions {
  readonly manners: Manners;
  readonly judge: Omit<ChainJudge, 'host'>;
  readonly signal: AbortSignal;
  /** Hears what is being tried: 'cipher suites of TLS 1.2'. */
  readonly progress?: (text: string) => void;
  /** Fewer probes: protocols, certificates and mail alone, for lists of many targets. */
  readonly reduced?: boolean;
}

/** Why a reduced set of probes leaves something untested. */
export const reducedReason = 'a reduced set of probes';

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
  readonly #suites: Partial<Record<ProtocolName, number[]>> = {};
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
    if (offered.length > 0 && !this.#endpoint.protocol.startsWith('tls')) {
      this.#say('mail protocol');
      await probeMail(this.#dialer, this.#host, mail);
    } else if (closed === undefined) closeMail(mail, 'no version of TLS was seen');
    return { ...facts, ...(this.#endpoint.protocol === 'tls' ? {} : { mail: { ...mail } }) };
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
    for (const name of deep ? offered : []) await this.#suitesOf(name);
    if (!deep) Object.assign(this.#untested, { cipherSuites: why, groups: why, signatureAlgorithms: why });
    const keys = deep ? await this.#keyExchange(protocols) : noKeys;
    const withoutSni = offered.length > 0 ? await this.#nameVariants(protocols, keys.groups13) : notTested(why);
    const features = deep ? await this.#features(protocols, keys, withoutSni) : untestedFeatures(why);
    const { certificates, chain, unreadable } = this.#chains.facts({
      ...this.#options.judge,
      host: this.#endpoint.host,
    });
    if (unreadable.length > 0) this.#untested['certificates'] = unreadable.join('; ');
    return {
      protocols,
      cipherSuites: named(this.#suites, suiteName),
      serverOrder: this.#order,
      groups: [...new Set([...keys.groups13, ...keys.exchange12.groups, ...keys.finite13])].map(groupName),
      signatureAlgorithms: [...new Set([...keys.signatures13, ...keys.exchange12.signatures])].map(signatureName),
      untested: this.#untested,
      certificates,
      chain,
      features,
    };
  }

  async #suitesOf(name: VersionName): Promise<void> {
    this.#say(`cipher suites of ${name.replace('_', '.')}`);
    const found = await this.#part(`cipherSuites.${name}`, () => probeSuites(this.#bracket, name, this.#host));
    if (found === undefined) return;
    this.#suites[name] = found;
    const order = await this.#part(`serverOrder.${name}`, () => probeOrder(this.#bracket, name, found, this.#host));
    if (order !== undefined) this.#order[name] = order;
  }

  async #keyExchange(protocols: Record<ProtocolName, Answer>): Promise<KeyFacts> {
    this.#say('groups and signatures');
    const facts: KeyFacts = { ...noKeys };
    if (protocols.tls1_3 === 'offered') {
      facts.groups13 = (await this.#part('groups', () => probeGroups13(this.#bracket, this.#host))) ?? [];
      const groups = facts.groups13;
      facts.signatures13 =
        (await this.#part('signatureAlgorithms', () => probeSignatures13(this.#bracket, this.#host, groups))) ?? [];
    }
    const suites = this.#suites.tls1_2 ?? [];
    if (protocols.tls1_2 === 'offered') {
      const exchange = await this.#part('groups', () => probeKeyExchange12(this.#bracket, this.#host, suites));
      if (exchange !== undefined) facts.exchange12 = exchange;
      const finite = await this.#part('dhe', () => probeFiniteField(this.#bracket, this.#host, suites));
      if (finite !== undefined) {
        facts.finite13 = finite.named;
        facts.dhe = finite.field;
      }
    }
    return facts;
  }

  async #features(protocols: Record<ProtocolName, Answer>, keys: KeyFacts, helloWithoutSni: Answer): Promise<Features> {
    this.#say('features');
    const group13 = keys.groups13.find((code) => shareable.includes(code));
    const known = { host: this.#host, protocols, suites: this.#suites, group13 };
    const { answers, ticketLifetime, alpn } = await probeFeatures(this.#bracket, this.#dialer, known);
    const { chain } = this.#chains.facts({ ...this.#options.judge, host: this.#endpoint.host });
    const stapled = chain.some(({ staple }) => staple !== 'none');
    const filled: Partial<Record<FeatureName, Answer | NotApplicable>> = {
      ocspStaple: stapled ? 'offered' : 'not-offered',
      dheWithoutNamedGroups: keys.dhe === undefined ? notApplicable('no DHE suite is taken') : 'offered',
      downgradeSentinel: notApplicable('only a server of TLS 1.3 that also takes TLS 1.2 sends it'),
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

  /** The certificate without SNI and with a name that is not the server's; answers whether SNI may be left away. */
  async #nameVariants(protocols: Record<ProtocolName, Answer>, groups13: readonly number[]): Promise<Answer> {
    const group = groups13.find((code) => shareable.includes(code)) ?? 29;
    const version = newest(protocols);
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
  groups13: readonly number[];
  signatures13: readonly number[];
  exchange12: KeyExchange12;
  finite13: readonly number[];
  dhe?: FiniteFieldFact;
}

const noKeys: KeyFacts = { groups13: [], signatures13: [], exchange12: { groups: [], signatures: [] }, finite13: [] };

function newest(protocols: Record<ProtocolName, Answer>): 'tls1_2' | 'tls1_1' | 'tls1_0' | 'ssl3' {
  return (['tls1_2', 'tls1_1', 'tls1_0'] as const).find((name) => protocols[name] === 'offered') ?? 'ssl3';
}

function closedReason(mail: MailProbe): string {
  return untestedReason(mail.starttls) ?? 'STARTTLS is not offered';
}

function allUntested(reason: string): Record<ProtocolName, Answer> {
  return Object.fromEntries(protocolNames.map((name) => [name, notTested(reason)])) as Record<ProtocolName, Answer>;
}

function untestedFeatures(reason: string): Features {
  return Object.fromEntries(featureNames.map((name) => [name, notTested(reason)])) as Record<FeatureName, Answer>;
}

function named(
  codes: Partial<Record<ProtocolName, readonly number[]>>,
  nameOf: (code: number) => string,
): Partial<Record<ProtocolName, string[]>> {
  return Object.fromEntries(Object.entries(codes).map(([name, list]) => [name, list.map(nameOf)]));
}
