/** What a run would do, and whether an edge holds what it is to: on a copy of the mirror, and nothing is written. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RecipientChange } from '../recipient-plan.ts';
import type { ConfigurationChange, ConfigurationObject } from './configuration.ts';
import type { ConfiguredSource } from './configured-source.ts';
import type { EdgeAccess } from './edge-access.ts';
import type { EdgeDifferences } from './edge-differences.ts';
import { EdgeWriter, type PlanReport } from './edge-writer.ts';
import type { InsideState, Subscription } from './inside-state.ts';
import { Mirror } from './mirror.ts';
import { hasherOf } from './recipient-key.ts';
import type { Progress, ReadingReport } from './source-reader.ts';

export interface DryRunParts {
  readonly state: InsideState;
  readonly source: ConfiguredSource;
  readonly edges: EdgeAccess;
  readonly differences: EdgeDifferences;
  readonly progress: Progress;
}

/** What is to be done on one edge. */
export interface EdgePlan {
  readonly edge: string;
  readonly recipients: PlanReport;
  /** The first changes, for people. */
  readonly shown: readonly RecipientChange[];
  readonly configuration: readonly ConfigurationChange[];
}

/** How an edge is compared. */
export interface TestOptions {
  /** Everything that stands there, not only whether the last run is still the last. */
  readonly full: boolean;
  /** Recipients too, not the configuration alone. */
  readonly recipients: boolean;
  /** Recipients named at most. */
  readonly most: number;
  readonly signal: AbortSignal;
}

export interface EdgeComparison {
  /** Recipients that stand on the edge; undefined when they were not read. */
  readonly scanned: number | undefined;
  /** Recipients that differ; undefined when they were not looked at. */
  readonly differing: number | undefined;
  readonly ids: readonly string[];
  /** DNs of the objects of the configuration that differ. */
  readonly configuration: readonly string[];
  /** Last successful run by the edge's clock. */
  readonly at: number | undefined;
}

const shownChanges = 200;

export class DryRun {
  readonly #parts: DryRunParts;

  constructor(parts: DryRunParts) {
    this.#parts = parts;
  }

  /** What would change on the edges, or on the one of this name. */
  async plan(
    only: string | undefined,
    signal: AbortSignal,
    full = false,
  ): Promise<{ reading: ReadingReport; edges: EdgePlan[] }> {
    const { state, source } = this.#parts;
    return await this.#onCopy('plan', async (mirror) => {
      const { reading, configuration } = await source.read(mirror, { full, signal });
      const edges: EdgePlan[] = [];
      for (const subscription of state.chosen(only)) {
        edges.push(await this.#planFor(mirror, subscription, { objects: configuration, full }));
      }
      return { reading, edges };
    });
  }

  async #planFor(
    mirror: Mirror,
    subscription: Subscription,
    { objects, full }: { readonly objects: readonly ConfigurationObject[] | undefined; readonly full: boolean },
  ): Promise<EdgePlan> {
    const { edges, differences, progress } = this.#parts;
    const writer = new EdgeWriter(mirror, await mirror.addEdge(subscription.name), progress);
    const configuration = await edges.withEdge(subscription, async (edge) => {
      await differences.compareRecipients(writer, { mirror, subscription, edge, full });
      return differences.configuration(subscription, edge, objects);
    });
    const shown: RecipientChange[] = [];
    const plan = writer.plan();
    let step = plan.next();
    while (step.done !== true) {
      if (shown.length < shownChanges) shown.push(step.value);
      step = plan.next();
    }
    return { edge: subscription.name, recipients: step.value, shown, configuration };
  }

  /** Compares an edge with what it is to have. */
  async test(name: string, { full, recipients, most, signal }: TestOptions): Promise<EdgeComparison> {
    const { state, source, edges, differences } = this.#parts;
    const subscription = state.subscription(name);
    return await this.#onCopy('test', async (mirror) => {
      const { configuration } = await source.read(mirror, { signal });
      return await edges.withEdge(subscription, async (edge) => {
        const writer = new EdgeWriter(mirror, await mirror.addEdge(subscription.name));
        const { run, at } = await edge.heartbeat();
        const scanned = full && recipients ? (await writer.compare(edge, hasherOf(subscription))).scanned : undefined;
        const { added, updated, deleted } = writer.counts;
        // Without a full comparison: whether the edge is where the last run left it, and nothing waits.
        const moved = run === Number(mirror.meta(`beat ${subscription.name}`) ?? 0) ? 0 : 1;
        const changes = await differences.configuration(subscription, edge, configuration);
        return {
          scanned,
          differing: recipients ? Math.max(added + updated + deleted, full ? 0 : moved) : undefined,
          ids: recipients ? [...writer.first(most)] : [],
          configuration: changes.map(({ dn }) => dn),
          at,
        };
      });
    });
  }

  /** Resolves with what `work` does on a copy of the mirror, which is thrown away. `prefix`: of the name of its folder. */
  async #onCopy<T>(prefix: string, work: (mirror: Mirror) => Promise<T>): Promise<T> {
    const { state } = this.#parts;
    const folder = join(state.folder, `${prefix}.${process.pid}`);
    try {
      await using live = Mirror.open(state.mirrorFolder);
      await live.copyTo(folder);
      await using mirror = Mirror.open(folder);
      return await work(mirror);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
