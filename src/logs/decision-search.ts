import { decisionPrefixes, decisionVersion } from './decision-log.ts';
import { type Question, questionMatcher, termsOfQuestion } from './decision-question.ts';
import type { DecisionEvent, EventKind } from './events.ts';
import { mayHoldAny } from './files/log-archive.ts';
import { hourOf, type LogFile, listLogFiles } from './files/log-files.ts';
import { linesOf, readBlocks } from './files/log-reader.ts';
import { folded } from './files/search-terms.ts';
import { SendingSessions } from './sending-sessions.ts';

/** The decisions of one session or message, oldest first. */
export interface Chain {
  readonly title: string;
  readonly events: readonly DecisionEvent[];
}

const headPattern = /^\{"at":(\d+),"session":"([0-9A-F]*)","message":(\d+),/;

/** What is to be told: messages with the sessions that brought them, and sessions asked for. */
interface Found {
  readonly sessions: Set<string>;
  readonly messages: Set<string>;
}

/**
 * Finds the chains that answer a question: newest files first, and none that cannot hold it; newest chains first.
 * For an address, at most `most` sessions and messages are shown. Throws Error for files of a later version.
 */
export async function findChains(folder: string, question: Question, most = 10): Promise<Chain[]> {
  const files = decisionFiles(folder);
  const kept = new KeptTexts();
  const found = await findIds(files, question, { most, kept });
  const read = new Set<LogFile>();
  const events = await collect(files, found, { kept, read });
  const sending = new SendingSessions(events);
  await readSending(sending, files, { kept, read });
  return chainsOf(events, found.messages, sending);
}

/** Both rings, newest first. */
function decisionFiles(folder: string): LogFile[] {
  const files = Object.values(decisionPrefixes).flatMap((prefix) => listLogFiles(folder, prefix));
  return files.sort((a, b) => (a.hour === b.hour ? b.number - a.number : a.hour < b.hour ? 1 : -1));
}

/** Characters of files that are kept at most. */
const mostKeptText = 64 * 1024 ** 2;

/** Texts of files in which something was found, so that they are read and decompressed once. */
class KeptTexts {
  readonly #blocks = new Map<string, readonly string[]>();
  #length = 0;

  keep({ path }: LogFile, blocks: readonly string[]): void {
    const length = blocks.reduce((sum, block) => sum + block.length, 0);
    if (this.#length + length > mostKeptText) return;
    this.#blocks.set(path, blocks);
    this.#length += length;
  }

  of({ path }: LogFile): readonly string[] | undefined {
    return this.#blocks.get(path);
  }
}

async function findIds(
  files: readonly LogFile[],
  question: Question,
  { most, kept }: { readonly most: number; readonly kept: KeptTexts },
): Promise<Found> {
  const found: Found = { sessions: new Set(), messages: new Set() };
  const matches = questionMatcher(question);
  const { texts, terms } = termsOfQuestion(question);
  for (const file of files) {
    const wanted = file.name.startsWith(decisionPrefixes.messages) ? found.messages : found.sessions;
    if (wanted.size >= most || (terms !== undefined && !(await mayHoldAny(file, terms)))) continue;
    const [sessions, messages]: [Set<string>, Set<string>] = [new Set(), new Set()];
    const blocks: string[] = [];
    for await (const line of linesHolding(seen(blocksOf(file), blocks), texts)) {
      const [, , session = '', message = '0'] = headPattern.exec(line) ?? [];
      if (!matches(line, session, message)) continue;
      if (message !== '0') remember(messages, message, most);
      else if (session !== '') remember(sessions, session, most);
    }
    if (messages.size + sessions.size > 0) kept.keep(file, blocks);
    addNewest(found.messages, messages, most);
    addNewest(found.sessions, sessions, most);
  }
  return found;
}

function remember(set: Set<string>, value: string, most: number): void {
  set.delete(value);
  set.add(value);
  if (set.size > most) set.delete(set.values().next().value ?? '');
}

/** What an older file adds while there are not enough. */
function addNewest(set: Set<string>, older: ReadonlySet<string>, most: number): void {
  for (const value of [...older].reverse()) if (set.size < most) set.add(value);
}

/** Every event of the messages and sessions, and of the sessions that brought the messages. */
async function collect(
  files: readonly LogFile[],
  { sessions, messages }: Found,
  { kept, read }: FilesRead,
): Promise<DecisionEvent[]> {
  if (sessions.size === 0 && messages.size === 0) return [];
  const bringers = new Set(sessions);
  const events: DecisionEvent[] = [];
  // Oldest last: a session's events of before its message are read after the message that names the session.
  for (const file of files) {
    const known = kept.of(file);
    const terms = [...messages, ...bringers].map(folded);
    if (known === undefined && !(await mayHoldAny(file, terms))) continue;
    const found = await eventsIn(known ?? blocksOf(file), { sessions, messages }, bringers);
    if (found.length > 0) read.add(file);
    events.push(...found);
  }
  return events.sort(inOrder);
}

/** Texts at hand, and the files in which something was found. */
interface FilesRead {
  readonly kept: KeptTexts;
  readonly read: Set<LogFile>;
}

/** Files that are read for the connections by which messages went, at most: a message may have waited for days. */
const mostSendingFiles = 8;

/** The lines of connections from the files where the messages are told of, and those that began while they waited. */
async function readSending(
  sending: SendingSessions,
  files: readonly LogFile[],
  { kept, read }: FilesRead,
): Promise<void> {
  const { span } = sending;
  if (span === undefined) return;
  const [first, last] = [span.from, Math.min(span.to, Date.now())].map(hourOf) as [string, string];
  const wanted = files.filter(
    (file) =>
      file.name.startsWith(decisionPrefixes.messages) && (read.has(file) || (file.hour >= first && file.hour <= last)),
  );
  // Oldest first: what a connection did comes in its order.
  for (const file of wanted.slice(0, mostSendingFiles).reverse())
    for await (const line of linesHolding(kept.of(file) ?? blocksOf(file), undefined)) sending.take(line);
}

/** Texts of whole lines of one file. */
type Blocks = AsyncIterable<string> | Iterable<string>;

async function eventsIn(
  blocks: Blocks,
  { sessions, messages }: Found,
  bringers: Set<string>,
): Promise<DecisionEvent[]> {
  const events: DecisionEvent[] = [];
  const waiting = new Map<string, string[]>();
  for await (const line of linesHolding(blocks, undefined)) {
    const [, , session = '', message = '0'] = headPattern.exec(line) ?? [];
    if (message !== '0' && (messages.has(message) || sessions.has(session))) {
      messages.add(message);
      if (session !== '') bringers.add(session);
      events.push(...parsed(line));
    } else if (message === '0' && session !== '') {
      // The session may turn out to have brought a message: kept with all others of this file.
      if (bringers.has(session)) events.push(...parsed(line));
      else keep(waiting, session, line);
    }
  }
  for (const session of bringers) for (const line of waiting.get(session) ?? []) events.push(...parsed(line));
  return events;
}

/** Lines kept of one session that may not matter. */
const mostKept = 500;

function keep(waiting: Map<string, string[]>, session: string, line: string): void {
  const lines = waiting.get(session);
  if (lines === undefined) waiting.set(session, [line]);
  else if (lines.length < mostKept) lines.push(line);
}

/** The lines of those blocks that hold one of the folded texts; of all, when none are given. */
async function* linesHolding(blocks: Blocks, texts: readonly string[] | undefined): AsyncGenerator<string, void> {
  for await (const block of blocks) {
    if (texts !== undefined) {
      const text = folded(block);
      if (!texts.some((one) => text.includes(one))) continue;
    }
    yield* linesOf(block);
  }
}

/** The blocks of a file. Throws Error for one of a later version. */
async function* blocksOf(file: LogFile): AsyncGenerator<string, void> {
  let isFirst = true;
  for await (const block of readBlocks(file)) {
    if (isFirst) checkVersion(file, block);
    isFirst = false;
    yield block;
  }
}

/** Passes blocks on, and puts them into a list. */
async function* seen(blocks: Blocks, list: string[]): AsyncGenerator<string, void> {
  for await (const block of blocks) {
    list.push(block);
    yield block;
  }
}

function checkVersion({ path }: LogFile, block: string): void {
  const version = Number(/^\{"edgeDecisions":(\d{1,9})\}/.exec(block)?.[1] ?? 1);
  if (version <= decisionVersion) return;
  throw new Error(
    `${path} was written by a later version of Edge (format ${version}, this one reads up to ${decisionVersion})`,
  );
}

/** A chain for each message, with the connections it went by, and one for the events of sessions that brought none of them. */
function chainsOf(events: readonly DecisionEvent[], messages: ReadonlySet<string>, sending: SendingSessions): Chain[] {
  const chains: Chain[] = [];
  const told = new Set<DecisionEvent>();
  const byMessage = Map.groupBy(events, (event) => String(event.message));
  for (const id of messages) {
    const own = byMessage.get(id) ?? [];
    if (own.length === 0) continue;
    const sessions = new Set(own.map((event) => event.session).filter((session) => session !== ''));
    const isOwn = new Set(own);
    const chain = events.filter((event) => isOwn.has(event) || (event.message === 0 && sessions.has(event.session)));
    for (const event of chain) told.add(event);
    const queued = own.find((event) => event.kind === 'message-queued');
    chains.push({
      title: `message ${id}${queued === undefined ? '' : ` ${queued.messageId === '' ? queued.guid : queued.messageId}`}`,
      events: [...chain, ...sending.of(Number(id))].sort(inOrder),
    });
  }
  const rest = Map.groupBy(
    events.filter((event) => !told.has(event)),
    (event) => event.session,
  );
  for (const [session, own] of rest) chains.push({ title: `session ${session}`, events: own });
  return chains.sort((a, b) => (b.events[0]?.at ?? 0) - (a.events[0]?.at ?? 0));
}

/**
 * By time. In one millisecond a session begins, its rights come before what follows from them, then what was refused, then its
 * end: what belongs to a message and refusals come to their file before the lines that are held back.
 */
function inOrder(a: DecisionEvent, b: DecisionEvent): number {
  return a.at - b.at || placeOf(a) - placeOf(b);
}

const places: Partial<Record<EventKind, number>> = {
  'connector-chosen': -2,
  'right-checked': -1,
  'command-refused': 1,
  'session-closed': 2,
};
const placeOf = ({ kind }: DecisionEvent): number => places[kind] ?? 0;

function parsed(line: string): DecisionEvent[] {
  try {
    return [JSON.parse(line) as DecisionEvent];
  } catch {
    // The last line of a process that was killed may be cut.
    return [];
  }
}
