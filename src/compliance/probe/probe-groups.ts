import { curves12, finiteFields, groupName, groups13, suiteName, versions } from '../../tls/wire/index.ts';
import { Untested } from '../facts/untested.ts';
import type { Bracket } from './bracket.ts';
import { allSignatures, computable, hello12, hello13, signatures13, smallShares } from './hellos.ts';

/** Suites taken in the newest version before TLS 1.3. */
export interface OlderSuites {
  readonly version: number;
  readonly accepted: readonly number[];
}

/** What a key exchange is done with. */
export interface KeyExchange {
  readonly groups: readonly number[];
  /** Schemes that the server signs the handshake with. */
  readonly signatures: readonly number[];
  /** Why not all signatures are known. */
  readonly unknown?: string;
}

/** One answer: a group, and the signature where it can be read. */
interface Chosen {
  readonly group: number;
  readonly signature: number | undefined;
}

/** Undefined: refused. */
type Ask = (groups: readonly number[], signatures: readonly number[]) => Promise<Chosen | undefined>;

/**
 * Groups and signature schemes of TLS 1.3, both by removal at once. Groups that can be computed here come with a key share;
 * for the others the server asks in a HelloRetryRequest (RFC 8446 §4.1.4). Throws Untested.
 */
export function probeKeyExchange13(bracket: Bracket, host: string | undefined): Promise<KeyExchange> {
  const ask: Ask = async (groups, signatures) => {
    // The shares of hybrids are large: they are sent only where nothing else is offered.
    const shares = groups.length === 1 ? groups : groups.filter((code) => smallShares.includes(code));
    const answer = await bracket.ask(hello13({ host, groups, shares, signatures }));
    if (answer.kind === 'refused') return undefined;
    const { hello, signature } = answer.flight;
    const group = hello?.group;
    if (group === undefined || !groups.includes(group))
      throw new Untested('the server chose a group that was not offered', false);
    return { group, signature };
  };
  return bracket.between(() => removeBoth(ask, { groups: groups13, signatures: signatures13 }, (readable) => readable));
}

/**
 * The same of an older version by ECDHE suites: each answer shows both, so that half the connections do. Only TLS 1.2 names
 * its signatures. Throws Untested.
 */
export function probeKeyExchange12(
  bracket: Bracket,
  host: string | undefined,
  { version, accepted }: OlderSuites,
): Promise<KeyExchange> {
  const suites = accepted.filter((code) => /_ECDHE_(RSA|ECDSA)_/.test(suiteName(code)));
  if (suites.length === 0) return Promise.resolve({ groups: [], signatures: [] });
  const ask: Ask = async (groups, signatures) => {
    const answer = await bracket.ask(hello12(version, { host, suites, groups, signatures }));
    const exchange = answer.kind === 'accepted' ? answer.flight.keyExchange : undefined;
    if (exchange?.kind !== 'ecdhe') return undefined;
    const { group, signature } = exchange;
    if (!groups.includes(group)) throw new Untested('the server chose a group that was not offered', false);
    return { group, signature };
  };
  // The curve of an ECDSA key must stand there as well, whether it is used for the exchange or not (RFC 8422 §5.3).
  const signatures = version === versions.tls1_2 ? allSignatures : [];
  return bracket.between(() => removeBoth(ask, { groups: curves12, signatures }, () => curves12));
}

interface Offers {
  readonly groups: readonly number[];
  readonly signatures: readonly number[];
}

/** `beside`: groups that go with the signatures that are left, of those with which some were seen. */
async function removeBoth(
  ask: Ask,
  all: Offers,
  beside: (readable: readonly number[]) => readonly number[],
): Promise<KeyExchange> {
  const removal = new Removal(all);
  const { left } = removal;
  while (left.groups.length > 0 && left.signatures.length > 0)
    if (!removal.note(await ask(left.groups, left.signatures))) break;
  // Refused together: each list goes on by itself, beside all of the other one.
  while (left.groups.length > 0 && removal.note(await ask(left.groups, all.signatures)));
  const { readable, found } = removal;
  if (left.signatures.length === 0) return found;
  if (readable.length === 0 && found.groups.length > 0)
    return { ...found, unknown: 'no group is taken that can be computed here' };
  while (left.signatures.length > 0 && removal.note(await ask(beside(readable), left.signatures), 'signature'));
  return removal.found;
}

