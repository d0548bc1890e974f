/** EdgeSync as a service: each site in its own rhythm, and at once where the source tells of changes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { OpenedSource } from '../source/open-source.ts';
import { watchSource } from '../source/source-watch.ts';
import type { EdgeSync } from './edge-sync.ts';
import { serviceConfigOf } from './service-config.ts';
import type { ApplyOptions, EdgeResult } from './synchronization.ts';

export interface SyncServiceParts {
  readonly edgeSync: Pick<EdgeSync, 'state' | 'apply' | 'openSource'>;
  /** Seconds between two looks at anything, instead of what is configured. */
  readonly interval?: number | undefined;
  /** Held while a run works on the state. Default: the caller holds it all the time. */
  readonly exclusive?: () => Promise<Disposable>;
  /** Hears how each run ended. */
  readonly ran: (edges: readonly EdgeResult[]) => void;
  /** Hears why a run could not be, or why the source is not heard; the next one tries again. */
  readonly failed: (reason: string) => void;
}

/** When the edges of one site are looked at again, on the clock of `performance.now`. */
interface Due {
  configuration: number;
  recipients: number;
}

/** Without a subscription: how often one is looked for, in milliseconds. */
const idleMs = 5000;
/** Wait where nothing could be planned, as with a state that cannot be read, in milliseconds. */
const unplannedMs = 60_000;
/** Changes that come within this time are one run; it grows while runs find nothing, for most changes of a source are no mail's. */
const [firstCalmMs, longestCalmMs] = [1000, 60_000];

export class SyncService {
  readonly #parts: SyncServiceParts;
  readonly #due = new Map<string, Due>();
  #watch: { readonly of: string; readonly stop: AbortController } | undefined;
  /** The source told of a change since the last run began. */
  #sign = Promise.withResolvers<void>();
  #hasSign = false;
  #calmMs = firstCalmMs;
  /** The next times are those of this turn. */
  #isPlanned = false;

  constructor(parts: SyncServiceParts) {
    this.#parts = parts;
  }

