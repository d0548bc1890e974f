import type { Clock } from '../../base/index.ts';

/** Entries kept at most; beyond it the oldest go: a memory of hosts must not be a way to fill ours. */
const mostHosts = 10_000;

/** Remembers something about a host ('ip:port') for a while. */
export class HostMemory {
  readonly #until = new Map<string, number>();
  readonly #clock: Clock;
  readonly #spanMs: number;

  constructor(clock: Clock, spanMs: number) {
    this.#clock = clock;
    this.#spanMs = spanMs;
  }

  remember(host: string): void {
    this.#until.delete(host);
    this.#until.set(host, this.#clock.monotonic() + this.#spanMs);
    if (this.#until.size <= mostHosts) return;
    const oldest = this.#until.keys().next();
    if (oldest.done !== true) this.#until.delete(oldest.value);
  }

  forget(host: string): void {
    if (this.#until.size > 0) this.#until.delete(host);
  }

  has(host: string): boolean {
    if (this.#until.size === 0) return false;
    const until = this.#until.get(host);
    if (until === undefined) return false;
    if (until > this.#clock.monotonic()) return true;
    this.#until.delete(host);
    return false;
  }
}
