/** Get-, Enable- and Remove-ExchangeCertificate. */
import type { CertificateEntry } from '../../certificates/index.ts';
import { matchesHost } from '../../tls/index.ts';
import { badArgument, isOn, missingArgument, textsOf } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletError, type CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { asked, everything, named, namedWithKey, present, storeOf, thumbprintOf } from './certificate-objects.ts';
import { connectorUses, defaultSmtpCertificate, makeDefault, orphanedBy, serverFqdn } from './certificate-use.ts';
import { tlsaWarnings } from './tlsa-record.ts';

/** Services of Exchange; on an Edge server SMTP is the one that means something. */
const services = ['None', 'Federation', 'IIS', 'IMAP', 'POP', 'SMTP', 'UM', 'UMCallRouter'] as const;

/** -Services: a list, or one text with commas. Throws CmdletError. */
export function servicesOf(bound: BoundParameters): readonly string[] {
  const given = textsOf(bound, 'Services').flatMap((text) => text.split(',').map((one) => one.trim()));
  const read = given.map((text) => {
    const service = services.find((one) => one.toLowerCase() === text.toLowerCase());
    if (service === undefined) throw badArgument('Services', `'${text}' is not one of ${services.join(', ')}.`);
    return service;
  });
  return [...new Set(read)].filter((one) => one !== 'None');
}

export async function* showCertificates(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
  refuseOthers(bound, ['Thumbprint', 'Identity', 'Instance', 'DomainName', 'Server', 'DomainController']);
  const store = await storeOf(context);
  const thumbprint = thumbprintOf(context, bound);
  const domains = textsOf(bound, 'DomainName');
  const all = thumbprint === undefined ? everything(store) : [named(store, thumbprint)];
  for (const one of all) {
    const hosts = one.kind === 'request' ? { dnsNames: one.entry.dnsNames, commonName: '' } : one.entry.certificate;
    if (domains.every((domain) => matchesHost(hosts, domain))) yield present(context, store, one);
  }
}

export async function enable(context: CmdletContext, bound: BoundParameters): Promise<void> {
  refuseOthers(bound, ['Thumbprint', 'Identity', 'Services', 'Force', 'DoNotRequireSsl', 'Server', 'DomainController']);
  const thumbprint = thumbprintOf(context, bound);
  if (thumbprint === undefined) throw missingArgument('Thumbprint', 'Get-ExchangeCertificate shows them.');
  const wanted = servicesOf(bound);
  const store = await storeOf(context);
  const entry = namedWithKey(store, thumbprint);
  const operation = { action: `Enabling for ${wanted.join(', ') || 'nothing'} the certificate`, target: thumbprint };
  if (!(await context.shouldProcess({ ...operation, impact: 'Medium' }))) return;
  // As in Exchange services are added, and -Services None takes them away.
  const after = wanted.length === 0 ? [] : [...new Set([...entry.services, ...wanted])];
  if (wanted.length === 0) await refuseOrphans(context, thumbprint, 'disabled');
  if (wanted.includes('SMTP') && !(await mayBeShown(context, bound, entry))) return;
  await asked(() => store.enable(thumbprint, after));
  context.changed({
    object: `${context.serverName}\\${thumbprint}`,
    dn: '',
    properties: [{ name: 'Services', before: entry.services.join(', '), after: after.join(', ') }],
  });
  if (wanted.includes('SMTP')) await offerDefault(context, bound, thumbprint);
}

/** A change of the certificate that TLSA records do not know yet stops mail from senders with DANE. */
async function mayBeShown(context: CmdletContext, bound: BoundParameters, entry: CertificateEntry): Promise<boolean> {
  const warnings = entry.services.includes('SMTP') ? [] : await tlsaWarnings(context, entry);
  for (const warning of warnings) context.warning(warning);
  if (warnings.length === 0 || isOn(bound, 'Force')) return true;
  const action = 'Enabling, although the TLSA records in the DNS name other keys alone,';
  return context.shouldProcess({ action, target: describe(entry), impact: 'High' });
}

/** "Overwrite the existing default SMTP certificate?" */
async function offerDefault(context: CmdletContext, bound: BoundParameters, thumbprint: string): Promise<void> {
  const store = await storeOf(context);
  const entry = namedWithKey(store, thumbprint);
  const current = await defaultSmtpCertificate(context);
  if (current?.equals(entry.certificate.der) === true) return;
  const before = store.list().find(({ certificate }) => current?.equals(certificate.der) === true);
  if (current !== undefined && !isOn(bound, 'Force')) {
    const was = before === undefined ? 'which is not here any more' : describe(before);
    const action = `Overwriting the existing default SMTP certificate ${was} with`;
    if (!(await context.shouldProcess({ action, target: describe(entry), impact: 'High' }))) return;
  }
  await makeDefault(context, entry);
  context.changed({
    object: context.serverName,
    dn: '',
    properties: [{ name: 'InternalTransportCertificate', before: before?.thumbprint ?? '', after: thumbprint }],
  });
}

function describe({ thumbprint, certificate }: ReturnType<typeof namedWithKey>): string {
  return `'${thumbprint}' (expires ${new Date(certificate.notAfter).toISOString().slice(0, 10)})`;
}

/** Throws CmdletError where connectors would be left without a certificate. */
async function refuseOrphans(context: CmdletContext, thumbprint: string, done: string): Promise<void> {
  const store = await storeOf(context);
  const orphans = orphanedBy(await connectorUses(context), store.list(), {
    removed: thumbprint,
    fqdn: await serverFqdn(context),
  });
  if (orphans.length === 0) return;
  const users = orphans.map(({ title, tlsCertificateName, fqdn }) =>
    tlsCertificateName === '' ? `${title} (by its Fqdn ${fqdn})` : `${title} (by its TlsCertificateName)`,
  );
  const text = `The certificate ${thumbprint} cannot be ${done}: it is used by ${users.join('; ')}, and no other one satisfies the same name. Enable another certificate first, or change TlsCertificateName or Fqdn there.`;
  throw new CmdletError('CertificateInUse', 'InvalidOperation', text, { target: thumbprint });
}

export async function remove(context: CmdletContext, bound: BoundParameters): Promise<void> {
  refuseOthers(bound, ['Thumbprint', 'Identity', 'Server', 'DomainController']);
  const thumbprint = thumbprintOf(context, bound);
  if (thumbprint === undefined) throw missingArgument('Thumbprint', 'Get-ExchangeCertificate shows them.');
  const store = await storeOf(context);
  const found = named(store, thumbprint);
  if (found.kind === 'certificate') await refuseUsed(context, thumbprint, found.entry.certificate.der);
  if (!(await context.shouldProcess({ action: 'Removing the certificate', target: thumbprint, impact: 'High' })))
    return;
  await asked(() => store.remove(thumbprint));
  const before = found.kind === 'request' ? found.entry.subjectText : found.entry.certificate.subjectText;
  context.changed({
    object: `${context.serverName}\\${thumbprint}`,
    dn: '',
    properties: [{ name: 'Subject', before, after: '' }],
  });
}

async function refuseUsed(context: CmdletContext, thumbprint: string, der: Buffer): Promise<void> {
  if ((await defaultSmtpCertificate(context))?.equals(der) === true) {
    const text = `The certificate ${thumbprint} cannot be removed: it is the default SMTP certificate of this server, which EdgeSync and the servers of the organization know. Make another one the default with Enable-ExchangeCertificate -Services SMTP first.`;
    throw new CmdletError('CannotRemoveInternalTransportCertificate', 'InvalidOperation', text, { target: thumbprint });
  }
  await refuseOrphans(context, thumbprint, 'removed');
}
