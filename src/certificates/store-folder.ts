/** The folder of the store, read as a whole: certificates with keys, pending requests, trusted authorities. */
import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { type CertificateCandidate, type ParsedCertificate, readCertificate } from '../tls/index.ts';
import { CertificateError } from './certificate-error.ts';
import { type PendingRequest, readRequestFile } from './certificate-request.ts';
import { type KeyMaterial, noteOf, printChain, readCertificates, readFileText } from './key-material.ts';
import type { KeyPassphrase } from './key-sealing.ts';
import { TlsContexts } from './tls-contexts.ts';

/** A certificate of the store. It never holds the key. */
export interface CertificateEntry extends CertificateCandidate {
  readonly thumbprint: string;
  /** 'SMTP' and whatever else the administrator enabled it for. */
  readonly services: readonly string[];
  readonly friendlyName: string;
  /** Export-ExchangeCertificate may hand out the key. */
  readonly exportable: boolean;
  /** The chain that goes out with it, leaf first, PEM. */
  readonly chainPem: string;
}

/** An authority that was imported: its certificate is trusted. */
export interface AuthorityEntry {
  readonly thumbprint: string;
  readonly certificate: ParsedCertificate;
  readonly pem: string;
  readonly friendlyName: string;
}

/** What was read from one file. */
export interface Loaded {
  readonly entry: CertificateEntry;
  readonly key: KeyObject;
}

export interface FolderState {
  readonly loaded: ReadonlyMap<string, Loaded>;
  readonly requests: ReadonlyMap<string, PendingRequest>;
  readonly authorities: ReadonlyMap<string, AuthorityEntry>;
  /** Files passed over, with the reason. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
  /** Changes when any file does. */
  readonly digest: string;
}

export const emptyFolder: FolderState = {
  loaded: new Map(),
  requests: new Map(),
  authorities: new Map(),
  problems: [],
  digest: '',
};

/** Endings tell what a file is; the rest of the name is the thumbprint. */
export const endings = { certificate: '.pem', request: '.request.pem', authority: '.authority.pem' } as const;

/** Files that do not read are told in `problems` and harm no other. */
export async function readFolder(folder: string, passphrase: KeyPassphrase): Promise<FolderState> {
  const loaded = new Map<string, Loaded>();
  const requests = new Map<string, PendingRequest>();
  const authorities = new Map<string, AuthorityEntry>();
  const problems: { file: string; reason: string }[] = [];
  const digest = createHash('sha256');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(endings.certificate)).sort()) {
    try {
      const text = await readPrivate(`${folder}/${file}`);
      digest.update(`${file}\0${text}\0`);
      if (file.endsWith(endings.request)) {
        const request = readRequestFile(text, passphrase);
        requests.set(request.thumbprint, request);
      } else if (file.endsWith(endings.authority)) {
        const authority = readAuthority(text);
        authorities.set(authority.thumbprint, authority);
      } else {
        const one = load(readFileText(text, passphrase));
        loaded.set(one.entry.thumbprint, one);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      digest.update(`${file}\0${reason}\0`);
      problems.push({ file, reason });
    }
  }
  return { loaded, requests, authorities, problems, digest: digest.digest('hex') };
}

/** A file put there by hand may be open to others: closed before anything else. */
async function readPrivate(path: string): Promise<string> {
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  return readFile(path, 'utf8');
}

function readAuthority(text: string): AuthorityEntry {
  const [certificate] = readCertificates(text);
  if (certificate === undefined) throw new CertificateError('the file holds no certificate');
  return authorityEntry(certificate, noteOf(text, 'FriendlyName'));
}

export function authorityEntry(certificate: X509Certificate, friendlyName: string): AuthorityEntry {
  const parsed = readCertificate(certificate.raw);
  return { thumbprint: parsed.thumbprint, certificate: parsed, pem: certificate.toString(), friendlyName };
}

/** RFC 8301 §3.2 for another use of RSA, and OpenSSL's own limits: smaller is broken, larger stops a worker at each handshake. */
const rsaBits = { least: 2048, most: 8192 };

/** Throws CertificateError for a key that TLS does not take. */
export function load({ key, chain, services, friendlyName, exportable }: KeyMaterial): Loaded {
  const [leaf] = chain;
  if (leaf === undefined) throw new CertificateError('there is no certificate');
  const certificate = readCertificate(leaf.raw);
  const { keyType, keyBits } = certificate;
  if (keyType.startsWith('rsa') && (keyBits < rsaBits.least || keyBits > rsaBits.most))
    throw new CertificateError(
      `an RSA key of ${keyBits} bits is not taken: from ${rsaBits.least} to ${rsaBits.most} are`,
    );
  const { thumbprint } = certificate;
  const chainPem = printChain(chain);
  // A context of its own only to see whether TLS takes it.
  new TlsContexts().of([{ thumbprint, key, chainPem }]);
  const enabledForSmtp = services.some((service) => service.toUpperCase() === 'SMTP');
  const entry: CertificateEntry = {
    thumbprint,
    certificate,
    hasPrivateKey: true,
    enabledForSmtp,
    services,
    friendlyName,
    exportable,
    chainPem,
  };
  return { entry, key };
}
