import { type Clock, printableJson, wildcardTest } from '../base/index.ts';
import { appendNow } from './files/append-now.ts';
import { listLogFiles } from './files/log-files.ts';
import { readLines } from './files/log-reader.ts';

/** What one cmdlet did to one object, or tried to. Secrets never stand here: who writes the record leaves them out. */
export interface AdminAuditRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Account that ran the line. */
  readonly who: string;
  readonly server: string;
  /** In the running service, or on the store of a stopped one. */
  readonly via: 'service' | 'store';
  readonly cmdlet: string;
  /** Identity of what was changed: a name, `SERVER\Name`, a queue, a message. */
  readonly object: string;
  /** Its place in the directory; '' for queues and messages. */
  readonly dn: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  /** The pipeline as it was typed. */
  readonly line: string;
  readonly properties: readonly { readonly name: string; readonly before: string; readonly after: string }[];
  readonly succeeded: boolean;
  /** Why it failed; '' when it did not. */
  readonly error: string;
}

/** What to look for; an absent field matches everything. Names match whole, without case, with * and ?. */
export interface AdminAuditQuestion {
  readonly start?: Date;
  readonly end?: Date;
  readonly cmdlets?: readonly string[];
  /** Identities, names or DNs. */
  readonly objects?: readonly string[];
  /** One of these parameters stood in the line. */
  readonly parameters?: readonly string[];
  readonly users?: readonly string[];
  readonly succeeded?: boolean;
}

/** Bounds of the admin audit log: 90 days as Exchange's AdminAuditLogAgeLimit, 256 MB. */
const adminAuditBounds = {
  maxAge: 90 * 86_400,
  maxDirectorySize: 256 * 1024 ** 2,
  maxFileSize: 10 * 1024 ** 2,
} as const;

const prefix = 'ADMINAUDIT';

/** Most characters of one text and most properties of a record, so that no line grows without bound. */
const longestText = 4_000;
const mostProperties = 200;

/** Appends records as JSON lines; a record is in the file when `write` returns. */
export class AdminAuditLog {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Throws Error when the record cannot be written: whoever changed something must be told. */
  write(record: AdminAuditRecord): void {
    const line = printableJson(JSON.parse(JSON.stringify(record, bounded)));
    appendNow({ folder: this.#folder, ...adminAuditBounds }, prefix, line, this.#clock.now());
  }

  /** Records that answer the question, newest first. A line that is not a record is passed over. */
  async *search(question: AdminAuditQuestion, signal: AbortSignal): AsyncGenerator<AdminAuditRecord> {
    const matches = matcherOf(question);
    for (const file of listLogFiles(this.#folder, prefix).reverse()) {
      const records: AdminAuditRecord[] = [];
      for await (const lines of readLines(file)) records.push(...lines.flatMap(readRecord));
      if (signal.aborted) return;
      yield* records.reverse().filter(matches);
    }
  }

  /** Nothing is kept open (SIGHUP). */
  reopen(): void {}

  close(): void {}
}

function bounded(_key: string, value: unknown): unknown {
  if (typeof value === 'string' && value.length > longestText) return `${value.slice(0, longestText)}…`;
  return Array.isArray(value) && value.length > mostProperties ? value.slice(0, mostProperties) : value;
}

function readRecord(line: string): AdminAuditRecord[] {
  if (line.trim() === '') return [];
  try {
    const record = JSON.parse(line) as Partial<AdminAuditRecord>;
    const isWhole =
      typeof record.at === 'number' && typeof record.cmdlet === 'string' && Array.isArray(record.properties);
    return isWhole ? [record as AdminAuditRecord] : [];
  } catch {
    // The disk was full in the middle of a line, or somebody edited the file: the other records still count.
    return [];
  }
}

type Test = (record: AdminAuditRecord) => boolean;

function matcherOf({ start, end, cmdlets, objects, parameters, users, succeeded }: AdminAuditQuestion): Test {
  const tests: Test[] = [];
  const oneOf = (
    patterns: readonly string[] | undefined,
    names: (record: AdminAuditRecord) => readonly string[],
  ): void => {
    if (patterns === undefined) return;
    const wanted = patterns.map(wildcardTest);
    tests.push((record) => names(record).some((name) => wanted.some((test) => test(name))));
  };
  if (start !== undefined) tests.push(({ at }) => at >= start.getTime());
  if (end !== undefined) tests.push(({ at }) => at <= end.getTime());
  if (succeeded !== undefined) tests.push((record) => record.succeeded === succeeded);
  oneOf(cmdlets, ({ cmdlet }) => [cmdlet]);
  oneOf(objects, ({ object, dn }) => [object, object.replace(/^.*\\/, ''), dn]);
  oneOf(parameters, (record) => record.parameters.map(({ name }) => name));
  oneOf(users, ({ who }) => [who, who.replace(/ .*$/, '')]);
  return (record) => tests.every((test) => test(record));
}
