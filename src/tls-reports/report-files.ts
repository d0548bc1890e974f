/** The reports of the days before on disk: made, waiting for their hour, and sent. One file for each day and domain. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../base/index.ts';
import { type DayCounts, readCounts } from './day-counts.ts';
import type { ReceivedReport } from './received-report.ts';
import type { ReportSignature } from './report-signature.ts';

/** What became of one destination. */
export interface Submission {
  readonly uri: string;
  /** '' when it was taken. */
  readonly fault: string;
}

export interface ReportRecord {
  readonly domain: string;
  /** 'YYYY-MM-DD', UTC. */
  readonly day: string;
  readonly id: string;
  /** JSON text of RFC 8460 §4.4. */
  readonly report: string;
  /** Not sent before; milliseconds since 1970. */
  readonly due: number;
  readonly attempts: number;
  readonly submissions: readonly Submission[];
  /** Milliseconds since 1970; absent: it is on its way. */
  readonly sentAt?: number;
}

/** A report that came in the mail. */
export interface KeptReport {
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** MAIL FROM; nobody has proved it. */
  readonly from: string;
  /** Absent: kept before signatures were judged. */
  readonly signature?: ReportSignature;
  readonly report: ReceivedReport;
}

/** Received reports that are kept, the newest: strangers may send as many as they like. */
const mostReceived = 1_000;
/** Reports that were sent are kept so many days. */
const keptDays = 30;
const waiting = 'waiting';
const sent = 'sent';
const received = 'received';

export class ReportFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Days whose counts lie there, with their files, oldest first. */
  async countedDays(): Promise<ReadonlyMap<string, readonly string[]>> {
    const days = new Map<string, string[]>();
    for (const name of (await readdir(this.#folder)).sort()) {
      const [, day] = /^counts-(\d{4}-\d\d-\d\d)-\d+\.json$/.exec(name) ?? [];
      if (day !== undefined) days.set(day, [...(days.get(day) ?? []), join(this.#folder, name)]);
    }
    return days;
  }

  readCounts(files: readonly string[]): readonly DayCounts[] {
    return files.flatMap((file) => readCounts(file) ?? []);
  }

  async forget(files: readonly string[]): Promise<void> {
    for (const file of files) await rm(file, { force: true });
  }

  /** Keeps a new report; one of the same day and domain that is there already stays what it is. */
  async add(record: ReportRecord): Promise<void> {
    const known = [waiting, sent].some((state) => this.#readAll(state).some((one) => isSame(one, record)));
    if (!known) await this.#write(waiting, record);
  }

  update(record: ReportRecord): Promise<void> {
    return this.#write(waiting, record);
  }

  async finish(record: ReportRecord): Promise<void> {
    await this.#write(waiting, record);
    await mkdir(join(this.#folder, sent), { recursive: true, mode: 0o700 });
    await rename(join(this.#folder, waiting, fileName(record)), join(this.#folder, sent, fileName(record)));
  }

  /** Keeps a report of another; the oldest of too many go. */
  async receive(report: KeptReport): Promise<void> {
    const folder = join(this.#folder, received);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const name = `${String(report.receivedAt).padStart(15, '0')}-${randomUUID()}.json`;
    await replaceFile(join(folder, name), JSON.stringify(report));
    for (const old of namesIn(folder).slice(0, -mostReceived)) await rm(join(folder, old), { force: true });
  }

  /** Oldest first. */
  received(): readonly KeptReport[] {
    const folder = join(this.#folder, received);
    return namesIn(folder).flatMap((name) => readJson<KeptReport>(join(folder, name), isKept) ?? []);
  }

  waiting(): readonly ReportRecord[] {
    return this.#readAll(waiting);
  }

  sent(): readonly ReportRecord[] {
    return this.#readAll(sent);
  }

  /** Ends the files of reports that were sent long ago. `now`: milliseconds since 1970. */
  async sweep(now: number): Promise<void> {
    for (const record of this.sent())
      if (now - (record.sentAt ?? now) > keptDays * 86_400_000)
        await rm(join(this.#folder, sent, fileName(record)), { force: true });
  }

  async #write(state: string, record: ReportRecord): Promise<void> {
    await mkdir(join(this.#folder, state), { recursive: true, mode: 0o700 });
    await replaceFile(join(this.#folder, state, fileName(record)), JSON.stringify(record));
  }

  #readAll(state: string): readonly ReportRecord[] {
    const folder = join(this.#folder, state);
    return namesIn(folder).flatMap((name) => readRecord(join(folder, name)) ?? []);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const readRecord = (path: string): ReportRecord | undefined =>
  readJson<ReportRecord>(path, (value) => typeof value.domain === 'string' && typeof value.report === 'string');

function isKept({ receivedAt, from, report }: Partial<KeptReport>): boolean {
  return typeof receivedAt === 'number' && typeof from === 'string' && Array.isArray(report?.policies);
}

function readJson<T>(path: string, isOne: (value: Partial<T>) => boolean): T | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<T> | null;
    return value !== null && isOne(value) ? (value as T) : undefined;
  } catch {
    // Sent and moved meanwhile, or no file of ours: it is no report.
    return undefined;
  }
}

function isSame(a: ReportRecord, b: ReportRecord): boolean {
  return a.day === b.day && a.domain === b.domain;
}

/** The domain was looked up in the DNS, and still is no path: its octets are spelled out. */
function fileName({ day, domain }: ReportRecord): string {
  return `${day}!${domain.replace(/[^a-z0-9.-]/g, (letter) => `_${letter.charCodeAt(0).toString(16)}`)}.json`;
}
