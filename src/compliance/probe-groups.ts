import { curves12, type Flight, finiteFields, groups13, shareable, suiteName, versions } from '../tls/wire/index.ts';
import type { Bracket } from './bracket.ts';
import { allSignatures, hello12, hello13, signatures13 } from './hellos.ts';
import { Untested } from './untested.ts';

/** Groups that TLS 1.3 takes, by empty key share and HelloRetryRequest. Throws Untested. */
export function probeGroups13(bracket: Bracket, host: string | undefined): Promise<number[]> {
  return bracket.between(async () => {
    const found: number[] = [];
    let rest = groups13;
    while (rest.length > 0) {
      const answer = await bracket.ask(hello13({ host, groups: rest }));
      if (answer.kind === 'refused') break;
      const chosen = answer.flight.hello?.group;
      if (chosen === undefined || !rest.includes(chosen))
        throw new Untested('the server chose a group that was not offered', false);
      found.push(chosen);
      rest = rest.filter((code) => code !== chosen);
    }
    return found;
  });
}

/** Signature schemes that the server signs the handshake of TLS 1.3 with. Throws Untested. */
export function probeSignatures13(
  bracket: Bracket,
  host: string | undefined,
  groups: readonly number[],
): Promise<number[]> {
  const group = groups.find((code) => shareable.includes(code));
  if (group === undefined) throw new Untested('TLS 1.3 takes no group that can be computed here', false);
  return bracket.between(async () => {
    const found: number[] = [];
    let rest = signatures13;
    while (rest.length > 0) {
      const answer = await bracket.ask(hello13({ host, groups: [group], shares: [group], signatures: rest }));
      if (answer.kind === 'refused') break;
      const { signature, sealed } = answer.flight;
      if (sealed || signature === undefined)
        throw new Untested('the records of TLS 1.3 could not be opened here', false);
      // A server without a fitting key may sign with what was not offered (RFC 8446 §4.4.2.2).
      if (!rest.includes(signature)) break;
      found.push(signature);
      rest = rest.filter((code) => code !== signature);
    }
    return found;
  });
}

export interface KeyExchange12 {
  readonly groups: readonly number[];
  readonly signatures: readonly number[];
}

/**
 * Curves and signature schemes of TLS 1.2 by ECDHE suites, both by removal at once: each answer shows one of both, so
 * that half the connections do. Throws Untested.
 */
export function probeKeyExchange12(
  bracket: Bracket,
  host: string | undefined,
  accepted: readonly number[],
): Promise<KeyExchange12> {
  const suites = accepted.filter((code) => /_ECDHE_(RSA|ECDSA)_/.test(suiteName(code)));
  if (suites.length === 0) return Promise.resolve({ groups: [], signatures: [] });
  const ask = async (groups: readonly number[], signatures: readonly number[]): Promise<Flight | undefined> => {
    const answer = await bracket.ask(hello12(versions.tls1_2, { host, suites, groups, signatures }));
    return answer.kind === 'accepted' ? answer.flight : undefined;
  };
  return bracket.between(() => removeBoth(ask));
}

async function removeBoth(
  ask: (groups: readonly number[], signatures: readonly number[]) => Promise<Flight | undefined>,
): Promise<KeyExchange12> {
  const found = { groups: new Set<number>(), signatures: new Set<number>() };
  const left = { groups: curves12, signatures: allSignatures };
  const note = (flight: Flight | undefined): boolean => {
    if (flight?.keyExchange?.kind !== 'ecdhe') return false;
    const { group, signature = 0 } = flight.keyExchange;
    found.groups.add(group);
    left.groups = left.groups.filter((code) => code !== group);
    // SHA-1 is what a server signs with that ignores the offer: then it stays, and nothing more is learnt of it.
    const known = left.signatures.includes(signature);
    if (known || found.signatures.size === 0) found.signatures.add(signature);
    left.signatures = left.signatures.filter((code) => code !== signature);
    return true;
  };
  while (note(await ask(left.groups, left.signatures)))
    if (left.groups.length === 0 || left.signatures.length === 0) break;
  // One of both lists is used up: the other one goes on beside all of the first.
  const groupsDone = [...found.groups];
  const signaturesDone = [...found.signatures];
  while (
    left.groups.length > 0 &&
    note(await ask(left.groups, signaturesDone.length > 0 ? allSignatures : left.signatures))
  );
  while (left.signatures.length > 0) {
    const before = found.signatures.size;
    const flight = await ask(groupsDone.length > 0 ? curves12 : left.groups, left.signatures);
    if (!note(flight) || found.signatures.size === before) break;
  }
  return { groups: [...found.groups], signatures: [...found.signatures] };
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
  accepted: readonly number[],
): Promise<{ readonly field: FiniteFieldFact; readonly named: readonly number[] } | undefined> {
  const suites = accepted.filter((code) => /_DHE_(RSA|DSS)_/.test(suiteName(code)));
  if (suites.length === 0) return undefined;
  return bracket.between(async () => {
    const ask = async (groups: readonly number[]): Promise<FiniteFieldFact | undefined> => {
      const answer = await bracket.ask(hello12(versions.tls1_2, { host, suites, groups }));
      const exchange = answer.kind === 'accepted' ? answer.flight.keyExchange : undefined;
      return exchange?.kind === 'dhe' ? fieldOf(exchange.prime, exchange.bits) : undefined;
    };
    const field = await ask([]);
    const named = await ask(finiteFields);
    if (field === undefined) throw new Untested('the DHE suites were refused without named groups', false);
    const code = finiteFields.filter(
      (_, i) => named?.group === ['ffdhe2048', 'ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192'][i],
    );
    return { field, named: code };
  });
}
