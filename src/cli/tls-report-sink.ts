/** Where the reports of `edge tls test` go: standard output or a file, in the form that was asked for. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import { printable, printableJson } from '../base/index.ts';
import { onFile } from '../base/text/index.ts';
import {
  changedSince,
  csvHead,
  csvLines,
  htmlReport,
  junitHead,
  junitSuite,
  junitTail,
  type Profile,
  type Report,
  rankOf,
  sarifLog,
  signReports,
  statusOf,
  textReport,
} from '../compliance/index.ts';
import type { Terminal } from './parts.ts';

export type ReportForm = 'text' | 'json' | 'csv' | 'html' | 'junit' | 'sarif';

export interface SinkOptions {
  readonly format: ReportForm;
  readonly output?: string;
  /** The earlier output that this run goes on with; reports are added to it where it is `output`. */
  readonly resume?: string;
  readonly failOn: 'notice' | 'warn' | 'fail';
  /** Private key, PEM; its signature goes beside the output. */
  readonly signingKey?: string;
  readonly baseline?: readonly Report[];
  readonly profiles: readonly Profile[];
  /** Rules that are met, too. */
  readonly all: boolean;
}

type Status = 0 | 1 | 2;

/** Keeps only what a form needs whole. */
export class ReportSink implements Disposable {
  readonly #options: SinkOptions;
  readonly #terminal: Terminal;
  readonly #file: number | undefined;
  readonly #signature: number | undefined;
  readonly #kept: Report[] = [];
  #status: Status | undefined;
  #shown = false;
  #begun = false;

  /** Opens the files: the process may have another account later. Throws what the system says. */
  constructor(options: SinkOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
    const { output, signingKey } = options;
    this.#file = output === undefined ? undefined : openOutput(output);
    this.#signature = signingKey === undefined ? undefined : openOutput(`${output ?? ''}.jws`);
  }

  /** Counts a report of an earlier run, which is not shown again. */
  count(report: Report): void {
    // A miss beats what was not tested, and that beats nothing.
    const status = statusOf([report], this.#options.failOn);
    this.#status = this.#status === 1 || status === 1 ? 1 : this.#status === 2 ? 2 : status;
  }

  progress(endpoint: string, text: string): void {
    if (!process.stderr.isTTY) return;
    this.#terminal.error(`\r\x1b[K${printable(endpoint)}: ${text}`);
    this.#shown = true;
  }

  take(report: Report): void {
    this.#begin();
    this.#clear();
    this.count(report);
    const { format, baseline, profiles, all } = this.#options;
    const shown = baseline === undefined ? report : changedSince(report, baseline);
    if (format === 'json') this.#write(`${printableJson(shown)}\n`);
    if (format === 'csv') this.#write(csvLines(shown));
    if (format === 'text')
      this.#write(
        textReport(shown, { profiles, colour: this.#colour(), all, changes: baseline !== undefined, ...this.#width() }),
      );
    if (['html', 'junit', 'sarif'].includes(format) || this.#signature !== undefined) this.#kept.push(shown);
  }

  /** Writes what comes last; gives the exit status. */
  end(): number {
    this.#begin();
    this.#clear();
    const { format, profiles, failOn, signingKey } = this.#options;
    if (format === 'html') this.#write(htmlReport(this.#kept, profiles));
    if (format === 'sarif') this.#write(sarifLog(this.#kept, profiles, packageFile.version));
    if (format === 'junit') {
      const level = rankOf(failOn);
      this.#write(`${junitHead}${this.#kept.map((report) => junitSuite(report, level)).join('')}${junitTail}`);
    }
    if (this.#signature !== undefined && signingKey !== undefined) {
      ftruncateSync(this.#signature);
      writeSync(this.#signature, `${signReports(this.#kept, signingKey)}\n`);
    }
    return this.#status ?? 2;
  }

  [Symbol.dispose](): void {
    this.#clear();
    for (const file of [this.#file, this.#signature]) if (file !== undefined) closeSync(file);
  }

  /** What the file held stays until there is something to take its place. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const { output = '', resume, format } = this.#options;
    const goesOn = resume !== undefined && resolve(resume) === resolve(output);
    if (this.#file !== undefined && fstatSync(this.#file).isFile())
      ftruncateSync(this.#file, goesOn ? wholeLines(readFileSync(output)) : 0);
    if (format === 'csv') this.#write(csvHead);
  }

  #clear(): void {
    if (this.#shown) this.#terminal.error('\r\x1b[K');
    this.#shown = false;
  }

  /** Of the terminal; a file has 80 columns. */
  #width(): { readonly width?: number } {
    return this.#file === undefined && process.stdout.isTTY ? { width: Math.min(process.stdout.columns, 120) } : {};
  }

  #colour(): boolean {
    return this.#file === undefined && process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  }

  #write(text: string): void {
    if (this.#file === undefined) this.#terminal.out(text);
    else onFile(this.#options.output ?? '', () => writeSync(this.#file ?? 0, text));
  }
}

/** For writing at its end, whatever it holds. */
function openOutput(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o644);
}

/** Octets up to the last line that was written whole: a run may have been killed while it wrote. */
function wholeLines(text: Buffer): number {
  return text.lastIndexOf(0x0a) + 1;
}
