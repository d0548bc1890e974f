/** Checks names and passwords of SMTP clients by a bind to the organization's directory. */
import type { ConnectionOptions } from 'node:tls';
import type { Clock, FaultReport } from '../../base/index.ts';
import type { Snapshot } from '../../config/index.ts';
import {
  DirectoryClient,
  defaultLockout,
  FailedBinds,
  type LockoutPolicy,
  networkOf,
  PrincipalSearch,
  sourceOf,
} from '../../directory/index.ts';
import { escapeDnValue, LdapError, type ResultCodeName } from '../../ldap/index.ts';
import type { LogonOutcome } from '../../processes/index.ts';

/** Set-TransportService: which directory, and the name to bind by, in which `{user}` stands for the client's. */
export interface DirectoryLogonSettings {
  readonly url: string;
  readonly bindName: string;
}

/** Undefined: only accounts of the own directory log on. */
export function logonSettings({
  authenticationDirectory: url,
  authenticationBindName: bindName,
}: Pick<Snapshot['server'], 'authenticationDirectory' | 'authenticationBindName'>): DirectoryLogonSettings | undefined {
  return url === null ? undefined : { url, bindName };
}

const fault = 'directory of SMTP clients';

export interface DirectoryLogonParts {
  readonly clock: Clock;
  /** Whom the directory's certificate may come from. */
  readonly tls: () => ConnectionOptions;
  /** Hears that the directory does not answer. */
  readonly faults: FaultReport;
  readonly lockout?: LockoutPolicy;
}

/** One client's name and password. */
interface Given {
  readonly name: string;
  readonly password: string;
  readonly address: string;
}

/** Binds that may be under way; beyond, the client is asked to come again. */
const mostBinds = 32;
const connectMs = 5_000;
const answerMs = 8_000;
/** A refusal is answered at a whole number of these, so that its time tells nothing of how far the directory came. */
const stepMs = 500;
const mostSids = 1_000;

/** What a directory says of a name or password that are wrong. */
const wrong: ReadonlySet<ResultCodeName> = new Set<ResultCodeName>([
  'invalidCredentials',
  'invalidDNSyntax',
  'noSuchObject',
  'inappropriateAuthentication',
]);

const unavailable: LogonOutcome = { kind: 'unavailable', name: '', sids: [] };
const refused: LogonOutcome = { kind: 'refused', name: '', sids: [] };

export class DirectoryLogon {
  readonly #parts: DirectoryLogonParts;
  readonly #failed: FailedBinds;
  #underWay = 0;

  constructor(parts: DirectoryLogonParts) {
    this.#parts = parts;
    // The directory sees one client, this server: by its own count a hundred bad guesses would lock out everybody.
    this.#failed = new FailedBinds(parts.lockout ?? defaultLockout, parts.clock);
  }

  /** Never rejects. */
  async check(settings: DirectoryLogonSettings, given: Given): Promise<LogonOutcome> {
    if (this.#underWay >= mostBinds) return unavailable;
    this.#underWay++;
    const began = this.#parts.clock.monotonic();
    try {
      const outcome = await this.#counted(settings, given);
      if (outcome.kind === 'refused') await this.#wait(stepMs - ((this.#parts.clock.monotonic() - began) % stepMs));
      return outcome;
    } finally {
      this.#underWay--;
    }
  }

  async #counted(settings: DirectoryLogonSettings, given: Given): Promise<LogonOutcome> {
    const source = sourceOf(given.address);
    const account = given.name.toLowerCase();
    const attempt = { account, source, network: networkOf(given.address), known: false };
    try {
      return await this.#failed.inTurn(attempt, async () => {
        const lock = this.#failed.begin(attempt);
        await this.#wait(this.#failed.slowness(attempt));
        const outcome = lock === undefined ? await this.#ask(settings, given) : refused;
        if (outcome.kind === 'refused') await this.#wait(this.#failed.failed(attempt, lock));
        else if (outcome.kind === 'accepted') this.#failed.succeeded(attempt);
        else this.#failed.undecided(attempt);
        return outcome;
      });
    } catch (error) {
      // Too many of this name and source wait for each other.
      if (error instanceof LdapError) return unavailable;
      throw error;
    }
  }

  async #ask({ url, bindName }: DirectoryLogonSettings, { name, password }: Given): Promise<LogonOutcome> {
    // RFC 4513 §5.1.2: without a password the directory binds nobody, and says yes.
    if (password === '' || name === '') return refused;
    const dn = bindName.replace('{user}', () => (bindName.includes('=') ? escapeDnValue(name) : name));
    const { faults, tls } = this.#parts;
    await using client = new DirectoryClient({
      url,
      bind: { dn, password },
      tls: tls(),
      connectTimeoutMs: connectMs,
      timeoutMs: answerMs,
    });
    try {
      await client.connect();
      faults.end(fault);
    } catch (error) {
      if (error instanceof LdapError && wrong.has(error.code)) return refused;
      const reason = error instanceof Error ? error.message : String(error);
      faults.begin(fault, `who logs on by SMTP cannot be checked: ${url}: ${reason}`);
      return unavailable;
    }
    return { kind: 'accepted', name, sids: await sidsOf(client, dn) };
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => void this.#parts.clock.after(ms, resolve));
  }
}

/** Of the account and its groups, as it reads them itself; none where the directory keeps or shows none. */
async function sidsOf(client: DirectoryClient, bound: string): Promise<readonly string[]> {
  const principals = new PrincipalSearch(client);
  try {
    const found = bound.includes('=') ? [{ dn: bound }] : await principals.find(bound);
    const [first] = found;
    return first === undefined || found.length > 1 ? [] : (await principals.sidsOf(first.dn)).slice(0, mostSids);
  } catch (error) {
    // It let the account in, but not look: rights of authenticated users are left.
    if (error instanceof LdapError) return [];
    throw error;
  }
}
