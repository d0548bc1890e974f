import type { Clock } from '../base/index.ts';
import type { Snapshot, SnapshotSource } from '../config/index.ts';
import type { Journal } from '../logs/index.ts';
import type { RoutePlan, Router, StoredMessage } from '../queue/index.ts';
import { type Choice, RoutingTable, type ServerRole } from './routing-table.ts';

export interface CategorizerParts {
  readonly snapshots: SnapshotSource;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** Chooses the next hop of each recipient. */
export class Categorizer implements Router {
  readonly #parts: CategorizerParts;
  readonly #role: ServerRole;
  #snapshot: Snapshot;
  #table: RoutingTable;

  constructor(parts: CategorizerParts, role: ServerRole) {
    this.#parts = parts;
    this.#role = role;
    this.#snapshot = parts.snapshots.current;
    this.#table = new RoutingTable(this.#snapshot, role);
  }

  route(message: StoredMessage, pending: readonly number[]): RoutePlan {
    const table = this.#tableInForce();
    const { recipients } = message.envelope;
    const { size } = message.facts;
    const [first] = pending;
    // Most messages have one recipient: nothing to group.
    if (first !== undefined && pending.length === 1) {
      return this.#plan(message, [
        { choice: table.choose(recipients[first]?.domain ?? '', size), recipients: pending },
      ]);
    }
    const groups = new Map<string, { choice: Choice; recipients: number[] }>();
    for (const index of pending) {
      const choice = table.choose(recipients[index]?.domain ?? '', size);
      const key = choice.reply === undefined ? choice.hop.key : 'failed';
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { choice, recipients: [index] });
      else group.recipients.push(index);
    }
    return this.#plan(message, [...groups.values()]);
  }

  /** Octets of the largest message that some way to the domain takes: what a report may have. */
  largest(domain: string): number {
    return this.#tableInForce().largest(domain);
  }

  #plan(
    message: StoredMessage,
    groups: readonly { readonly choice: Choice; readonly recipients: readonly number[] }[],
  ): RoutePlan {
    const hops: { hop: Choice['hop']; recipients: readonly number[]; reason?: string }[] = [];
    const failed: { recipient: number; reply: string }[] = [];
    for (const { choice, recipients } of groups) {
      const { hop, reply } = choice;
      this.#tell(message, choice, recipients);
      if (reply === undefined)
        hops.push({ hop, recipients, ...(hop.type === 'Unreachable' && { reason: unreachable(choice) }) });
      else for (const recipient of recipients) failed.push({ recipient, reply });
    }
    return { hops, failed };
  }

  #tell(message: StoredMessage, { hop, because, passedOver }: Choice, recipients: readonly number[]): void {
    this.#parts.journal.emit({
      kind: 'route-chosen',
      at: this.#parts.clock.now(),
      session: message.origin.session,
      message: message.id,
      recipients: recipients.map((index) => message.envelope.recipients[index]?.address ?? ''),
      hop: hop.key,
      connector: hop.connector,
      because,
      passedOver,
    });
  }

  #tableInForce(): RoutingTable {
    const { current } = this.#parts.snapshots;
    if (current !== this.#snapshot) {
      this.#snapshot = current;
      this.#table = new RoutingTable(current, this.#role);
    }
    return this.#table;
  }
}

/** LastError of what waits in Unreachable, in Exchange's words. */
function unreachable({ because }: Choice): string {
  return `451 4.4.4 A matching connector cannot be found to route the recipient: ${because}`;
}
