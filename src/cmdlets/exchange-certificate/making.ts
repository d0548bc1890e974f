/** New-, Import- and Export-ExchangeCertificate. */
import type { CertificateEntry, CertificateStore, Imported, RequestWish } from '../../certificates/index.ts';
import { acceptedDomain } from '../../config/index.ts';
import { formatTlsCertificateName } from '../../tls/index.ts';
import { listObjects } from '../directory-objects.ts';
import { knownCmdlet } from '../exchange-cmdlets.ts';
import { badArgument, isOn, missingArgument, textOf, textsOf, yesNoOf } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { SecureString } from '../running/secure-string.ts';
import { type BoundParameters, type Cmdlet, type CmdletContext, CmdletObject, type Parameter } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import {
  asked,
  isCertificateError,
  named,
  namedWithKey,
  present,
  storeOf,
  thumbprintOf,
} from './certificate-objects.ts';
import { connectorUses, leftBehindBy, serverFqdn } from './certificate-use.ts';
import { servicesOf } from './existing.ts';

/** Text that a cmdlet gives back. */
function plainOutput(text: string): CmdletObject {
  return new CmdletObject('System.String', [['Value', text]]);
}

/** Our addition: Exchange's own cmdlet makes RSA keys only. */
const keyAlgorithm: Parameter = {
  name: 'KeyAlgorithm',
  type: 'String',
  allowed: ['RSA', 'ECDSA'],
  help: 'RSA (the default) or ECDSA on the curve P-256.',
};

async function wishOf(context: CmdletContext, bound: BoundParameters): Promise<RequestWish> {
  const from = await renewed(context, bound);
  const algorithm = algorithmOf(bound, from);
  const keyBits = Number(textOf(bound, 'KeySize') ?? '2048');
  if (algorithm === 'RSA' && ![2048, 3072, 4096].includes(keyBits))
    throw badArgument('KeySize', `${keyBits} is not taken: 2048, 3072 and 4096 are.`);
  // Loaded by the process that has the certificates, not by each prompt.
  const { serverNames, subjectFrom } = await import('../../certificates/index.ts');
  const own = serverNames(await serverFqdn(context));
  const subject = textOf(bound, 'SubjectName');
  const names = await domainNames(context, bound, from);
  return {
    subject:
      subject === undefined ? (from?.certificate.subject ?? own.subject) : readSubject(() => subjectFrom(subject)),
    dnsNames: names.length === 0 && subject === undefined ? own.dnsNames : names,
    algorithm,
    keyBits,
    friendlyName: textOf(bound, 'FriendlyName') ?? from?.friendlyName ?? 'Microsoft Exchange',
    exportable: yesNoOf(bound, 'PrivateKeyExportable', false),
  };
}

function readSubject(read: () => RequestWish['subject']): RequestWish['subject'] {
  try {
    return read();
  } catch (error) {
    if (isCertificateError(error)) throw badArgument('SubjectName', `${error.message}.`, error);
    throw error;
  }
}

/** The certificate of the pipeline: its subject, names and friendly name are taken over. */
async function renewed(context: CmdletContext, bound: BoundParameters): Promise<CertificateEntry | undefined> {
  if (!bound.has('Instance')) return undefined;
  return namedWithKey(await storeOf(context), thumbprintOf(context, bound) ?? '');
}

function algorithmOf(bound: BoundParameters, from: CertificateEntry | undefined): 'RSA' | 'ECDSA' {
  const text = textOf(bound, 'KeyAlgorithm')?.toUpperCase();
  if (text === undefined) return from?.certificate.keyType === 'ec' ? 'ECDSA' : 'RSA';
  if (text === 'RSA' || text === 'ECDSA') return text;
  throw badArgument('KeyAlgorithm', `'${text}' is not one of RSA, ECDSA.`);
}

/** -DomainName with what -Include… adds; without any, those of the certificate that is renewed. */
async function domainNames(
  context: CmdletContext,
  bound: BoundParameters,
  from: CertificateEntry | undefined,
): Promise<readonly string[]> {
  const fqdn = (await serverFqdn(context)).toLowerCase();
  const accepted = isOn(bound, 'IncludeAcceptedDomains') ? await listObjects(context, acceptedDomain) : [];
  const names = [
    ...textsOf(bound, 'DomainName').flatMap((text) => text.split(',')),
    ...(isOn(bound, 'IncludeServerFQDN') ? [fqdn] : []),
    ...(isOn(bound, 'IncludeServerNetBIOSName') ? [context.serverName.toLowerCase()] : []),
    ...accepted.map(({ object }) => object.domainName.replace(/^\*\./, '')).filter((name) => name !== '*'),
  ].map((name) => name.trim().toLowerCase());
  const wrong = names.find((name) => !/^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(name));
  if (wrong !== undefined) throw badArgument('DomainName', `'${wrong}' is not a host name such as mail.contoso.com.`);
  return names.length === 0 && from !== undefined ? from.certificate.dnsNames : [...new Set(names)];
}

