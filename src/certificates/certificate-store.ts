/** The store of certificates: files in one folder, prepared in memory for the mail path. */
import { createPublicKey, type X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createSecureContext, type SecureContext, setDefaultCACertificates } from 'node:tls';
import { type Clock, replaceFile, syncFolder } from '../base/index.ts';
import { formatName, type TrustAnchors } from '../tls/index.ts';
import { allAnchors, anchorsNamed } from './authorities.ts';
import { CertificateError } from './certificate-error.ts';
import { CertificatePicker, type PickedCertificate, type PickRequest } from './certificate-picker.ts';
import { makeRequest, type PendingRequest, printRequestFile, type RequestWish } from './certificate-request.ts';
import {
  belongs,
  chainOf,
  type KeyMaterial,
  printFile,
  readAnyCertificates,
  readFileText,
  readPem,
} from './key-material.ts';
import type { KeyPassphrase } from './key-sealing.ts';
import { unseal } from './sealing.ts';
import { makeSelfSigned, type SelfSignedWish } from './self-signed.ts';
import { ownCertificates, ownWish } from './server-certificates.ts';
import {
  type AuthorityEntry,
  authorityEntry,
  type CertificateEntry,
  emptyFolder,
  endings,
  type FolderState,
  type Loaded,
  load,
  readFolder,
} from './store-folder.ts';

export interface CertificateStoreOptions {
  /** `<state>/certificates`; made with mode 0700. */
  readonly folder: string;
  readonly clock: Clock;
  /** Seals the keys; '' or absent: mode 0600 alone. */
  readonly passphrase?: KeyPassphrase;
}

/** What an import made of what it was given. */
export type Imported =
  | {
      readonly kind: 'certificate';
      readonly entry: CertificateEntry /** Of a request that is now done. */;
      readonly request?: PendingRequest;
    }
  | { readonly kind: 'authority'; readonly entry: AuthorityEntry };

