/** The MTA-STS policies of one worker on disk, so that a restart opens no window for who can suppress a record (RFC 8461 §10.2). */
import { readFileSync } from 'node:fs';
import { type Clock, replaceFile } from '../../base/index.ts';
import { maxPolicyAge, type StsPolicy } from '../../tls/index.ts';

export interface StoredPolicy {
  readonly domain: string;
  readonly id: string;
  readonly policy: StsPolicy;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Where policies outlive the process. */
export interface PolicyStore {
  read(): readonly StoredPolicy[];
  /** Some time soon; what comes meanwhile is written with it. */
  write(policies: () => readonly StoredPolicy[]): void;
}

/** Many domains' policies may come at a time: one write for all. */
const betweenWritesMs = 5_000;

export class StsFile implements PolicyStore {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #pending = false;

  /** `failed` hears of a write that did not succeed: the policies stay in memory. */
  constructor(path: string, clock: Clock, failed: (error: unknown) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** None when the file is missing or holds something else; what is over is left out. */
  read(): readonly StoredPolicy[] {
    try {
      const stored: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      const now = this.#clock.now();
      return Array.isArray(stored) ? stored.filter(isStored).filter(({ until }) => isTimely(until, now)) : [];
    } catch {
      return [];
    }
  }

  write(policies: () => readonly StoredPolicy[]): void {
    if (this.#pending) return;
    this.#pending = true;
    this.#clock.after(betweenWritesMs, () => {
      this.#pending = false;
      replaceFile(this.#path, JSON.stringify(policies())).catch(this.#failed);
    });
  }
}

/** A clock that went astray keeps no policy longer than any may last. */
function isTimely(until: number, now: number): boolean {
  return until > now && until <= now + maxPolicyAge * 1_000;
}

function isStored(value: unknown): value is StoredPolicy {
  if (typeof value !== 'object' || value === null) return false;
  const { domain, id, policy, until } = value as Record<string, unknown>;
  if (typeof domain !== 'string' || typeof id !== 'string' || typeof until !== 'number') return false;
  if (typeof policy !== 'object' || policy === null) return false;
  const { mode, mx, maxAge } = policy as Record<string, unknown>;
  const names = Array.isArray(mx) && mx.every((name) => typeof name === 'string');
  return names && typeof maxAge === 'number' && ['enforce', 'testing', 'none'].includes(String(mode));
}
