/**
 * Connections by which messages went out, or could not: what was demanded of them, what was reached, and why mail waits. Outcomes
 * do not name their connection, so that a message costs no more to log: next hop, peer and time lead to it.
 */
import type { DecisionEvent, EventOf } from './events.ts';

/** When a message waited for a next hop, and what came of it. */
interface Way {
  readonly hop: string;
  readonly from: number;
  to: number;
  readonly outcomes: { readonly at: number; readonly remote: string }[];
}

/** Sessions shown of one way, the newest: of each outcome, of attempts that reached nobody, and states of the queue. */
const mostOfOutcome = 2;
const mostFailures = 3;
const mostStates = 3;

/** Lines that may be wanted. What a connection says of a message has that message at its head. */
const wanted =
  /^\{"at":\d+,"session":"([0-9A-F]*)","message":0,"kind":"(?:connection-(?:opened|closed|failed)|tls-reached|tls-failed|certificate-chosen|revocation-checked|queue-state)"/;

/** Collects lines of sending sessions, and says which of them belong to which message. */
export class SendingSessions {
  readonly #ways: ReadonlyMap<number, readonly Way[]>;
  readonly #hops: readonly string[];
  readonly #lines = new Map<string, string[]>();
  readonly #states: string[] = [];
  /** Sessions of one of the next hops. */
  readonly #known = new Set<string>();

  /** `events`: those of the messages. */
  constructor(events: readonly DecisionEvent[]) {
    const byMessage = Map.groupBy(
      events.filter(({ message }) => message !== 0),
      ({ message }) => message,
    );
    this.#ways = new Map([...byMessage].map(([message, own]) => [message, waysOf(own)]));
    const hops = [...this.#ways.values()].flatMap((ways) => ways.map(({ hop }) => hop));
    this.#hops = [...new Set(hops)].map((hop) => `"hop":${JSON.stringify(hop)}`);
  }

  /** From when to when the lines are of interest, in milliseconds since 1970; undefined: none are. */
  get span(): { readonly from: number; readonly to: number } | undefined {
    const ways = [...this.#ways.values()].flat();
    if (ways.length === 0) return undefined;
    return { from: Math.min(...ways.map(({ from }) => from)), to: Math.max(...ways.map(({ to }) => to)) };
  }

  /** A line of a file; those of one session come in their order. */
  take(line: string): void {
    const match = wanted.exec(line);
    if (match === null || line.includes('"direction":"receive"')) return;
    const [, session = ''] = match;
    const isOfHop = this.#hops.some((hop) => line.includes(hop));
    if (session === '') {
      if (isOfHop) this.#states.push(line);
      return;
    }
    if (isOfHop) this.#known.add(session);
    // TLS is told before the next hop is: what turns out to be of another one is dropped.
    else if (line.includes('"kind":"connection-')) return void this.#lines.delete(session);
    const lines = this.#lines.get(session);
    if (lines === undefined) this.#lines.set(session, [line]);
    else lines.push(line);
  }

  /** What the connections of a message were, without what is told under the message itself. */
  of(message: number): DecisionEvent[] {
    const ways = this.#ways.get(message) ?? [];
    const sessions = [...this.#known].map((session) => (this.#lines.get(session) ?? []).flatMap(parsed));
    const states = this.#states.flatMap(parsed);
    return [...new Set(ways.flatMap((way) => [...sessionsOf(way, sessions), ...statesOf(way, states)]))];
  }
}

function waysOf(own: readonly DecisionEvent[]): readonly Way[] {
  const ways: Way[] = [];
  for (const event of own) {
    if (event.kind === 'route-chosen')
      ways.push({ hop: event.hop, from: event.at, to: Number.POSITIVE_INFINITY, outcomes: [] });
    if (event.kind !== 'delivered' && event.kind !== 'deferred' && event.kind !== 'failed') continue;
    const way = ways.findLast(({ hop }) => hop === event.hop);
    if (way === undefined) continue;
    way.outcomes.push({ at: event.at, remote: event.remote });
    if (event.kind !== 'deferred') way.to = event.at;
  }
  return ways;
}

function sessionsOf(
  { hop, from, to, outcomes }: Way,
  sessions: readonly (readonly DecisionEvent[])[],
): DecisionEvent[] {
  const went = outcomes.flatMap(({ at, remote }) =>
    sessions.filter((events) => carried(events, hop, at, remote)).slice(-mostOfOutcome),
  );
  const failed = sessions
    .filter((events) =>
      events.some(
        (event) => event.kind === 'connection-failed' && event.hop === hop && event.at >= from && event.at <= to,
      ),
    )
    .slice(-mostFailures);
  return [...went, ...failed].flat();
}

/** Whether a session was open to that peer at that time. `remote`: 'host [address]:port', or '[address]:port'. */
function carried(events: readonly DecisionEvent[], hop: string, at: number, remote: string): boolean {
  const opened = events.find((event): event is EventOf<'connection-opened'> => event.kind === 'connection-opened');
  if (opened === undefined || opened.hop !== hop || opened.at > at) return false;
  const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(opened.remote) ?? [];
  if (!remote.endsWith(`[${address}]:${port}`)) return false;
  const closed = events.find(({ kind }) => kind === 'connection-closed');
  return closed === undefined || closed.at >= at;
}

function statesOf({ hop, from, to }: Way, states: readonly DecisionEvent[]): DecisionEvent[] {
  return states
    .filter((event) => event.kind === 'queue-state' && event.hop === hop && event.at >= from && event.at <= to)
    .slice(-mostStates);
}

function parsed(line: string): DecisionEvent[] {
  try {
    return [JSON.parse(line) as DecisionEvent];
  } catch {
    // The last line of a process that was killed may be cut.
    return [];
  }
}