  /** Runs until the signal aborts. Rejects for faults of the program alone. */
  async run(signal: AbortSignal): Promise<void> {
    const { state } = this.#parts.edgeSync;
    try {
      while (!signal.aborted) await this.#turn(signal);
    } finally {
      this.#watch?.stop.abort();
      await state.noteNextRun(undefined);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { state } = this.#parts.edgeSync;
    let failed = false;
    this.#isPlanned = false;
    try {
      if (state.subscriptions.some(({ established }) => established)) {
        this.#listen(signal);
        await this.#runDue(signal);
      } else this.#forget();
    } catch (error) {
      // The source is gone or the state is not ready: the next turn tries again.
      if (!signal.aborted) this.#parts.failed(textOf(error));
      failed = true;
    }
    const next = this.#due.size === 0 ? idleMs : this.#next - performance.now();
    // What could not even be planned is no better a second later.
    const wait = !failed ? Math.max(0, next) : this.#isPlanned ? Math.max(next, firstCalmMs) : unplannedMs;
    // For people alone: a full disk stops nothing here.
    if (this.#due.size > 0) await state.noteNextRun(Date.now() + wait).catch(() => undefined);
    await this.#rest(wait, signal);
  }

  /** Runs what is due: one run for all sites that are to have the same looked at. */
  async #runDue(signal: AbortSignal): Promise<void> {
    const { edgeSync, exclusive, ran } = this.#parts;
    const runs = new Map<NonNullable<ApplyOptions['what']>, string[]>();
    const now = performance.now();
    for (const { name, site, established } of edgeSync.state.subscriptions) {
      const what = established ? dueNow(this.#dueOf(site), now) : undefined;
      if (what !== undefined) runs.set(what, [...(runs.get(what) ?? []), name]);
    }
    // Before the runs: when one fails, it is tried in the next interval.
    this.#plan(now);
    for (const [what, only] of runs) {
      using _lock = await exclusive?.();
      // A look at the configuration alone leaves the sign for one at the recipients.
      const told = what !== 'configuration' && this.#takeSign();
      const { edges, reading } = await edgeSync.apply({ only, additions: true, what, signal });
      if (told) this.#calmMs = reading.changed > 0 ? firstCalmMs : Math.min(this.#calmMs * 2, longestCalmMs);
      ran(edges);
    }
  }

  #dueOf(site: string): Due {
    const key = site.toLowerCase();
    const due = this.#due.get(key) ?? { configuration: 0, recipients: 0 };
    this.#due.set(key, due);
    return due;
  }

  /** Sets the next time of all that is due; intervals are read anew each time, so that a change needs no restart. */
  #plan(now: number): void {
    const { edgeSync, interval } = this.#parts;
    const { settings, subscriptions } = edgeSync.state;
    const sites = new Set(subscriptions.map(({ site }) => site.toLowerCase()));
    for (const site of this.#due.keys()) if (!sites.has(site)) this.#due.delete(site);
    for (const [site, due] of this.#due) {
      const { configurationSyncInterval, recipientSyncInterval } = serviceConfigOf(settings, site);
      if (due.configuration <= now) due.configuration = now + (interval ?? configurationSyncInterval) * 1000;
      if (due.recipients <= now) due.recipients = now + (interval ?? recipientSyncInterval) * 1000;
    }
    this.#isPlanned = true;
  }

  get #next(): number {
    return Math.min(
      ...[...this.#due.values()].map(({ configuration, recipients }) => Math.min(configuration, recipients)),
    );
  }

  /** Waits so long, or for a sign of the source and until the changes around it are over. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const end = performance.now() + ms;
    const timer = new AbortController();
    const stopped = AbortSignal.any([signal, timer.signal]);
    await Promise.race([sleep(ms, stopped), this.#sign.promise]);
    timer.abort();
    if (signal.aborted || !this.#hasSign) return;
    await sleep(Math.min(this.#calmMs, Math.max(0, end - performance.now())), signal);
    for (const due of this.#due.values()) due.recipients = 0;
  }

  #takeSign(): boolean {
    const had = this.#hasSign;
    this.#hasSign = false;
    this.#sign = Promise.withResolvers<void>();
    return had;
  }

  /** Listens to the source that the settings name now. */
  #listen(signal: AbortSignal): void {
    const { edgeSync, failed } = this.#parts;
    const { settings, mappings } = edgeSync.state;
    const of = JSON.stringify([settings.source, mappings.map(({ addressAttributes }) => addressAttributes)]);
    if (this.#watch?.of === of) return;
    this.#watch?.stop.abort();
    const stop = new AbortController();
    this.#watch = { of, stop };
    let last: string | undefined;
    const watched = {
      changed: () => {
        this.#hasSign = true;
        this.#sign.resolve();
      },
      silent: (reason: string) => {
        // Said once: it is tried again and again.
        if (reason !== last) failed(`changes are looked for at the intervals alone: ${reason}`);
        last = reason;
      },
    };
    // Each domain of a forest tells of its own changes.
    for (const i of [settings.source.url, ...(settings.source.also ?? [])].keys()) {
      const open = async (): Promise<OpenedSource> => {
        const opened = await edgeSync.openSource();
        return opened.parts?.[i] ?? opened;
      };
      void watchSource({ ...watched, open }, AbortSignal.any([signal, stop.signal]));
    }
  }

  #forget(): void {
    this.#watch?.stop.abort();
    this.#watch = undefined;
    this.#due.clear();
  }
}

function dueNow({ configuration, recipients }: Due, now: number): ApplyOptions['what'] {
  if (now >= configuration && now >= recipients) return 'all';
  if (now >= configuration) return 'configuration';
  return now >= recipients ? 'recipients' : undefined;
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  pause(ms, undefined, { signal }).catch(() => undefined);

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
