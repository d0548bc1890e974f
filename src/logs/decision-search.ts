import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decisionPrefix } from './decision-log.ts';
import type { DecisionEvent } from './events.ts';

/** What was asked about. */
export type Question =
  | { readonly kind: 'session'; readonly session: string }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'address'; readonly address: string };

/** The decisions of one session or message, oldest first. */
export interface Chain {
  readonly title: string;
  readonly events: readonly DecisionEvent[];
}

/** A session id, a message (GUID, internal id or Message-ID) or an address. Throws RangeError for anything else. */
export function parseQuestion(text: string): Question {
  const trimmed = text.trim();
  if (/^[0-9A-F]{16}$/i.test(trimmed)) return { kind: 'session', session: trimmed.toUpperCase() };
  if (/^\d{1,16}$/.test(trimmed)) return { kind: 'message', text: trimmed };
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(trimmed))
    return { kind: 'message', text: trimmed.toLowerCase() };
  if (/^<[^<>]+>$/.test(trimmed)) return { kind: 'message', text: trimmed };
  if (/^\S+@\S+$/.test(trimmed)) return { kind: 'address', address: trimmed.toLowerCase() };
  throw new RangeError(
    `'${text}' is none of: a session id (16 hexadecimal digits), a message (GUID, number or <Message-ID>), an address`,
  );
}

const linePattern = /^\{"at":\d+,"session":"([0-9A-F]*)","message":(\d+),/;

/**
 * Finds the chains that answer a question: two passes over the decision files, newest chains first.
 * For an address, at most `most` sessions and messages are shown.
 */
export async function findChains(folder: string, question: Question, most = 10): Promise<Chain[]> {
  const sessions = new Set<string>();
  const messages = new Set<string>();
  const wanted = new Matcher(question);
  for await (const line of decisionLines(folder)) {
    const match = linePattern.exec(line);
    if (match === null || !wanted.matches(line, match[1] ?? '', match[2] ?? '')) continue;
    const [, session = '', message = '0'] = match;
    if (message !== '0') remember(messages, message, most);
    else if (session !== '') remember(sessions, session, most);
  }
  const events = await collect(folder, sessions, messages);
  return chainsOf(events, messages);
}

class Matcher {
  #question: Question;
  #needle: string;

  constructor(question: Question) {
    this.#question = question;
    const text =
      question.kind === 'session' ? question.session : question.kind === 'message' ? question.text : question.address;
    this.#needle = JSON.stringify(text).slice(1, -1);
  }

  matches(line: string, session: string, message: string): boolean {
    const { kind } = this.#question;
    if (kind === 'session') return session === this.#needle;
    if (kind === 'address') return line.toLowerCase().includes(this.#needle);
    if (/^\d+$/.test(this.#needle)) return message === this.#needle;
    return line.includes(`"guid":"${this.#needle}"`) || line.includes(`"messageId":"${this.#needle}"`);
  }
}

function remember(set: Set<string>, value: string, most: number): void {
  set.delete(value);
  set.add(value);
  if (set.size > most) set.delete(set.values().next().value ?? '');
}

/** Every event of the sessions and messages, and of the sessions that brought the messages. */
async function collect(folder: string, sessions: Set<string>, messages: Set<string>): Promise<DecisionEvent[]> {
  const events: DecisionEvent[] = [];
  const bySession = new Map<string, DecisionEvent[]>();
  const bringers = new Set(sessions);
  for await (const line of decisionLines(folder)) {
    const match = linePattern.exec(line);
    if (match === null) continue;
    const [, session = '', message = '0'] = match;
    if (message !== '0' && (messages.has(message) || sessions.has(session))) {
      const event = parse(line);
      if (event === undefined) continue;
      events.push(event);
      if (session !== '') bringers.add(session);
    } else if (message === '0' && session !== '') {
      const event = parse(line);
      if (event === undefined) continue;
      // Events of a session come before its first message, so they are kept until the session is known to matter or ends.
      const kept = bySession.get(session);
      if (kept === undefined) bySession.set(session, [event]);
      else if (kept.length < 500) kept.push(event);
      if (event.kind === 'session-closed' && !bringers.has(session)) bySession.delete(session);
    }
  }
  for (const session of bringers) events.push(...(bySession.get(session) ?? []));
  return events.sort((a, b) => a.at - b.at);
}

/** A chain for each message, and one for the events of sessions that brought none of them. */
function chainsOf(events: readonly DecisionEvent[], messages: ReadonlySet<string>): Chain[] {
  const chains: Chain[] = [];
  const told = new Set<DecisionEvent>();
  const ids = new Set([
    ...messages,
    ...events.filter((event) => event.message !== 0).map((event) => String(event.message)),
  ]);
  for (const id of ids) {
    const own = events.filter((event) => String(event.message) === id);
    if (own.length === 0) continue;
    const sessions = new Set(own.map((event) => event.session).filter((session) => session !== ''));
    const chain = events.filter((event) => own.includes(event) || (event.message === 0 && sessions.has(event.session)));
    for (const event of chain) told.add(event);
    const queued = own.find((event) => event.kind === 'message-queued');
    chains.push({
      title: `message ${id}${queued === undefined ? '' : ` ${queued.messageId === '' ? queued.guid : queued.messageId}`}`,
      events: chain,
    });
  }
  const rest = Map.groupBy(
    events.filter((event) => !told.has(event)),
    (event) => event.session,
  );
  for (const [session, own] of rest) chains.push({ title: `session ${session}`, events: own });
  return chains.sort((a, b) => (b.events[0]?.at ?? 0) - (a.events[0]?.at ?? 0));
}

function parse(line: string): DecisionEvent | undefined {
  try {
    return JSON.parse(line) as DecisionEvent;
  } catch {
    // The last line of a process that was killed may be cut.
    return undefined;
  }
}

/** All lines, oldest file first. */
async function* decisionLines(folder: string): AsyncGenerator<string> {
  if (!existsSync(folder)) return;
  const pattern = new RegExp(`^${decisionPrefix}(\\d{10})-(\\d+)\\.LOG$`);
  const files = readdirSync(folder)
    .flatMap((name) => {
      const match = pattern.exec(name);
      return match === null ? [] : [{ name, hour: match[1] ?? '', number: Number(match[2]) }];
    })
    .sort((a, b) => (a.hour === b.hour ? a.number - b.number : a.hour < b.hour ? -1 : 1));
  for (const { name } of files) {
    yield* createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity });
  }
}
