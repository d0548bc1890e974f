/** Runs of EdgeSync: the source is read, each edge is brought up to date; and runs are undone. */
import type { Clock } from '../../base/index.ts';
import type { EdgeSyncLevel } from '../../logs/index.ts';
import type { ConfigurationObject } from './configuration.ts';
import type { ConfiguredSource } from './configured-source.ts';
import type { CredentialKeeper } from './credential-keeper.ts';
import type { EdgeAccess } from './edge-access.ts';
import type { EdgeDifferences } from './edge-differences.ts';
import { EdgeWriter, type WriteReport } from './edge-writer.ts';
import type { InsideState, Subscription } from './inside-state.ts';
import type { LdapEdge } from './ldap-edge.ts';
import { Mirror } from './mirror.ts';
import { expectOwnKey } from './recipient-key.ts';
import { type EdgeRunLog, noteConfiguration, RunLog } from './run-log.ts';
import type { Progress, ReadingReport } from './source-reader.ts';

export interface SynchronizationParts {
  readonly state: InsideState;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly source: ConfiguredSource;
  readonly edges: EdgeAccess;
  readonly credentials: CredentialKeeper;
  readonly differences: EdgeDifferences;
}

export interface EdgeResult {
  readonly edge: string;
  readonly configuration: number;
  readonly recipients: WriteReport | undefined;
  readonly scanned: number;
  /** Why it was not done, or not all of it. */
  readonly stopped: string | undefined;
  /** Number of Exchange's event for that reason, where it has a published one. */
  readonly eventId?: number;
}

export interface ApplyOptions {
  readonly only?: string | readonly string[];
  readonly force?: boolean;
  /** Read and compare everything. */
  readonly full?: boolean;
  /** Additions are written while the brake holds: the service does so. */
  readonly additions?: boolean;
  readonly what?: 'all' | 'configuration' | 'recipients';
  readonly signal: AbortSignal;
}

/** What one run does to one edge. */
interface ApplyRun {
  readonly mirror: Mirror;
  readonly objects: readonly ConfigurationObject[] | undefined;
  readonly options: ApplyOptions;
  readonly scanned: number;
  readonly log: EdgeRunLog;
}

export class Synchronization {
  readonly #parts: SynchronizationParts;

  constructor(parts: SynchronizationParts) {
    this.#parts = parts;
  }

  /** Brings the edges up to date. */
  async apply(options: ApplyOptions): Promise<{ reading: ReadingReport; edges: EdgeResult[] }> {
    const { signal, only, force = false, full = false } = options;
    const { state, source } = this.#parts;
    await using mirror = Mirror.open(state.mirrorFolder);
    await using logs = new RunLog(this.#parts);
    const chosen = state.chosen(only);
    const noteForAll = (level: EdgeSyncLevel, event: string, information: string): void => {
      for (const subscription of chosen) logs.of(subscription).write(level, event, information);
    };
    const { reading, configuration } = await source.read(mirror, { full, force, signal }).catch((error: unknown) => {
      noteForAll('None', 'SourceFailed', error instanceof Error ? error.message : String(error));
      throw error;
    });
    const { complete, scanned, changed, reasons } = reading;
    noteForAll('Low', 'SourceRead', `${scanned} objects, ${changed} changed recipients`);
    if (!complete) noteForAll('None', 'SourceIncomplete', reasons.join('; '));
    const edges: EdgeResult[] = [];
    for (const subscription of chosen) {
      const log = logs.of(subscription);
      const result = await this.#applyTo(subscription, { mirror, objects: configuration, options, scanned, log });
      log.write('None', result.stopped === undefined ? 'Synchronized' : 'Stopped', outcomeOf(result));
      edges.push(result);
    }
    return { reading, edges };
  }

  async #applyTo(subscription: Subscription, run: ApplyRun): Promise<EdgeResult> {
    const { name } = subscription;
    const none = { edge: name, configuration: 0, recipients: undefined, scanned: run.scanned };
    if (subscription.paused !== undefined) {
      return { ...none, stopped: `${name} is paused (${subscription.paused}): edge sync resume ${name}` };
    }
    try {
      const result = await this.#parts.edges.withEdge(subscription, (edge) => this.#write(subscription, edge, run));
      const stopped = stoppedBy(result.recipients);
      await this.#note(name, stopped);
      return { ...none, ...result, stopped };
    } catch (error) {
      if (run.options.signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      await this.#note(name, reason);
      const eventId = error instanceof Error && 'eventId' in error ? Number(error.eventId) : undefined;
      return { ...none, stopped: reason, ...(eventId !== undefined && { eventId }) };
    }
  }

  /** All that a run does on a connected edge, under its lease. */
  async #write(
    subscription: Subscription,
    edge: LdapEdge,
    run: ApplyRun,
  ): Promise<Pick<EdgeResult, 'configuration' | 'recipients'>> {
    const { options, log } = run;
    log.write('Low', 'Connected', `${subscription.address}:${subscription.port}`);
    await edge.lease();
    await expectOwnKey(subscription, edge);
    await this.#parts.credentials.keep(subscription, edge, log);
    const { what = 'all' } = options;
    const configuration = what === 'recipients' ? 0 : await this.#writeConfiguration(subscription, edge, run);
    const recipients = what === 'configuration' ? undefined : await this.#writeRecipients(subscription, edge, run);
    await edge.release();
    return { configuration, recipients };
  }

