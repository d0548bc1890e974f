/** Which hosts to try, in which order: RFC 5321 §5.1, RFC 7505 (null MX). */
import { isIP } from 'node:net';
import { readSmartHost } from '../../config/index.ts';
import type { AddressFault } from '../../dns/index.ts';
import type { LookupBudget } from './lookup-budget.ts';
import { type AddressAnswer, DnsError, type MailResolver, type MxAnswer, type MxRecord } from './resolver.ts';

/** One address to connect to. */
export interface Target {
  /** As it was named: for messages and reports. */
  readonly host: string;
  /** For SNI and certificates; absent when only an address is known. */
  readonly serverName?: string;
  readonly address: string;
  readonly port: number;
  /** What DNSSEC says of the way from the name to the address; absent for an address that was named as such. */
  readonly dns?: TargetDns;
}

export interface TargetDns {
  /** The domain whose exchanger it is; absent for a smart host. */
  readonly domain?: string;
  /** The MX records (of a smart host: nothing) and the addresses are secure. */
  readonly secure: boolean;
  /** Names that the host's name is an alias of; the last one has the addresses. */
  readonly aliases: readonly string[];
}

/** There is nobody to try. `permanent`: and never will be, mail for this next hop fails. */
export class NoTarget extends Error {
  override readonly name = 'NoTarget';
  readonly permanent: boolean;
  readonly reply: string;

  constructor(permanent: boolean, reply: string) {
    super(reply);
    this.permanent = permanent;
    this.reply = reply;
  }
}

/** What the DNS may lead to; a TargetCheck. */
export interface TargetGuard {
  isOwnName(host: string): boolean;
  fault(address: string, port: number): AddressFault;
}

/** Random number from 0 up to 1, as Math.random. */
export type Random = () => number;

/** Addresses of one host tried at most: a host with a hundred dead addresses must not hold a connection for an hour. */
const mostAddresses = 5;

/** Exchangers of a domain in groups of equal preference, best first; those from ourselves on are left out. Pure. */
function exchangersOf(
  domain: string,
  records: readonly MxRecord[],
  guard: Pick<TargetGuard, 'isOwnName'>,
): readonly (readonly string[])[] {
  const named = records.filter(({ exchange }) => exchange !== '');
  if (named.length === 0 && records.length > 0) {
    throw new NoTarget(true, `556 5.1.10 The domain ${domain} says that it takes no mail (null MX)`);
  }
  const own = Math.min(...named.filter(({ exchange }) => guard.isOwnName(exchange)).map(({ priority }) => priority));
  const groups = new Map<number, Set<string>>();
  for (const { exchange, priority } of named) {
    if (priority >= own) continue;
    const group = groups.get(priority) ?? new Set();
    groups.set(priority, group.add(exchange.toLowerCase()));
  }
  if (groups.size === 0 && named.length > 0) throw loop(domain);
  return [...groups].sort(([a], [b]) => a - b).map(([, hosts]) => [...hosts]);
}

export interface FinderParts {
  readonly resolver: MailResolver;
  readonly guard: TargetGuard;
  readonly budget: LookupBudget;
  readonly random: Random;
}

/** Finds targets one by one, asking the DNS no more than the connection needs. */
export class TargetFinder {
  readonly #parts: FinderParts;

  constructor(parts: FinderParts) {
    this.#parts = parts;
  }

