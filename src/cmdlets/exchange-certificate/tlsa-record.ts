/** Get-TlsaRecord: the TLSA records that the DNS should hold for our certificates (RFC 7671 §5.1), and whether it does. Our addition. */
import { X509Certificate } from 'node:crypto';
import type { CertificateEntry } from '../../certificates/index.ts';
import type { ReceiveConnector } from '../../config/index.ts';
import { type DnsAsker, DnsFailure } from '../../dns/index.ts';
import { associationOf, chooseReceiveCertificate, matchesHost, type TlsaRecord, tlsaText } from '../../tls/index.ts';
import { type BoundParameters, type CmdletContext, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { namedWithKey, storeOf, thumbprintOf } from './certificate-objects.ts';
import { type ConnectorUse, connectorUses, serverFqdn } from './certificate-use.ts';

/** One host and port where mail is received. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly certificates: readonly CertificateEntry[];
}

/** 3 1 1: the key alone, which a renewal may keep (RFC 7671 §5.1). */
const form = { usage: 3, selector: 1, matchingType: 1 } as const;

function recordFor({ certificate }: CertificateEntry): TlsaRecord | undefined {
  const data = associationOf(new X509Certificate(certificate.der), form);
  return data === undefined ? undefined : { ...form, certificate: data };
}

export async function* showRecords(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, ['Thumbprint']);
  const thumbprint = thumbprintOf(context, bound);
  const store = await storeOf(context);
  const wanted = thumbprint === undefined ? undefined : namedWithKey(store, thumbprint);
  const fqdn = await serverFqdn(context);
  for (const place of placesOf(await connectorUses(context), store.list(), fqdn)) {
    const shown = wanted === undefined ? place.certificates : [wanted];
    if (wanted !== undefined && !matchesHost(wanted.certificate, place.host)) continue;
    const { records } = await publishedAt(context.dns, place, context.signal);
    yield* rowsOf(place, shown, records);
  }
}

/** Each host and port once, with what connectors show there. */
function placesOf(uses: readonly ConnectorUse[], entries: readonly CertificateEntry[], fqdn: string): Place[] {
  const places = new Map<string, Place>();
  for (const use of uses.filter(({ kind }) => kind === 'receive')) {
    const choice = chooseReceiveCertificate(entries, { ...use, serverFqdn: fqdn, now: Date.now() });
    const certificates = [...(choice.chosen === undefined ? [] : [choice.chosen]), ...choice.companions];
    const host = (use.fqdn === '' ? fqdn : use.fqdn).toLowerCase();
    for (const port of use.ports) places.set(`${host} ${port}`, { host, port, certificates });
  }
  return [...places.values()];
}

/** What the DNS holds; or why that is not known. */
type Published = readonly TlsaRecord[] | string;

async function publishedAt(
  dns: DnsAsker | undefined,
  place: Place,
  signal: AbortSignal,
): Promise<{ readonly records: Published; readonly ttl: number }> {
  if (dns === undefined) return { records: 'no DNS is asked here', ttl: 0 };
  try {
    const { records, ttl } = await dns.ask(nameOf(place), 'TLSA', signal);
    return { records: records.map(({ data }) => data as TlsaRecord), ttl };
  } catch (error) {
    if (error instanceof DnsFailure) return { records: `the DNS gave no answer (${error.code})`, ttl: 0 };
    throw error;
  }
}

function* rowsOf(place: Place, shown: readonly CertificateEntry[], published: Published): Iterable<CmdletObject> {
  const wanted = shown.flatMap((entry) => {
    const record = recordFor(entry);
    return record === undefined ? [] : [{ record, thumbprint: entry.thumbprint }];
  });
  const there = typeof published === 'string' ? [] : published.map(tlsaText);
  for (const { record, thumbprint } of wanted) {
    const state =
      typeof published === 'string' ? `Unknown: ${published}` : there.includes(tlsaText(record)) ? 'Yes' : 'No';
    yield row(place, record, state, thumbprint);
  }
  const known = new Set(wanted.map(({ record }) => tlsaText(record)));
  for (const record of typeof published === 'string' ? [] : published)
    if (!known.has(tlsaText(record))) yield row(place, record, 'Yes, of no certificate that is shown', '');
}

function row(place: Place, record: TlsaRecord, published: string, thumbprint: string): CmdletObject {
  const { usage, selector, matchingType, certificate } = record;
  const data = `${usage} ${selector} ${matchingType} ${certificate.toString('hex')}`;
  return new CmdletObject('TlsaRecord', [
    ['Name', nameOf(place)],
    ['Record', data],
    ['Line', `${nameOf(place)}. IN TLSA ${data}`],
    ['Published', published],
    ['Thumbprint', thumbprint],
    ['Identity', `${nameOf(place)} ${thumbprint}`],
  ]);
}

function nameOf({ host, port }: Place): string {
  return `_${port}._tcp.${host}`;
}

/**
 * What goes wrong when a certificate is shown while the DNS still holds records of other keys alone: senders with DANE
 * deliver no more (RFC 7671 §8.1). A line each; none where no records are published.
 */
export async function tlsaWarnings(context: CmdletContext, entry: CertificateEntry): Promise<readonly string[]> {
  return (await tlsaReadiness(context, entry)).warnings;
}

/** The same for what a connector would show. */
export async function tlsaWarningsOfChoice(
  context: CmdletContext,
  { tlsCertificateName, fqdn }: Pick<ReceiveConnector, 'tlsCertificateName' | 'fqdn'>,
): Promise<readonly string[]> {
  const query = {
    tlsCertificateName: tlsCertificateName ?? '',
    fqdn: fqdn ?? '',
    serverFqdn: await serverFqdn(context),
    now: Date.now(),
  };
  const { chosen, companions } = chooseReceiveCertificate((await storeOf(context)).list(), query);
  const shown = chosen === undefined ? companions : [chosen, ...companions];
  const warnings = await Promise.all(shown.map((entry) => tlsaWarnings(context, entry)));
  return [...new Set(warnings.flat())];
}

/** `ttlMs`: the longest time that others may still hold what the DNS said before; 0 where no records are published. */
export async function tlsaReadiness(
  context: CmdletContext,
  entry: CertificateEntry,
): Promise<{ readonly warnings: readonly string[]; readonly ttlMs: number }> {
  const record = recordFor(entry);
  let ttlMs = 0;
  if (context.dns === undefined || record === undefined) return { warnings: [], ttlMs };
  const places = placesOf(await connectorUses(context), [], await serverFqdn(context));
  const warnings: string[] = [];
  for (const place of places.filter(({ host }) => matchesHost(entry.certificate, host))) {
    const { records: published, ttl } = await publishedAt(context.dns, place, context.signal);
    if (typeof published === 'string' || published.length === 0) continue;
    ttlMs = Math.max(ttlMs, ttl * 1_000);
    if (published.some((one) => sameKey(entry, one))) continue;
    warnings.push(
      `The TLSA records of ${nameOf(place)} hold none of this certificate: senders with DANE will not deliver while it is shown. Publish '${tlsaText(record)}' beside them, and wait two times their TTL before the change.`,
    );
  }
  return { warnings, ttlMs };
}

function sameKey({ certificate }: CertificateEntry, record: TlsaRecord): boolean {
  return associationOf(new X509Certificate(certificate.der), record)?.equals(record.certificate) === true;
}
