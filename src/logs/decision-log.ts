import type { DecisionEvent } from './events.ts';
import { LineLog, type LineLogParts, type LogLimits } from './line-log.ts';

/** Bounds of the decisions kept for `edge why`: 7 days, 256 MB. */
export const decisionBounds = {
  maxAge: 7 * 86_400,
  maxDirectorySize: 256 * 1024 ** 2,
  maxFileSize: 16 * 1024 ** 2,
} as const;

/** Start of the names of the files. */
export const decisionPrefix = 'DECISION';

/**
 * Keeps every decision as one JSON line, found again by searching: nothing is indexed while mail flows.
 * A line begins with `{"at":…,"session":"…","message":…,"kind":"…"`; the search relies on that order.
 */
export class DecisionLog {
  #log: LineLog;

  constructor(folder: string, parts: Omit<LineLogParts, 'prefix' | 'header'>) {
    const limits: LogLimits = { enabled: true, folder, ...decisionBounds };
    this.#log = new LineLog(limits, { ...parts, prefix: decisionPrefix, header: () => '' });
  }

  get lines(): LineLog {
    return this.#log;
  }

  take(event: DecisionEvent): void {
    const { at, session, message, kind, ...rest } = event;
    const tail = JSON.stringify(rest);
    const head = `{"at":${at},"session":"${session}","message":${message},"kind":"${kind}"`;
    this.#log.write(tail === '{}' ? `${head}}` : `${head},${tail.slice(1)}`);
  }
}