export const newExchangeCertificate: Cmdlet = {
  name: 'New-ExchangeCertificate',
  synopsis: 'Makes a self-signed certificate, or a request for one of a certification authority.',
  parameters: [
    ...parametersOf(knownCmdlet('New-ExchangeCertificate'), undefined, {
      KeySize: { allowed: ['2048', '3072', '4096'] },
    }),
    keyAlgorithm,
  ],
  supportsShouldProcess: true,
  examples: [
    { line: 'New-ExchangeCertificate -Force', says: 'Self-signed, for the names of this server.' },
    {
      line: '$request = New-ExchangeCertificate -GenerateRequest -SubjectName "CN=mail.contoso.com, O=Contoso, C=US" -DomainName mail.contoso.com,contoso.com',
      says: 'A request to send to an authority. Its answer goes to Import-ExchangeCertificate.',
    },
    {
      line: 'New-ExchangeCertificate -KeyAlgorithm ECDSA -DomainName mail.contoso.com -Services SMTP -Force',
      says: 'With an ECDSA key, offered after STARTTLS.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(bound, [
      ...['BinaryEncoded', 'DomainName', 'Force', 'FriendlyName', 'GenerateRequest', 'IncludeAcceptedDomains'],
      ...['IncludeServerFQDN', 'IncludeServerNetBIOSName', 'Instance', 'KeySize', 'PrivateKeyExportable', 'Server'],
      ...['Services', 'SubjectName', 'KeyAlgorithm', 'DomainController'],
    ]);
    const wish = await wishOf(context, bound);
    const store = await storeOf(context);
    if (isOn(bound, 'GenerateRequest')) yield* request(context, { store, wish, bound });
    else yield* selfSigned(context, { store, wish, bound });
  },
};

interface Making {
  readonly store: CertificateStore;
  readonly wish: RequestWish;
  readonly bound: BoundParameters;
}

async function* request(context: CmdletContext, { store, wish, bound }: Making): AsyncGenerator<CmdletObject> {
  const operation = {
    action: 'Making a certificate request on',
    target: context.serverName,
    impact: 'Medium',
  } as const;
  if (!(await context.shouldProcess(operation))) return;
  const made = await asked(() => store.makeRequest(wish));
  told(context, made.thumbprint, made.subjectText);
  const der = Buffer.from(made.pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  if (!isOn(bound, 'BinaryEncoded')) yield plainOutput(made.pem);
  else yield new CmdletObject('BinaryFileDataObject', [['FileData', Uint8Array.from(der)]]);
}

async function* selfSigned(context: CmdletContext, { store, wish, bound }: Making): AsyncGenerator<CmdletObject> {
  const operation = {
    action: 'Making a self-signed certificate on',
    target: context.serverName,
    impact: 'Medium',
  } as const;
  if (!(await context.shouldProcess(operation))) return;
  const services = bound.has('Services') ? servicesOf(bound) : ['SMTP'];
  const entry = await asked(() => store.makeSelfSigned({ ...wish, services }));
  told(context, entry.thumbprint, entry.certificate.subjectText);
  await tellLeftBehind(context, store, entry);
  yield present(context, store, named(store, entry.thumbprint));
}

function told(context: CmdletContext, thumbprint: string, subject: string): void {
  const properties = [{ name: 'Subject', before: '', after: subject }];
  context.changed({ object: `${context.serverName}\\${thumbprint}`, dn: '', properties });
}

/** A renewal that no longer matches a connector's name is told now, with the line that mends it. */
async function tellLeftBehind(context: CmdletContext, store: CertificateStore, added: CertificateEntry): Promise<void> {
  for (const { kind, title, identity } of leftBehindBy(await connectorUses(context), store.list(), added)) {
    const cmdlet = kind === 'receive' ? 'Set-ReceiveConnector' : 'Set-SendConnector';
    const name = formatTlsCertificateName(added.certificate).replaceAll("'", "''");
    context.warning(
      `The ${title} names the certificate that this one seems to replace, not this one. To change it: ${cmdlet} '${identity.replaceAll("'", "''")}' -TlsCertificateName '${name}'`,
    );
  }
}

/** The octets of -FileData: what [System.IO.File]::ReadAllBytes gives, or a list of numbers. */
function fileData(bound: BoundParameters): Buffer | undefined {
  const value = bound.get('FileData');
  if (value === undefined || value === null) return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value);
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const octets = list.filter((one) => typeof one === 'number' && one >= 0 && one <= 255) as number[];
  if (list.length > 0 && octets.length === list.length) return Buffer.from(octets);
  throw badArgument('FileData', "It takes the octets of a file: ([System.IO.File]::ReadAllBytes('/path/cert.pfx')).");
}

/** -Password as a SecureString. */
function passwordOf(bound: BoundParameters): string | undefined {
  const value = bound.get('Password');
  if (value === undefined || value === null) return undefined;
  if (value instanceof SecureString) return value.reveal();
  throw badArgument('Password', 'It takes a SecureString: (ConvertTo-SecureString "…" -AsPlainText -Force).');
}