  /** Smart hosts in random order, so that connections spread over them. Ends by throwing NoTarget if it found none. */
  async *smartHosts(names: readonly string[], defaultPort: number): AsyncGenerator<Target, void> {
    let found = false;
    let why = 'the connector names no smart host';
    for (const text of shuffled(names, this.#parts.random)) {
      try {
        const { host, isAddress, port = defaultPort } = readSmartHost(text);
        if (isAddress) yield { host: `[${host}]`, address: host, port };
        else {
          const { addresses, ...dns } = await this.#lookUp('hostAddresses', host);
          yield* this.#named(host, port, addresses, dns);
        }
        found = true;
      } catch (error) {
        why = reasonOf(error);
      }
    }
    // The administrator's mistake, or the DNS's: mail waits until it is mended.
    if (!found) throw new NoTarget(false, `451 4.4.4 No smart host can be found: ${why}`);
  }

  /** Exchangers of a domain, or the domain's own address when it has none. Ends by throwing NoTarget if it found none. */
  async *exchangers(domain: string, port: number): AsyncGenerator<Target, void> {
    const literal = /^\[(?:IPv6:)?(.+)\]$/i.exec(domain)?.[1];
    if (literal !== undefined && isIP(literal) !== 0) {
      const fault = this.#parts.guard.fault(literal, port);
      if (fault !== undefined) throw refusal(domain, literal, fault);
      yield { host: domain, address: literal, port };
      return;
    }
    const trouble: Trouble = { found: false };
    const { groups, secure } = await this.#groups(domain);
    for (const group of groups) {
      for (const host of shuffled(group, this.#parts.random)) {
        const answer = await this.#usable(domain, host, port, trouble);
        if (answer === 'own') {
          if (trouble.found) return;
          throw loop(domain);
        }
        const { addresses, aliases } = answer;
        yield* this.#named(host, port, addresses, { domain, secure: secure && answer.secure, aliases });
        trouble.found ||= addresses.length > 0;
      }
    }
    if (trouble.found) return;
    if (trouble.temporary !== undefined) throw new NoTarget(false, `451 4.4.3 ${trouble.temporary}`);
    throw trouble.refused ?? new NoTarget(true, `550 5.4.4 No mail exchanger of ${domain} has an address`);
  }

  /** Addresses of an exchanger that may be connected to; 'own': it is this machine. */
  async #usable(domain: string, host: string, port: number, trouble: Trouble): Promise<AddressAnswer | 'own'> {
    let answer: AddressAnswer;
    try {
      answer = await this.#lookUp('addresses', host);
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      if (error.fault === 'temporary') trouble.temporary = error.message;
      return { addresses: [], secure: false, aliases: [] };
    }
    const usable: string[] = [];
    for (const address of answer.addresses) {
      const fault = this.#parts.guard.fault(address, port);
      if (fault === 'own') return fault;
      if (fault === undefined) usable.push(address);
      else trouble.refused = refusal(domain, address, fault);
    }
    return { ...answer, addresses: usable };
  }

  #lookUp<K extends keyof MailResolver>(kind: K, name: string): ReturnType<MailResolver[K]> {
    const { budget, resolver } = this.#parts;
    // The compiler does not see that a method chosen by its key returns what that key promises.
    return budget.spend<unknown>((signal) => resolver[kind](name, signal)) as ReturnType<MailResolver[K]>;
  }

  async #groups(domain: string): Promise<{ groups: readonly (readonly string[])[]; secure: boolean }> {
    let answer: MxAnswer;
    try {
      answer = await this.#lookUp('mx', domain);
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      if (error.fault === 'temporary') throw new NoTarget(false, `451 4.4.3 ${error.message}`);
      if (error.fault === 'no-such-domain') throw new NoTarget(true, `550 5.4.4 The domain ${domain} does not exist`);
      // Without a word about its security: what is insecure gets no more than opportunistic TLS.
      answer = { records: [], secure: error.secure };
    }
    // RFC 5321 §5.1: without MX records the domain is its own exchanger, with preference 0.
    const { records, secure } = answer;
    return { groups: records.length === 0 ? [[domain]] : exchangersOf(domain, records, this.#parts.guard), secure };
  }

  *#named(host: string, port: number, addresses: readonly string[], dns: TargetDns): Generator<Target, void> {
    for (const address of alternating(shuffled(addresses, this.#parts.random)).slice(0, mostAddresses)) {
      yield { host, serverName: host, address, port, dns };
    }
  }
}

/** Why an exchanger could not be used, and whether another could. */
interface Trouble {
  found: boolean;
  temporary?: string;
  refused?: NoTarget;
}

function refusal(domain: string, address: string, fault: Exclude<AddressFault, undefined>): NoTarget {
  if (fault === 'own') return loop(domain);
  const text = `The mail exchanger of ${domain} has the ${fault} address ${address}, where mail from here does not go`;
  return new NoTarget(true, `550 5.4.4 ${text}`);
}

function loop(domain: string): NoTarget {
  return new NoTarget(true, `554 5.4.6 The mail exchanger of ${domain} is this server itself: mail would loop`);
}

function reasonOf(error: unknown): string {
  if (error instanceof DnsError || error instanceof RangeError) return error.message;
  throw error;
}

/** One family must not use up all tries while the other would work. */
function alternating(addresses: readonly string[]): string[] {
  const four = addresses.filter((address) => isIP(address) === 4);
  const six = addresses.filter((address) => isIP(address) === 6);
  return [...addresses.keys()].flatMap((i) => [four[i], six[i]]).filter((address) => address !== undefined);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [result[i], result[j]];
    if (a !== undefined && b !== undefined) [result[i], result[j]] = [b, a];
  }
  return result;
}
