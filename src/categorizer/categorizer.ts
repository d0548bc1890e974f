import { Readable } from 'node:stream';
import type { Clock } from '../base/index.ts';
import type { Snapshot, SnapshotSource } from '../config/index.ts';
import type { Journal } from '../logs/index.ts';
import type { Envelope } from '../mail/index.ts';
import { CategorizerChain, type Route, type RoutedMessage } from '../pipeline/index.ts';
import type { RoutePlan, Router, StoredMessage } from '../queue/index.ts';
import { AgentRounds } from './agent-rounds.ts';
import { bodyOf, type ContentSource, headerOf } from './content-source.ts';
import { type Choice, RoutingTable, type ServerRole } from './routing-table.ts';

export interface CategorizerParts {
  readonly snapshots: SnapshotSource;
  readonly journal: Journal;
  readonly clock: Clock;
  /** What agents look at. */
  readonly contents: ContentSource;
  /** No agents when absent. */
  readonly agents?: CategorizerChain;
  /** PipelineTracing. */
  readonly tracing?: RoutingTracing;
}

/** Who keeps copies of what was routed. */
export interface RoutingTracing {
  readonly isOn: boolean;
  /** Whether this message is kept, which came at that time (milliseconds since 1970). */
  tracesRouting(message: { readonly guid: string; readonly receivedAt: number; readonly from: string }): boolean;
  /** Neither rejects nor is waited for. */
  routed(message: RoutedMessage): Promise<void>;
}

/** Asks the agents about new messages, and chooses the next hop of each recipient. */
export class Categorizer implements Router {
  readonly #parts: CategorizerParts;
  readonly #role: ServerRole;
  #snapshot: Snapshot;
  #table: RoutingTable;
  /** Absent: there are no agents, and the queue routes at once. */
  readonly categorize: Router['categorize'];

  constructor(parts: CategorizerParts, role: ServerRole) {
    this.#parts = parts;
    this.#role = role;
    this.#snapshot = parts.snapshots.current;
    this.#table = new RoutingTable(this.#snapshot, role);
    this.categorize = this.#askAgents();
  }

  #askAgents(): Router['categorize'] {
    const { agents: chain = new CategorizerChain(), contents, journal, clock, snapshots } = this.#parts;
    if (chain.isEmpty) return undefined;
    const routes = (envelope: Envelope, size: number): readonly Route[] => this.#routesOf(envelope, size);
    const fqdn = (): string => snapshots.current.server.fqdn;
    const rounds = new AgentRounds({ chain, contents, journal, clock, routes, fqdn });
    return (message, signal) => rounds.categorize(message, signal);
  }

  route(message: StoredMessage, pending: readonly number[]): RoutePlan {
    const { tracing } = this.#parts;
    if (tracing?.isOn === true) this.#keep(message, tracing);
    const table = this.#tableInForce();
    const { recipients } = message.envelope;
    const { size } = message.facts;
    const [first] = pending;
    // Most messages have one recipient: nothing to group.
    if (first !== undefined && pending.length === 1) {
      return this.#plan(message, [
        { choice: withTls(table.choose(recipients[first]?.domain ?? '', size), message.envelope), recipients: pending },
      ]);
    }
    return this.#plan(message, this.#groups(message.envelope, pending, size));
  }

  /** A copy of a message that is routed for the first time. */
  #keep(message: StoredMessage, tracing: RoutingTracing): void {
    const { contents } = this.#parts;
    const { origin, facts, envelope, categorized, guid, receivedAt } = message;
    if (!tracing.tracesRouting({ guid, receivedAt, from: envelope.from })) return;
    // It may be delivered, and gone, before the copy is written.
    const small = contents.content(message.id);
    const whole = small === undefined ? undefined : Buffer.from(small);
    void tracing.routed({
      session: origin.session,
      messageId: facts.messageId,
      envelope,
      changed: categorized === true,
      header: async () => whole?.subarray(0, facts.headerSize) ?? headerOf(contents, message),
      body: whole === undefined ? bodyOf(contents, message) : Readable.from([whole.subarray(facts.headerSize)]),
    });
  }

  #groups(envelope: Envelope, pending: Iterable<number>, size: number): readonly RecipientGroup[] {
    const { recipients } = envelope;
    const table = this.#tableInForce();
    const groups = new Map<string, { choice: Choice; recipients: number[] }>();
    for (const index of pending) {
      const choice = withTls(table.choose(recipients[index]?.domain ?? '', size), envelope);
      const key = choice.reply === undefined ? choice.hop.key : 'failed';
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { choice, recipients: [index] });
      else group.recipients.push(index);
    }
    return [...groups.values()];
  }

  #routesOf(envelope: Envelope, size: number): readonly Route[] {
    return this.#groups(envelope, envelope.recipients.keys(), size).map(({ choice: { hop }, recipients }) => ({
      addresses: recipients.map((index) => envelope.recipients[index]?.address ?? ''),
      connector: hop.connector,
      nextHop: hop.domain,
    }));
  }

  /** Octets of the largest message that some way to the domain takes: what a report may have. */
  largest(domain: string): number {
    return this.#tableInForce().largest(domain);
  }

  #plan(message: StoredMessage, groups: readonly RecipientGroup[]): RoutePlan {
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
      at: this.#parts.clock.now(),
      session: message.origin.session,
      message: message.id,
      kind: 'route-chosen',
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

/** Recipients for whom the same was chosen. */
interface RecipientGroup {
  readonly choice: Choice;
  readonly recipients: readonly number[];
}

/** Messages that speak of TLS themselves (RFC 8689) wait apart: a connection for others may not be good enough for them. */
function withTls(choice: Choice, { tls }: Envelope): Choice {
  const { hop } = choice;
  if (tls === undefined || !/^(?:Dns|SmartHost)ConnectorDelivery$/.test(hop.type)) return choice;
  return { ...choice, hop: { ...hop, key: `${hop.key}:${tlsKeys[tls]}`, tls } };
}

const tlsKeys = { required: 'REQUIRETLS', optional: 'TLS-Required: No' } as const;

/** LastError of what waits in Unreachable, in Exchange's words. */
function unreachable({ because }: Choice): string {
  return `451 4.4.4 A matching connector cannot be found to route the recipient: ${because}`;
}
