/** The store of certificates: files in one folder, prepared in memory for the mail path. */
import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Clock, replaceFile, syncFolder } from '../base/index.ts';
import {
  type CertificateCandidate,
  type CertificateChoice,
  chooseReceiveCertificate,
  matchesHost,
  readCertificate,
} from '../tls/index.ts';
import { CertificateError } from './certificate-error.ts';
import { attempt, type KeyMaterial, printChain, printFile, readFileText, readPem } from './key-material.ts';
import { makeSelfSigned } from './self-signed.ts';

/** A certificate of the store. It never holds the key. */
export interface CertificateEntry extends CertificateCandidate {
  readonly thumbprint: string;
  /** 'SMTP' and whatever else the administrator enabled it for. */
  readonly services: readonly string[];
  readonly friendlyName: string;
  /** The chain that goes out with it, leaf first, PEM. */
  readonly chainPem: string;
}

export interface CertificateStoreOptions {
  /** `<state>/certificates`; made with mode 0700. */
  readonly folder: string;
  readonly clock: Clock;
}

export interface PickRequest {
  /** 'STARTTLS', 'implicit TLS', 'client certificate' …: for the event. */
  readonly purpose: string;
  readonly tlsCertificateName?: string;
  readonly fqdn?: string;
  readonly serverFqdn: string;
}

export interface PickedCertificate {
  /** Absent: no certificate fits, do not offer STARTTLS. */
  readonly context?: SecureContext;
  readonly choice: CertificateChoice<CertificateEntry>;
  /** The fields of the event 'certificate-chosen'. */
  readonly event: {
    readonly purpose: string;
    readonly wanted: string;
    readonly thumbprint: string;
    readonly subject: string;
    readonly reason: string;
    readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
  };
}

/** What was read from one file. The context holds the key where no script can reach it. */
interface Loaded {
  readonly entry: CertificateEntry;
  readonly context: SecureContext;
}

interface State {
  readonly loaded: ReadonlyMap<string, Loaded>;
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
  /** Changes when any file does. */
  readonly digest: string;
}

const empty: State = { loaded: new Map(), problems: [], digest: '' };
const dayMs = 86_400_000;
/** How long a choice is kept: certificates expire while we run. */
const choiceMs = 60_000;
/** Connectors times purposes; more means that somebody makes them up. */
const mostChoices = 1000;

