/** The reports of the days before on disk: made, waiting for their hour, and sent. One file for each day and domain. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../base/index.ts';
import { type DayCounts, readCounts } from './day-counts.ts';

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

/** Reports that were sent are kept so many days. */
const keptDays = 30;
const waiting = 'waiting';
const sent = 'sent';

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

function readRecord(path: string): ReportRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<ReportRecord> | null;
    return typeof value?.domain === 'string' && typeof value.report === 'string' ? (value as ReportRecord) : undefined;
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