/** What was found and what is left to offer. */
class Removal {
  readonly left: { groups: readonly number[]; signatures: readonly number[] };
  readonly #groups = new Set<number>();
  readonly #signatures = new Set<number>();
  readonly #readable = new Set<number>();

  constructor(all: Offers) {
    this.left = { ...all };
  }

  get found(): KeyExchange {
    return { groups: [...this.#groups], signatures: [...this.#signatures] };
  }

  /** Groups with which signatures are seen. */
  get readable(): readonly number[] {
    if (this.#readable.size > 0) return [...this.#readable];
    const one = computable([...this.#groups]);
    return one === undefined ? [] : [one];
  }

  /** Takes an answer in; false when it was a refusal or, where a signature was wanted, taught nothing. */
  note(chosen: Chosen | undefined, wanted?: 'signature'): boolean {
    if (chosen === undefined) return false;
    const { group, signature } = chosen;
    this.#groups.add(group);
    this.left.groups = this.left.groups.filter((code) => code !== group);
    if (signature === undefined) return wanted === undefined;
    this.#readable.add(group);
    const isNew = this.left.signatures.includes(signature);
    // A server without a fitting key signs with what was not offered (RFC 8446 §4.4.2.2); SHA-1 is what others ignore the offer for.
    if (isNew || this.#signatures.size === 0) this.#signatures.add(signature);
    this.left.signatures = this.left.signatures.filter((code) => code !== signature);
    return wanted === undefined || isNew;
  }
}

export interface FiniteFieldFact {
  readonly bits: number;
  /** 'ffdhe2048' of RFC 7919, 'modp2048' of RFC 3526, or 'own' for any other prime. */
  readonly group: string;
}

/** Both families begin with 64 one bits, then with the digits of e (RFC 7919 appendix A) or pi (RFC 3526 §2). */
const families: Readonly<Record<string, string>> = { adf85458a2bb4a9a: 'ffdhe', c90fdaa22168c234: 'modp' };

function fieldOf(prime: Buffer, bits: number): FiniteFieldFact {
  const stripped = prime.subarray(prime.findIndex((octet) => octet !== 0));
  const digits = stripped.subarray(8, 16).toString('hex');
  const family = families[digits];
  return { bits, group: family === undefined ? 'own' : `${family}${bits}` };
}

/** The field of DHE suites, with and without named groups in the hello. Throws Untested. */
export async function probeFiniteField(
  bracket: Bracket,
  host: string | undefined,
  { version, accepted }: OlderSuites,
): Promise<{ readonly field: FiniteFieldFact | undefined; readonly named: readonly number[] } | undefined> {
  const suites = accepted.filter((code) => /_DHE_(RSA|DSS)_|_DH_anon_/.test(suiteName(code)));
  if (suites.length === 0) return undefined;
  return bracket.between(async () => {
    const ask = async (groups: readonly number[]): Promise<FiniteFieldFact | undefined> => {
      const answer = await bracket.ask(hello12(version, { host, suites, groups }));
      const exchange = answer.kind === 'accepted' ? answer.flight.keyExchange : undefined;
      return exchange?.kind === 'dhe' ? fieldOf(exchange.prime, exchange.bits) : undefined;
    };
    const field = await ask([]);
    const named: number[] = [];
    for (let rest = finiteFields; rest.length > 0; rest = finiteFields.filter((code) => !named.includes(code))) {
      const chosen = await ask(rest);
      const code = rest.find((one) => groupName(one) === chosen?.group);
      // Most servers use a field of their own whatever is offered.
      if (code === undefined) break;
      named.push(code);
    }
    if (field === undefined && named.length === 0)
      throw new Untested('the DHE suites were refused with and without named groups', false);
    return { field, named };
  });
}
