/** Certificates of the store as Exchange's objects, and how lines name them. */
import type {
  AuthorityEntry,
  CertificateEntry,
  CertificateError,
  CertificateStore,
  PendingRequest,
} from '../../certificates/index.ts';
import { formatTlsCertificateName, verifyChain } from '../../tls/index.ts';
import { badArgument, isObject, plainText } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletError, CmdletObject } from '../runtime.ts';

/** The store of this server. Throws CmdletError where there is none (a catalogue without a server). */
export async function storeOf({ certificates }: CmdletContext): Promise<CertificateStore> {
  if (certificates !== undefined) return certificates();
  throw new CmdletError('CertificateStoreUnavailable', 'ResourceUnavailable', 'There is no certificate store here.');
}

/** What is in the store, whatever it is. */
export type Stored =
  | { readonly kind: 'certificate'; readonly thumbprint: string; readonly entry: CertificateEntry }
  | { readonly kind: 'request'; readonly thumbprint: string; readonly entry: PendingRequest }
  | { readonly kind: 'authority'; readonly thumbprint: string; readonly entry: AuthorityEntry };

/** Certificates with keys (newest first), requests, authorities. */
export function everything(store: CertificateStore): readonly Stored[] {
  return [
    ...store.list().map((entry) => ({ kind: 'certificate' as const, thumbprint: entry.thumbprint, entry })),
    ...store.requests().map((entry) => ({ kind: 'request' as const, thumbprint: entry.thumbprint, entry })),
    ...store.authorities().map((entry) => ({ kind: 'authority' as const, thumbprint: entry.thumbprint, entry })),
  ];
}

/** The thumbprint that a line names: by -Thumbprint, -Identity (`SERVER\THUMBPRINT`) or an object of the pipeline. */
export function thumbprintOf(context: CmdletContext, bound: BoundParameters): string | undefined {
  for (const name of ['Thumbprint', 'Identity', 'Instance']) {
    const value = bound.get(name);
    if (value === undefined || value === null) continue;
    const text = isObject(value) ? plainText(value.get('Thumbprint') ?? value.get('Identity')) : plainText(value);
    const [server, thumbprint] = /^([^\\]*)\\(.*)$/.exec(text)?.slice(1) ?? [context.serverName, text];
    if (server?.toLowerCase() !== context.serverName.toLowerCase())
      throw badArgument(name, `'${text}' is a certificate of another server: run the line there.`);
    // As it is pasted from a certificate viewer: blanks, colons, an invisible mark in front.
    return (thumbprint ?? '').replace(/[\s:\u200e\u200f]/g, '').toUpperCase();
  }
  return undefined;
}

/** The one that a line names. Throws CmdletError. */
export function named(store: CertificateStore, thumbprint: string): Stored {
  const found = everything(store).find((one) => one.thumbprint === thumbprint);
  if (found !== undefined) return found;
  const there = store.list().map((entry) => `${entry.thumbprint} (${entry.certificate.subjectText})`);
  const hint = there.length === 0 ? 'There is none at all.' : `There are: ${there.join(', ')}.`;
  const text = `The certificate with thumbprint ${thumbprint} was not found. ${hint}`;
  throw new CmdletError('CertificateNotFound', 'ObjectNotFound', text, { target: thumbprint });
}

/** A certificate with its key. Throws CmdletError for a request or an authority. */
export function namedWithKey(store: CertificateStore, thumbprint: string): CertificateEntry {
  const found = named(store, thumbprint);
  if (found.kind === 'certificate') return found.entry;
  const what =
    found.kind === 'request' ? 'a request that still waits for its certificate' : 'an authority without a key';
  throw new CmdletError('CertificateNotValidForOperation', 'InvalidOperation', `${thumbprint} is ${what}.`, {
    target: thumbprint,
  });
}

/** By its name: the class comes with the whole room, which a prompt does not load. */
export function isCertificateError(error: unknown): error is CertificateError {
  return error instanceof Error && error.name === 'CertificateError';
}

/** Runs what the store refuses in its own words. */
export async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isCertificateError(error)) throw error;
    const text = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
    throw new CmdletError('CertificateOperationException', 'InvalidOperation', text, { cause: error });
  }
}

const typeName = 'X509Certificate2';