export class CertificateStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #passphrase: KeyPassphrase;
  readonly #listeners = new Set<() => void>();
  readonly #picker: CertificatePicker;
  #anchors: TrustAnchors | undefined;
  /** What OpenSSL was given last. */
  #installed: TrustAnchors | undefined;
  #peerContext: SecureContext | undefined;
  #state: FolderState = emptyFolder;
  #watcher: FSWatcher | undefined;
  #pending: { cancel(): void } | undefined;

  private constructor({ folder, clock, passphrase = '' }: CertificateStoreOptions) {
    this.#folder = folder;
    this.#clock = clock;
    this.#passphrase = passphrase;
    this.#picker = new CertificatePicker(clock);
  }

  /** Makes the folder if need be, reads it and prepares the contexts. Files that do not read are told in `problems`. */
  static async open(options: CertificateStoreOptions): Promise<CertificateStore> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const store = new CertificateStore(options);
    await store.reload();
    return store;
  }

  /** Files passed over, with the reason. */
  get problems(): FolderState['problems'] {
    return this.#state.problems;
  }

  /**
   * Makes the self-signed server certificates (RSA 2048 and ECDSA P-256, 5 years, SAN: short host and `fqdn`), each unless
   * one of its key algorithm for that name is there, enabled for SMTP and good for 30 more days. To be called by one
   * process. Resolves to the entry of the RSA key.
   */
  async ensureServerCertificate(fqdn: string): Promise<CertificateEntry> {
    const { good, missing } = ownCertificates(this.list(), fqdn, this.#clock.now());
    const made: CertificateEntry[] = [];
    for (const algorithm of missing) made.push(await this.makeSelfSigned(ownWish(fqdn, algorithm)));
    const [entry] = [...made, ...good].sort(
      (a, b) => Number(b.certificate.keyType === 'rsa') - Number(a.certificate.keyType === 'rsa'),
    );
    if (entry === undefined) throw new CertificateError(`there is no certificate for ${fqdn}`);
    return entry;
  }

  /** `existing`: thumbprint of a certificate whose key is used again. */
  async makeSelfSigned(wish: SelfSignedWish, existing?: string): Promise<CertificateEntry> {
    const key = existing === undefined ? undefined : this.#find(existing).key;
    const pair = key && { privateKey: key, publicKey: createPublicKey(key) };
    return this.#keep(await makeSelfSigned(wish, this.#clock.now(), pair));
  }

  /** Makes a key and a request for it; `existing`: thumbprint of a certificate whose key is used again. */
  async makeRequest(wish: RequestWish, existing?: string): Promise<PendingRequest> {
    const key = existing === undefined ? undefined : this.#find(existing).key;
    const request = await makeRequest(wish, formatName(wish.subject), key);
    await replaceFile(this.#pathOf(request.thumbprint, 'request'), printRequestFile(request, this.#passphrase));
    await this.reload();
    return request;
  }

  /** Takes key, certificate and chain from PEM. Throws CertificateError. */
  async importPem(
    pem: string,
    options: { readonly passphrase?: string } & Partial<
      Pick<KeyMaterial, 'services' | 'friendlyName' | 'exportable'>
    > = {},
  ): Promise<CertificateEntry> {
    const { services = [], friendlyName = '', exportable = true } = options;
    return this.#keep({ ...readPem(pem, options.passphrase), services, friendlyName, exportable });
  }

  /** Takes PKCS#12. Throws CertificateError. */
  async importPfx(
    pfx: Buffer,
    password: string,
    options: Partial<Pick<KeyMaterial, 'services' | 'friendlyName' | 'exportable'>> = {},
  ): Promise<CertificateEntry> {
    // Loaded when it is asked for: it needs the whole of node-forge.
    const { readPfx } = await import('./pfx.ts');
    const material = readPfx(pfx, password);
    const { services = [], friendlyName = material.friendlyName, exportable = true } = options;
    return this.#keep({ ...material, services, friendlyName, exportable });
  }

  /**
   * Takes certificates without a key (PEM or one in DER): the answer to a request, a renewal with the key of a certificate
   * that is here, or an authority to trust. Throws CertificateError for anything else.
   */
  async importCertificates(data: Buffer, friendlyName = ''): Promise<Imported> {
    const certificates = readAnyCertificates(data);
    for (const leaf of certificates) {
      const request = [...this.#state.requests.values()].find(({ key }) => belongs(leaf, key));
      const known = [...this.#state.loaded.values()].find(({ key }) => belongs(leaf, key));
      const from = request ?? known?.entry;
      const key = request?.key ?? known?.key;
      if (from === undefined || key === undefined) continue;
      const note = friendlyName === '' ? from.friendlyName : friendlyName;
      const chain = chainOf(leaf, certificates);
      const entry = await this.#keep({ key, chain, services: [], friendlyName: note, exportable: from.exportable });
      if (request === undefined) return { kind: 'certificate', entry };
      await this.#delete(this.#pathOf(request.thumbprint, 'request'));
      return { kind: 'certificate', entry, request };
    }
    const [first] = certificates;
    if (first?.ca !== true)
      throw new CertificateError(
        'no private key belongs to the certificate: neither in what was given nor in a request here',
      );
    return { kind: 'authority', entry: await this.#trust(first, friendlyName) };
  }

  async #trust(certificate: X509Certificate, friendlyName: string): Promise<AuthorityEntry> {
    const entry = authorityEntry(certificate, friendlyName);
    await replaceFile(this.#pathOf(entry.thumbprint, 'authority'), `FriendlyName: ${friendlyName}\n${entry.pem}`);
    await this.reload();
    return entry;
  }

  /** Sets what a certificate is enabled for: 'SMTP' makes it a candidate for STARTTLS. */
  async enable(thumbprint: string, services: readonly string[]): Promise<CertificateEntry> {
    return this.#keep({ ...(await this.#materialOf(thumbprint)), services });
  }

  /** Certificate, chain and key, for those who may have the key. Throws CertificateError, also where it is not exportable. */
  async exportMaterial(thumbprint: string): Promise<KeyMaterial> {
    const material = await this.#materialOf(thumbprint);
    if (!material.exportable) throw new CertificateError('the private key is not exportable');
    return material;
  }

  /** The same as PKCS#12 under a password. */
  async exportPfx(thumbprint: string, password: string): Promise<Buffer> {
    const material = await this.exportMaterial(thumbprint);
    const { writePfx } = await import('./pfx-writer.ts');
    return writePfx(material, password);
  }

  async #materialOf(thumbprint: string): Promise<KeyMaterial> {
    const { entry } = this.#find(thumbprint);
    return readFileText(await readFile(this.#pathOf(entry.thumbprint), 'utf8'), this.#passphrase);
  }

  /** Removes a certificate and its key, a request or an authority. Throws CertificateError when there is no such one. */
  async remove(thumbprint: string): Promise<void> {
    const wanted = plain(thumbprint);
    if (this.#state.requests.has(wanted)) return this.#delete(this.#pathOf(wanted, 'request'));
    if (this.#state.authorities.has(wanted)) return this.#delete(this.#pathOf(wanted, 'authority'));
    return this.#delete(this.#pathOf(this.#find(wanted).entry.thumbprint));
  }

  async #delete(path: string): Promise<void> {
    await rm(path);
    await syncFolder(this.#folder);
    await this.reload();
  }

  /** Newest first. */
  list(): readonly CertificateEntry[] {
    const entries = Array.from(this.#state.loaded.values(), ({ entry }) => entry);
    return entries.sort((a, b) => b.certificate.notBefore - a.certificate.notBefore);
  }

  /** Opens what `seal` closed for one of these certificates; undefined when none of the keys fits. */
  async unseal(sealed: Buffer): Promise<Buffer | undefined> {
    for (const { thumbprint } of this.list()) {
      const { key } = readFileText(await readFile(this.#pathOf(thumbprint), 'utf8'), this.#passphrase);
      const opened = unseal(key, sealed);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  requests(): readonly PendingRequest[] {
    return [...this.#state.requests.values()];
  }

  authorities(): readonly AuthorityEntry[] {
    return [...this.#state.authorities.values()];
  }

  /**
   * Whom certificates of peers may come from: the system's authorities and those that were imported, or only those named
   * by thumbprint. Read once, and again after a change.
   */
  trustAnchors(only: readonly string[] = []): TrustAnchors {
    if (only.length > 0) return anchorsNamed(this.authorities(), only.map(plain));
    this.#anchors ??= allAnchors(this.authorities());
    return this.#anchors;
  }

  /** All workers hold the same secret for session tickets; a new one ends the old tickets. At least 32 octets. */
  shareTickets(secret: Buffer): void {
    this.#picker.shareTickets(secret);
  }

  /** The prepared TLS context (TLS 1.2 and above). Throws CertificateError for an unknown thumbprint. */
  secureContextFor(thumbprint: string): SecureContext {
    return this.#picker.contextOf([this.#find(thumbprint).entry.thumbprint]);
  }

  /** Chooses by the rules of tls/, synchronously and from memory. */
  pick(request: PickRequest): PickedCertificate {
    if (request.use?.clients === true) this.#installAuthorities();
    return this.#picker.pick(request);
  }

  /**
   * OpenSSL judges peers by the authorities of this process. Given to a single context they would all be named to each
   * client in the handshake: tens of kilobytes.
   */
  #installAuthorities(): void {
    const anchors = this.trustAnchors();
    if (this.#installed === anchors) return;
    this.#peerContext = undefined;
    this.#installed = anchors;
    setDefaultCACertificates([...anchors.pem]);
  }

  /** What peers that we connect to are judged by: the system's and the imported authorities. No certificate is shown. */
  peerContext(): SecureContext {
    this.#installAuthorities();
    this.#peerContext ??= createSecureContext();
    return this.#peerContext;
  }

  /** Reads the folder anew; resolves to true when something changed. What was in force stays so until all is read. */
  async reload(): Promise<boolean> {
    const state = await readFolder(this.#folder, this.#passphrase);
    if (state.digest === this.#state.digest) return false;
    this.#state = state;
    this.#picker.take(state.loaded);
    this.#anchors = undefined;
    for (const listener of [...this.#listeners]) listener();
    return true;
  }

  /** Reloads by itself when another process changes the folder. `onError` hears of a reload that failed. */
  watch(onError: (error: unknown) => void): void {
    this.#watcher ??= watch(this.#folder, { persistent: false }, () => {
      // Several events come for one change; a moment later the file is in its place.
      this.#pending ??= this.#clock.after(100, () => {
        this.#pending = undefined;
        this.reload().catch(onError);
      });
    });
  }

  /** Called after each change. The returned value ends it. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher?.close();
    this.#pending?.cancel();
    this.#listeners.clear();
  }

  async #keep(material: KeyMaterial): Promise<CertificateEntry> {
    const { entry } = load(material);
    await replaceFile(this.#pathOf(entry.thumbprint), printFile(material, this.#passphrase));
    await this.reload();
    return this.#find(entry.thumbprint).entry;
  }

  #find(thumbprint: string): Loaded {
    const found = this.#state.loaded.get(plain(thumbprint));
    if (found === undefined) throw new CertificateError(`there is no certificate with thumbprint ${thumbprint}`);
    return found;
  }

  #pathOf(thumbprint: string, kind: keyof typeof endings = 'certificate'): string {
    return `${this.#folder}/${thumbprint}${endings[kind]}`;
  }
}

/** As it is copied from anywhere. */
function plain(thumbprint: string): string {
  return thumbprint.replace(/[^0-9A-Fa-f]/g, '').toUpperCase();
}
