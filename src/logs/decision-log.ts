import { type Clock, type FaultReport, printableJson } from '../base/index.ts';
import type { DecisionEvent } from './events.ts';
import { LineLog, type LogLimits } from './files/line-log.ts';
import { addressTerms, folded } from './files/search-terms.ts';
import { SessionRing } from './session-ring.ts';

/** Bounds of each of the two rings in which decisions are kept for `edge why`: 7 days, 2 GB on the disk. */
export const decisionBounds = {
  maxAge: 7 * 86_400,
  maxDirectorySize: 2 * 1024 ** 3,
  maxFileSize: 16 * 1024 ** 2,
} as const;

/** Starts of the names of the files: decisions about messages, and what sessions did that brought none. */
export const decisionPrefixes = { messages: 'DECISION', sessions: 'SESSION' } as const;

/**
 * Version of the files, in their first line. 1: files without that line. A reader refuses files of a later version.
 * In all versions a line begins with `{"at":…,"session":"…","message":…,"kind":"…"`; the search relies on that order.
 */
export const decisionVersion = 2;

/** What a log needs of the process it is in. */
export interface LogParts {
  readonly clock: Clock;
  readonly faults: FaultReport;
}

/**
 * Keeps every decision as one JSON line, found again by searching. Refusals have a ring of their own: however many a stranger
 * provokes, what became of the mail stays.
 */
export class DecisionLog {
  readonly #messages: LineLog;
  readonly #sessions: LineLog;
  readonly #ring: SessionRing;

  constructor(folder: string, parts: LogParts) {
    const limits: LogLimits = { enabled: true, folder, ...decisionBounds };
    const log = (prefix: string): LineLog => new LineLog(limits, { ...parts, prefix, header: () => decisionHeader });
    this.#messages = log(decisionPrefixes.messages);
    this.#sessions = log(decisionPrefixes.sessions);
    this.#ring = new SessionRing(parts.clock, {
      messages: (line) => this.#messages.write(line),
      sessions: (line) => this.#sessions.write(line),
    });
  }

  get lines(): readonly LineLog[] {
    return [this.#messages, this.#sessions];
  }

  take(event: DecisionEvent): void {
    this.#ring.take(event, lineOf(event));
  }

  /** What is held back goes to its file. */
  release(): void {
    this.#ring.release();
  }
}

const decisionHeader = `{"edgeDecisions":${decisionVersion}}\r\n`;

/** The order that the search relies on. */
const headFirst = /^\{"at":[\d.]+,"session":"[^"\\]*","message":\d+,"kind":/;

/** Nearly every event is made with its head first, and goes into the file as it is. */
function lineOf(event: DecisionEvent): string {
  const line = printableJson(event);
  if (headFirst.test(line)) return line;
  const { at, session, message, kind, ...facts } = event;
  return printableJson({ at, session, message, kind, ...facts });
}

/** By what the lines of a decision file may be asked for: sessions, messages, and everything that looks like an address. */
export function* decisionTerms(text: string): Generator<string, void> {
  let [lastSession, lastMessage]: (string | undefined)[] = [];
  for (const [, session, message, guid] of text.matchAll(idPattern)) {
    if (session !== undefined && session !== lastSession && session !== '') yield folded(session);
    if (message !== undefined && message !== lastMessage && message !== '0') yield message;
    if (guid !== undefined) yield folded(guid);
    [lastSession, lastMessage] = [session ?? lastSession, message ?? lastMessage];
  }
  yield* addressTerms(folded(text));
}

const idPattern = /"session":"([0-9A-F]*)","message":(\d+)|"guid":"([^"\\]*)"/g;
