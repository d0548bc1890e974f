/** Who uses which certificate: connectors by name or host, and the server itself as its default SMTP certificate. */
import type { CertificateEntry } from '../../certificates/index.ts';
import { receiveConnector, sendConnector } from '../../config/index.ts';
import { chooseReceiveCertificate, hasCertificateName, parseTlsCertificateName } from '../../tls/index.ts';
import { listObjects, serverEntry } from '../directory-objects.ts';
import type { CmdletContext } from '../runtime.ts';

/** A connector, as the choice of a certificate sees it. */
export interface ConnectorUse {
  /** 'receive connector EDGE1\\Partners'. */
  readonly title: string;
  readonly kind: 'receive' | 'send';
  readonly identity: string;
  readonly dn: string;
  readonly tlsCertificateName: string;
  readonly fqdn: string;
  /** Where it listens; none for a send connector. */
  readonly ports: readonly number[];
}

/** Connectors that show a certificate: receive connectors with Tls, send connectors that name one. */
export async function connectorUses(context: CmdletContext): Promise<readonly ConnectorUse[]> {
  const below = `,${(await serverEntry(context)).dn}`.toLowerCase();
  const receive = (await listObjects(context, receiveConnector))
    .filter(({ entry, object }) => entry.dn.toLowerCase().endsWith(below) && object.authMechanism.includes('Tls'))
    .map(({ object }) => ({
      kind: 'receive' as const,
      title: `receive connector ${object.identity}`,
      object,
      ports: object.bindings.map(({ port }) => port),
    }));
  const send = (await listObjects(context, sendConnector))
    .filter(({ object }) => object.tlsCertificateName !== null)
    .map(({ object }) => ({ kind: 'send' as const, title: `send connector ${object.identity}`, object, ports: [] }));
  return [...receive, ...send].map(({ kind, title, object, ports }) => ({
    kind,
    title,
    identity: object.identity,
    dn: object.dn,
    tlsCertificateName: object.tlsCertificateName ?? '',
    fqdn: object.fqdn ?? '',
    ports,
  }));
}

export async function serverFqdn(context: CmdletContext): Promise<string> {
  const address = (await serverEntry(context)).values('networkAddress').find((one) => /^ncacn_ip_tcp:/i.test(one));
  return address?.replace(/^.*?:/, '') ?? context.serverName;
}

/** Those that would be left with no certificate at all. */
export function orphanedBy(
  uses: readonly ConnectorUse[],
  entries: readonly CertificateEntry[],
  { removed, fqdn }: { readonly removed: string; readonly fqdn: string },
): readonly ConnectorUse[] {
  const rest = entries.filter(({ thumbprint }) => thumbprint !== removed);
  const finds = (use: ConnectorUse, among: readonly CertificateEntry[]): boolean => {
    const query = { tlsCertificateName: use.tlsCertificateName, fqdn: use.fqdn, serverFqdn: fqdn, now: Date.now() };
    return chooseReceiveCertificate(among, query).chosen !== undefined;
  };
  return uses.filter((use) => finds(use, entries) && !finds(use, rest));
}

/**
 * Connectors that name what a new certificate replaces, but not the new one itself: a renewal under another intermediate
 * authority or with another subject leaves them behind.
 */
export function leftBehindBy(
  uses: readonly ConnectorUse[],
  entries: readonly CertificateEntry[],
  added: CertificateEntry,
): readonly ConnectorUse[] {
  return uses.filter(({ tlsCertificateName }) => {
    if (tlsCertificateName === '') return false;
    const name = parsedOrNothing(tlsCertificateName);
    if (name === undefined || hasCertificateName(added.certificate, name)) return false;
    const replaced = entries.filter(
      (entry) => entry.thumbprint !== added.thumbprint && hasCertificateName(entry.certificate, name),
    );
    return replaced.some((entry) => sharesHost(entry, added));
  });
}

function parsedOrNothing(text: string): ReturnType<typeof parseTlsCertificateName> | undefined {
  try {
    return parseTlsCertificateName(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function sharesHost(a: CertificateEntry, b: CertificateEntry): boolean {
  const hosts = (one: CertificateEntry): readonly string[] => [...one.certificate.dnsNames, one.certificate.commonName];
  return hosts(a).some((host) => host !== '' && hosts(b).includes(host));
}

const attribute = 'msExchServerInternalTLSCert';

/** DER of the default SMTP certificate, shown to EdgeSync and to servers of the organization; undefined: none was chosen. */
export async function defaultSmtpCertificate(context: CmdletContext): Promise<Buffer | undefined> {
  return (await serverEntry(context)).buffers(attribute)[0];
}

export async function makeDefault(context: CmdletContext, { certificate }: CertificateEntry): Promise<void> {
  const { dn } = await serverEntry(context);
  await context.store.modify(dn, [{ operation: 'replace', attribute, values: [certificate.der] }]);
}
