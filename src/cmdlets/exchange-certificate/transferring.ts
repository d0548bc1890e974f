/** Import- and Export-ExchangeCertificate. */
import type { CertificateStore, Imported } from '../../certificates/index.ts';
import { SecureString } from '../calling/secure-string.ts';
import { badArgument, isOn, missingArgument, textOf, textsOf, yesNoOf } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { plainOutput, tellLeftBehind, told } from './certificate-notices.ts';
import { asked, isCertificateError, named, present, storeOf, thumbprintOf } from './certificate-objects.ts';

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

export async function* importCertificate(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
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
}

export async function* exportCertificate(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
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
}
