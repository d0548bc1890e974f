/** TLSA records of one endpoint against the chains that it shows: RFC 6698, RFC 7671, RFC 7672. */
import { X509Certificate } from 'node:crypto';
import { DnsFailure } from '../../dns/index.ts';
import { matchesHost, matchTlsa, readCertificate, type TlsaRecord, tlsaText, unusableReason } from '../../tls/index.ts';
import { usualChains } from '../checks/chain-checks.ts';
import type { Facts } from '../facts/facts.ts';
import type { Endpoint } from '../probe/endpoint.ts';
import {
  ask,
  type DomainAnswer,
  type DomainParts,
  no,
  notBelieved,
  pointless,
  untested,
  yes,
} from './domain-answer.ts';

type TlsaFacts = Record<'tlsaPresent' | 'tlsaUsable' | 'tlsaMatch' | 'tlsaRollover' | 'denial', DomainAnswer>;

export const tlsaNames: readonly (keyof TlsaFacts)[] = [
  'tlsaPresent',
  'tlsaUsable',
  'tlsaMatch',
  'tlsaRollover',
  'denial',
];

const all = (answer: DomainAnswer): TlsaFacts => ({
  tlsaPresent: answer,
  tlsaUsable: answer,
  tlsaMatch: answer,
  tlsaRollover: answer,
  denial: answer,
});

/** `domain`: whose mail the host takes, where that is known. */
export async function tlsaFacts(
  { host, port }: Endpoint,
  facts: Facts,
  domain: string | undefined,
  parts: DomainParts,
): Promise<TlsaFacts> {
  if (!parts.believed) return all(untested(notBelieved));
  try {
    const base = `_${port}._tcp.${host}`;
    const { records, secure } = await ask(parts, base, 'TLSA');
    // RFC 7672 §2.1.1: many servers answer a name near TLSA records wrongly, and mail is deferred for it.
    const near = await ask(parts, base, 'A');
    const denial = !secure || near.secure ? yes(near.code) : no('the denial is not signed');
    const names = [host, ...(domain === undefined ? [] : [domain])];
    const found = records.map(({ data }) => data as TlsaRecord);
    return { ...judged(found, secure, new ShownChains(facts, names, parts.now)), denial };
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error;
    const failed = untested(error.message);
    return { ...all(failed), denial: error.code === 'SERVFAIL' ? no(error.message) : failed };
  }
}

function judged(records: readonly TlsaRecord[], secure: boolean, shown: ShownChains): Omit<TlsaFacts, 'denial'> {
  if (records.length === 0 || !secure) {
    const texts = records.map(tlsaText).join(', ');
    const without = pointless(secure || records.length === 0 ? 'no TLSA record' : 'the TLSA records are not signed');
    const tlsaPresent = no(records.length === 0 ? 'no record' : `not signed: ${texts}`);
    return { tlsaPresent, tlsaUsable: without, tlsaMatch: without, tlsaRollover: without };
  }
  const texts = records.map(tlsaText).join(', ');
  const bad = records.flatMap((record) => unusableReason(record) ?? []);
  return {
    tlsaPresent: yes(texts),
    tlsaUsable: bad.length === 0 ? yes(texts) : no(bad.join(', ')),
    tlsaMatch: shown.match(records),
    tlsaRollover: shown.rollover(records.filter((record) => unusableReason(record) === undefined)),
  };
}

/** Chains as senders get them: which one, they cannot choose. */
class ShownChains {
  readonly #chains: readonly {
    readonly where: string;
    readonly ders: readonly Buffer[];
    readonly namesMatch: boolean;
  }[];
  readonly #now: number;

  constructor(facts: Facts, names: readonly string[], now: number) {
    this.#now = now;
    this.#chains = usualChains(facts).chain.map(({ certificates, seenWith }) => {
      const ders = certificates
        .flatMap((at) => facts.certificates[at] ?? [])
        .map(({ pem }) => new X509Certificate(pem).raw);
      const [leaf] = ders;
      const read = leaf === undefined ? undefined : readCertificate(leaf);
      const namesMatch = read !== undefined && names.some((name) => matchesHost(read, name));
      return { where: seenWith.join(', '), ders, namesMatch };
    });
  }

  /** Every chain must match. */
  match(records: readonly TlsaRecord[]): DomainAnswer {
    if (this.#chains.length === 0) return untested('no certificate was seen');
    for (const { where, ders, namesMatch } of this.#chains) {
      const { matches, reason } = matchTlsa(records, ders, { namesMatch, now: this.#now });
      if (!matches) return no(`${where}: ${reason}`);
    }
    return yes(this.#chains.length === 1 ? 'the chain matches' : `all ${this.#chains.length} chains match`);
  }

  /**
   * Whether the key can be changed without a gap: a record for a key that is not in use yet (RFC 7671 §8.1), or one of the
   * authority beside that of the key (§8.4). Two digests of one key are no roll-over.
   */
  rollover(usable: readonly TlsaRecord[]): DomainAnswer {
    if (this.#chains.length === 0) return untested('no certificate was seen');
    const met = usable.filter((record) => this.#chains.some((chain) => this.#meets(record, chain)));
    const waiting = usable.filter((record) => !met.includes(record));
    if (met.length > 0 && waiting.length > 0) return yes(`next: ${waiting.map(tlsaText).join(', ')}`);
    if (new Set(met.map(({ usage }) => usage)).size > 1) return yes('records of the key and of its authority');
    return no(met.length === 0 ? 'no record of the key in use' : 'every record is of the key in use');
  }

  #meets(
    record: TlsaRecord,
    { ders, namesMatch }: { readonly ders: readonly Buffer[]; readonly namesMatch: boolean },
  ): boolean {
    return matchTlsa([record], ders, { namesMatch, now: this.#now }).matches;
  }
}