async function take(context: CmdletContext, bound: BoundParameters, store: CertificateStore): Promise<Imported> {
  const data = fileData(bound) ?? Buffer.from(textsOf(bound, 'Instance').join('\n'));
  if (data.length === 0) throw missingArgument('FileData', 'It takes the octets of a certificate, a PFX or PEM.');
  if (data.length > 16 * 1024 ** 2) throw badArgument('FileData', 'It is larger than 16 MB: no certificate.');
  const password = passwordOf(bound);
  const friendlyName = textOf(bound, 'FriendlyName');
  const exportable = yesNoOf(bound, 'PrivateKeyExportable', false);
  const options = { exportable, ...(friendlyName !== undefined && { friendlyName }) };
  const text = data.toString('latin1');
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    const sealed = password === undefined ? {} : { passphrase: password };
    return { kind: 'certificate', entry: await store.importPem(text, { ...options, ...sealed }) };
  }
  if (text.includes('-----BEGIN ') || password === undefined) {
    const imported = await importBare(store, data, friendlyName);
    if (imported.kind === 'authority')
      context.warning('The certificate has no private key here and is an authority: it is trusted from now on.');
    return imported;
  }
  return { kind: 'certificate', entry: await store.importPfx(data, password, options) };
}

/** A PFX may have an empty password: tried when it is no certificate. */
async function importBare(store: CertificateStore, data: Buffer, friendlyName = ''): Promise<Imported> {
  try {
    return await store.importCertificates(data, friendlyName);
  } catch (error) {
    if (!isCertificateError(error) || !error.message.startsWith('this is neither')) throw error;
    throw badArgument('FileData', 'It holds no certificate; for a PFX give its -Password.', error);
  }
}

/** Cmdlets run in the service, which learns of no file of the caller. `instead`: what the caller's shell can do. */
function refuseFileName(bound: BoundParameters, does: 'read' | 'write', instead: string): void {
  if (bound.has('FileName')) throw badArgument('FileName', `The service does not ${does} your files. Use ${instead}.`);
}

export const importExchangeCertificate: Cmdlet = {
  name: 'Import-ExchangeCertificate',
  synopsis: 'Takes a certificate with its key (PFX, PEM), the answer to a request, or an authority to trust.',
  parameters: parametersOf(knownCmdlet('Import-ExchangeCertificate'), undefined, {
    FileData: { mandatory: false },
    FileName: { mandatory: false, notImplementedYet: false },
    Instance: { mandatory: false },
  }),
  supportsShouldProcess: true,
  examples: [],
  async *run(context, bound) {
    refuseFileName(bound, 'read', "-FileData ([System.IO.File]::ReadAllBytes('/path'))");
    refuseOthers(bound, [
      'FileData',
      'Instance',
      'FriendlyName',
      'Password',
      'PrivateKeyExportable',
      'Server',
      'DomainController',
    ]);
    const store = await storeOf(context);
    const operation = { action: 'Importing a certificate into', target: context.serverName, impact: 'Medium' } as const;
    if (!(await context.shouldProcess(operation))) return;
    const imported = await asked(() => take(context, bound, store));
    const { thumbprint, certificate } = imported.entry;
    told(context, thumbprint, certificate.subjectText);
    if (imported.kind === 'certificate') await tellLeftBehind(context, store, imported.entry);
    yield present(context, store, named(store, thumbprint));
  },
};

export const exportExchangeCertificate: Cmdlet = {
  name: 'Export-ExchangeCertificate',
  synopsis: 'Gives out a certificate with its key as a PFX, or a request again.',
  parameters: parametersOf(knownCmdlet('Export-ExchangeCertificate'), undefined, {
    Thumbprint: { mandatory: false },
    FileName: { notImplementedYet: false },
  }),
  supportsShouldProcess: true,
  examples: [],
  async *run(context, bound) {
    refuseFileName(bound, 'write', "[System.IO.File]::WriteAllBytes('/path', (Export-ExchangeCertificate …).FileData)");
    refuseOthers(bound, ['Thumbprint', 'Identity', 'BinaryEncoded', 'Password', 'Server', 'DomainController']);
    const thumbprint = thumbprintOf(context, bound);
    if (thumbprint === undefined) throw missingArgument('Thumbprint', 'Get-ExchangeCertificate shows them.');
    const store = await storeOf(context);
    const found = named(store, thumbprint);
    if (!(await context.shouldProcess({ action: 'Exporting the certificate', target: thumbprint, impact: 'Medium' })))
      return;
    if (found.kind === 'request') {
      yield plainOutput(found.entry.pem);
      return;
    }
    const password = passwordOf(bound);
    const bytes =
      found.kind === 'authority' || password === undefined
        ? found.entry.certificate.der
        : await asked(() => store.exportPfx(thumbprint, password));
    told(context, thumbprint, found.entry.certificate.subjectText);
    if (isOn(bound, 'BinaryEncoded'))
      yield new CmdletObject('BinaryFileDataObject', [['FileData', Uint8Array.from(bytes)]]);
    else yield plainOutput(bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n'));
  },
};
