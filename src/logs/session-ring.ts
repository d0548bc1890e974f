import type { Clock } from '../base/index.ts';
import type { DecisionEvent, EventKind } from './events.ts';

/** Where lines go. */
export interface RingTargets {
  messages(line: string): void;
  sessions(line: string): void;
}

/** A receiving session that is open. */
interface OpenSession {
  /** Lines of which it is not known yet whether a message follows. */
  held: string[];
  /** When the first of them was held, monotonic milliseconds. */
  since: number;
  /** It brought a message. */
  brought: boolean;
}

/** Lines wait so long for the message that they belong to, in milliseconds. */
const holdMs = 2_000;
/** Sessions remembered and lines held; beyond that the oldest go to the ring of sessions. */
const mostSessions = 20_000;
const mostHeld = 50;
/** How a session that brought a message ended is told with the message; what it tried beside is not. */
const mostAtEnd = 5;

/** Strangers can bring these about without end, also in a session that brought a message. */
const refusals: ReadonlySet<EventKind> = new Set<EventKind>(['command-refused', 'connection-refused']);

/**
 * Divides decisions between two rings. What belongs to a message, and what its session did to bring it, goes to the ring of
 * messages; refusals, and sessions that bring nothing, to that of sessions: a flood of them washes away only its like.
 */
export class SessionRing {
  readonly #clock: Clock;
  readonly #targets: RingTargets;
  readonly #open = new Map<string, OpenSession>();
  #timer: { cancel(): void } | undefined;

  constructor(clock: Clock, targets: RingTargets) {
    this.#clock = clock;
    this.#targets = targets;
  }

  take(event: DecisionEvent, line: string): void {
    if (event.kind === 'connector-chosen') this.#begin(event.session);
    const session = this.#open.get(event.session);
    if (event.message !== 0) {
      if (event.kind === 'message-queued' && session !== undefined) this.#carry(session);
      this.#targets.messages(line);
    } else if (refusals.has(event.kind)) this.#targets.sessions(line);
    else if (session !== undefined) this.#hold(session, line);
    else if (event.kind === 'session-closed') this.#targets.sessions(line);
    else this.#targets.messages(line);
    if (event.kind === 'session-closed') this.#end(event.session);
  }

  /** What is held goes to the ring of sessions. */
  release(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const session of this.#open.values()) this.#giveUp(session);
  }

  #begin(id: string): void {
    this.#open.set(id, { held: [], since: 0, brought: false });
    if (this.#open.size > mostSessions) this.#end(this.#open.keys().next().value ?? id);
  }

  #end(id: string): void {
    const session = this.#open.get(id);
    if (session?.brought === true && session.held.length <= mostAtEnd) this.#carry(session);
    else if (session !== undefined) this.#giveUp(session);
    this.#open.delete(id);
  }

  #carry(session: OpenSession): void {
    session.brought = true;
    for (const line of session.held) this.#targets.messages(line);
    session.held = [];
  }

  #hold(session: OpenSession, line: string): void {
    if (session.held.length === 0) session.since = this.#clock.monotonic();
    session.held.push(line);
    if (session.held.length > mostHeld) this.#giveUp(session);
    this.#timer ??= this.#clock.after(holdMs, () => this.#sweep());
  }

  #giveUp(session: OpenSession): void {
    for (const line of session.held) this.#targets.sessions(line);
    session.held = [];
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    let waiting = false;
    for (const session of this.#open.values()) {
      if (session.held.length === 0) continue;
      if (now - session.since >= holdMs) this.#giveUp(session);
      else waiting = true;
    }
    if (waiting) this.#timer = this.#clock.after(holdMs / 2, () => this.#sweep());
  }
}
