import { longestLogged } from '../base/index.ts';
import type { DecisionEvent } from './events.ts';

/** Reasons are our own words, with a peer's among them now and then. */
const longestReason = 1_000;

/** What a client or a peer chose; addresses are bounded where they are parsed (RFC 5321 §4.5.3.1). */
const limits: ReadonlyMap<string, number> = new Map([
  ...[
    'subject',
    'messageId',
    'reference',
    'reply',
    'replies',
    'command',
    'clientName',
    'data',
    'peer',
    'remote',
    'host',
  ].map((name) => [name, longestLogged] as const),
  ...['reason', 'because', 'by', 'consequence', 'context', 'suppressed'].map((name) => [name, longestReason] as const),
]);

/** The event with every text that a stranger chose cut to its length: no line of a log grows with what somebody sends. */
export function boundedEvent<E extends DecisionEvent>(event: E): E {
  // Nearly every event is short. This runs for each of them: it makes nothing and looks nothing up.
  if (!isLong(event as unknown as Readonly<Record<string, unknown>>)) return event;
  let bounded: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(event)) {
    const most = limits.get(name);
    if (most === undefined) continue;
    const cut = cutTo(value, most);
    if (cut === value) continue;
    bounded ??= { ...event };
    bounded[name] = cut;
  }
  return (bounded ?? event) as E;
}

/** True when a text of the event, or one in a list of it, is longer than the smallest limit. */
function isLong(event: Readonly<Record<string, unknown>>): boolean {
  for (const name in event) {
    const value = event[name];
    if (typeof value === 'string') {
      if (value.length > longestLogged) return true;
    } else if (Array.isArray(value) && value.some(isLongText)) return true;
  }
  return false;
}

function isLongText(value: unknown): boolean {
  return typeof value === 'string' && value.length > longestLogged;
}

function cutTo(value: unknown, most: number): unknown {
  if (typeof value === 'string') return cut(value, most);
  if (!Array.isArray(value) || !value.some((one) => typeof one === 'string' && one.length > most)) return value;
  return value.map((one: unknown) => (typeof one === 'string' ? cut(one, most) : one));
}

/** As it was when it was logged: what is searched is cut in the same way. */
export function cut(text: string, most = longestLogged): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