export class CertificateStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  readonly #choices = new Map<string, { readonly picked: PickedCertificate; readonly until: number }>();
  #state = empty;
  #watcher: FSWatcher | undefined;
  #pending: { cancel(): void } | undefined;

  private constructor({ folder, clock }: CertificateStoreOptions) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Makes the folder if need be, reads it and prepares the contexts. Files that do not read are told in `problems`. */
  static async open(options: CertificateStoreOptions): Promise<CertificateStore> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const store = new CertificateStore(options);
    await store.reload();
    return store;
  }

  /** Files passed over, with the reason. */
  get problems(): State['problems'] {
    return this.#state.problems;
  }

  /**
   * Makes the self-signed server certificate (RSA 2048, 5 years, SAN: short host and `fqdn`) unless one for that name is
   * there, enabled for SMTP and good for 30 more days. To be called by one process. Resolves to the entry.
   */
  async ensureServerCertificate(fqdn: string): Promise<CertificateEntry> {
    const now = this.#clock.now();
    const good = this.list().find(({ certificate, enabledForSmtp }) => {
      return (
        enabledForSmtp &&
        matchesHost(certificate, fqdn) &&
        certificate.notBefore <= now &&
        certificate.notAfter > now + 30 * dayMs
      );
    });
    return good ?? (await this.#keep(await makeSelfSigned(fqdn, now)));
  }

  /** Takes key, certificate and chain from PEM. Throws CertificateError. */
  async importPem(
    pem: string,
    options: { readonly passphrase?: string; readonly services?: readonly string[] } = {},
  ): Promise<CertificateEntry> {
    return this.#keep({ ...readPem(pem, options.passphrase), services: options.services ?? [], friendlyName: '' });
  }

  /** Takes PKCS#12. Throws CertificateError. */
  async importPfx(
    pfx: Buffer,
    password: string,
    options: { readonly services?: readonly string[] } = {},
  ): Promise<CertificateEntry> {
    // Loaded when it is asked for: it needs the whole of node-forge.
    const { readPfx } = await import('./pfx.ts');
    return this.#keep({ ...readPfx(pfx, password), services: options.services ?? [] });
  }

  /** Sets what a certificate is enabled for: 'SMTP' makes it a candidate for STARTTLS. */
  async enable(thumbprint: string, services: readonly string[]): Promise<CertificateEntry> {
    const { entry } = this.#find(thumbprint);
    const material = readFileText(await readFile(this.#pathOf(entry.thumbprint), 'utf8'));
    return this.#keep({ ...material, services });
  }

  /** Removes certificate and key. Throws CertificateError when there is no such one. */
  async remove(thumbprint: string): Promise<void> {
    const { entry } = this.#find(thumbprint);
    await rm(this.#pathOf(entry.thumbprint));
    await syncFolder(this.#folder);
    await this.reload();
  }

  /** Newest first. */
  list(): readonly CertificateEntry[] {
    const entries = Array.from(this.#state.loaded.values(), ({ entry }) => entry);
    return entries.sort((a, b) => b.certificate.notBefore - a.certificate.notBefore);
  }

  /** The prepared TLS context (TLS 1.2 and above). Throws CertificateError for an unknown thumbprint. */
  secureContextFor(thumbprint: string): SecureContext {
    return this.#find(thumbprint).context;
  }

  /** Chooses by the rules of tls/, synchronously and from memory. */
  pick(request: PickRequest): PickedCertificate {
    const { purpose, tlsCertificateName = '', fqdn = '', serverFqdn } = request;
    const key = [purpose, tlsCertificateName, fqdn, serverFqdn].join('\0');
    const known = this.#choices.get(key);
    const now = this.#clock.now();
    if (known !== undefined && now < known.until) return known.picked;
    const picked = this.#choose(request, now);
    if (this.#choices.size >= mostChoices) this.#choices.clear();
    this.#choices.set(key, { picked, until: now + choiceMs });
    return picked;
  }

  #choose(request: PickRequest, now: number): PickedCertificate {
    const choice = chooseReceiveCertificate(this.list(), { ...request, now });
    const { chosen, wanted, reason, passedOver } = choice;
    const event = {
      purpose: request.purpose,
      wanted,
      thumbprint: chosen?.thumbprint ?? '',
      subject: chosen?.certificate.subjectText ?? '',
      reason,
      passedOver,
    };
    return chosen === undefined
      ? { choice, event }
      : { choice, event, context: this.secureContextFor(chosen.thumbprint) };
  }

  /** Reads the folder anew; resolves to true when something changed. What was in force stays so until all is read. */
  async reload(): Promise<boolean> {
    const state = await readFolder(this.#folder);
    if (state.digest === this.#state.digest) return false;
    this.#state = state;
    this.#choices.clear();
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
    await replaceFile(this.#pathOf(entry.thumbprint), printFile(material));
    await this.reload();
    return this.#find(entry.thumbprint).entry;
  }

  #find(thumbprint: string): Loaded {
    const found = this.#state.loaded.get(thumbprint.replaceAll(/[\s:]/g, '').toUpperCase());
    if (found === undefined) throw new CertificateError(`there is no certificate with thumbprint ${thumbprint}`);
    return found;
  }

  #pathOf(thumbprint: string): string {
    return `${this.#folder}/${thumbprint}.pem`;
  }
}

async function readFolder(folder: string): Promise<State> {
  const loaded = new Map<string, Loaded>();
  const problems: { file: string; reason: string }[] = [];
  const digest = createHash('sha256');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.pem')).sort()) {
    try {
      const text = await readPrivate(`${folder}/${file}`);
      digest.update(`${file}\0${text}\0`);
      const one = load(readFileText(text));
      loaded.set(one.entry.thumbprint, one);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      digest.update(`${file}\0${reason}\0`);
      problems.push({ file, reason });
    }
  }
  return { loaded, problems, digest: digest.digest('hex') };
}

/** A file put there by hand may be open to others: closed before anything else. */
async function readPrivate(path: string): Promise<string> {
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  return readFile(path, 'utf8');
}

/** Throws CertificateError for a key that TLS does not take. */
function load({ key, chain, services, friendlyName }: KeyMaterial): Loaded {
  const [leaf] = chain;
  if (leaf === undefined) throw new CertificateError('there is no certificate');
  const certificate = readCertificate(leaf.raw);
  const chainPem = printChain(chain);
  const context = attempt('TLS does not take this key or certificate', () =>
    createSecureContext({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: chainPem, minVersion: 'TLSv1.2' }),
  );
  const enabledForSmtp = services.some((service) => service.toUpperCase() === 'SMTP');
  const entry = {
    thumbprint: certificate.thumbprint,
    certificate,
    hasPrivateKey: true,
    enabledForSmtp,
    services,
    friendlyName,
    chainPem,
  };
  return { entry, context };
}