  async #writeConfiguration(
    subscription: Subscription,
    edge: LdapEdge,
    { objects, log }: Pick<ApplyRun, 'objects' | 'log'>,
  ): Promise<number> {
    const changes = await this.#parts.differences.configuration(subscription, edge, objects);
    for (const change of changes) {
      await edge.configure(change);
      noteConfiguration(log, change);
    }
    return changes.length;
  }

  async #writeRecipients(
    subscription: Subscription,
    edge: LdapEdge,
    { mirror, options, log }: Pick<ApplyRun, 'mirror' | 'options' | 'log'>,
  ): Promise<WriteReport> {
    const { differences, progress } = this.#parts;
    const { name } = subscription;
    const mirrored = await mirror.addEdge(name);
    const writer = new EdgeWriter(mirror, mirrored, progress);
    const full = options.full === true;
    const run = await differences.compareRecipients(writer, { mirror, subscription, edge, full, log });
    const { force = false, additions = false, signal } = options;
    const report = await writer.write(log.watched(edge), { force, additions, signal });
    for (const { id, reason } of report.refused) log.write('Low', 'RecipientRefused', `${id}: ${reason}`);
    if (report.held !== undefined || report.refused.length > 0) return report;
    const next = Math.max(Number(mirror.meta(`run ${name}`) ?? 0), run, 1);
    await mirror.setMeta({ [`beating ${name}`]: next });
    await edge.beat(next, `${mirrored.recipientCount} recipients, ${mirrored.addressCount} addresses`);
    await mirror.setMeta({ [`beat ${name}`]: next, [`fresh ${name}`]: undefined });
    return report;
  }

  async #note(name: string, reason: string | undefined): Promise<void> {
    const { state, clock } = this.#parts;
    const now = clock.now();
    const { lastFailure: _, ...subscription } = state.subscription(name);
    await state.save(
      reason === undefined
        ? { ...subscription, lastSuccess: now }
        : { ...subscription, lastFailure: { at: now, reason } },
    );
  }

  /** Brings an edge back to its state before the last `count` runs, and leaves it so until `resume`. */
  async undo(name: string, count: number, signal: AbortSignal): Promise<WriteReport> {
    const { state, edges } = this.#parts;
    const subscription = state.subscription(name);
    await state.save({ ...subscription, paused: `the last ${count} runs were undone` });
    await using mirror = Mirror.open(state.mirrorFolder);
    // Awaited here: the mirror stays open as long.
    return await edges.withEdge(subscription, async (edge) => {
      await edge.lease();
      const report = await new EdgeWriter(mirror, await mirror.addEdge(subscription.name)).undo(edge, count, signal);
      await edge.release();
      return report;
    });
  }

  /** Synchronises an edge again after `undo`. */
  async resume(name: string): Promise<void> {
    const { state } = this.#parts;
    const { paused: _, ...subscription } = state.subscription(name);
    await state.save(subscription);
  }
}

/** Why not all recipients were written; undefined: all were. */
function stoppedBy(recipients: WriteReport | undefined): string | undefined {
  const refused = recipients?.refused[0];
  return (
    recipients?.held ??
    (refused === undefined ? undefined : `the edge refused ${recipients?.refused.length} objects: ${refused.reason}`)
  );
}

/** Whether a run did or left anything that is worth a line. */
export const isNews = ({ stopped, recipients, configuration }: EdgeResult): boolean =>
  stopped !== undefined || (recipients?.written ?? 0) + configuration > 0;

/** How a run ended, for the log. */
export function outcomeOf({ recipients, configuration, stopped, eventId }: EdgeResult): string {
  const { added = 0, updated = 0, deleted = 0, written = 0 } = recipients ?? {};
  const done = `${written} recipients written (${added} added, ${updated} updated, ${deleted} deleted), ${configuration} changes of the configuration`;
  if (stopped === undefined) return done;
  return `${eventId === undefined ? '' : `event ${eventId}: `}${stopped}; ${done}`;
}