/** In the order of Exchange's Format-List, with what it shows on request behind it. */
export function present(context: CmdletContext, store: CertificateStore, stored: Stored): CmdletObject {
  if (stored.kind === 'request') return presentRequest(context, stored.entry);
  const { certificate, friendlyName } = stored.entry;
  const own = stored.kind === 'certificate' ? stored.entry : undefined;
  const services = own === undefined || own.services.length === 0 ? 'None' : own.services.join(', ');
  return new CmdletObject(typeName, [
    ['AccessRules', []],
    ['CertificateDomains', domainsOf(certificate)],
    ['HasPrivateKey', own !== undefined],
    ['IsSelfSigned', certificate.selfSigned],
    ['Issuer', certificate.issuerText],
    ['NotAfter', new Date(certificate.notAfter)],
    ['NotBefore', new Date(certificate.notBefore)],
    ['PublicKeySize', certificate.keyBits],
    ['RootCAType', rootOf(store, stored)],
    ['SerialNumber', certificate.serialNumber],
    ['Services', services],
    ['Status', statusOf(store, stored)],
    ['Subject', certificate.subjectText],
    ['Thumbprint', stored.thumbprint],
    ['FriendlyName', friendlyName],
    ['KeyAlgorithm', algorithmNames[certificate.keyType] ?? certificate.keyType],
    ['PrivateKeyExportable', own?.exportable ?? false],
    ['TlsCertificateName', tlsName(certificate)],
    ['Identity', `${context.serverName}\\${stored.thumbprint}`],
  ]);
}

const algorithmNames: Readonly<Record<string, string>> = {
  rsa: 'RSA',
  'rsa-pss': 'RSA-PSS',
  ec: 'ECDSA',
  ed25519: 'Ed25519',
};

function presentRequest({ serverName }: CmdletContext, request: PendingRequest): CmdletObject {
  return new CmdletObject(typeName, [
    ['AccessRules', []],
    ['CertificateDomains', request.dnsNames],
    ['HasPrivateKey', true],
    ['IsSelfSigned', false],
    ['Issuer', ''],
    ['NotAfter', null],
    ['NotBefore', null],
    ['PublicKeySize', request.key.asymmetricKeyDetails?.modulusLength ?? 256],
    ['RootCAType', 'None'],
    ['SerialNumber', ''],
    ['Services', 'None'],
    ['Status', 'PendingRequest'],
    ['Subject', request.subjectText],
    ['Thumbprint', request.thumbprint],
    ['FriendlyName', request.friendlyName],
    ['KeyAlgorithm', algorithmNames[request.key.asymmetricKeyType ?? ''] ?? ''],
    ['PrivateKeyExportable', request.exportable],
    ['TlsCertificateName', null],
    ['Identity', `${serverName}\\${request.thumbprint}`],
  ]);
}

type Named = Pick<CertificateEntry['certificate'], 'dnsNames' | 'commonName'>;

function domainsOf({ dnsNames, commonName }: Named): readonly string[] {
  return dnsNames.length > 0 || commonName === '' ? dnsNames : [commonName];
}

/** null where no name can stand for it. */
function tlsName(certificate: CertificateEntry['certificate']): string | null {
  try {
    return formatTlsCertificateName(certificate);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function chainTrusted(store: CertificateStore, stored: Exclude<Stored, { kind: 'request' }>): boolean {
  const { certificate } = stored.entry;
  const others = stored.kind === 'certificate' ? chainOf(stored.entry.chainPem) : [];
  return verifyChain({ shown: [certificate.der, ...others], anchors: store.trustAnchors(), now: Date.now() }).trusted;
}

/** DER of the certificates behind the leaf. */
function chainOf(pem: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.slice(1).map((block) => Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
}

/** Exchange's CertificateStatus. */
function statusOf(store: CertificateStore, stored: Exclude<Stored, { kind: 'request' }>): string {
  const { notAfter, notBefore, selfSigned } = stored.entry.certificate;
  const now = Date.now();
  if (now < notBefore || now > notAfter) return 'DateInvalid';
  return selfSigned || chainTrusted(store, stored) ? 'Valid' : 'Untrusted';
}

/** Exchange's CertificateAuthorityType: Registry is an authority that was imported here. */
function rootOf(store: CertificateStore, stored: Exclude<Stored, { kind: 'request' }>): string {
  if (stored.kind === 'authority') return 'Registry';
  if (stored.entry.certificate.selfSigned) return 'None';
  if (!chainTrusted(store, stored)) return 'Unknown';
  const imported = store.trustAnchors(store.authorities().map(({ thumbprint }) => thumbprint));
  const shown = [stored.entry.certificate.der, ...chainOf(stored.entry.chainPem)];
  return verifyChain({ shown, anchors: imported, now: Date.now() }).trusted ? 'Registry' : 'ThirdParty';
}
