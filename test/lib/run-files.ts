/** Runs files of tests, and tells of each one what became of its tests. */
import { relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import type { TestProcess } from './shared-processes.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Failure {
  /** Place and name of the test; of a process that ended early, the file. */
  readonly where: string;
  readonly text: string;
}

/** What became of a file, or of a process that several files shared and that ended early. */
export interface FileResult {
  /** Place and name of each test that passed. */
  readonly passed: string[];
  readonly failures: Failure[];
  /** Tests that did not run, with the reason. */
  readonly skipped: string[];
  /** Time that its tests took, in milliseconds. */
  ms: number;
}

/** A test defined in a module that several files of tests import belongs to the file that was run. */
interface Place {
  readonly file?: string;
  readonly entryFile?: string;
  readonly line?: number;
  readonly name: string;
}

export interface RunOptions {
  /** Processes at a time. */
  readonly concurrency: number;
  /** Called for each failure as soon as it is seen. */
  readonly failed: (failure: Failure) => void;
  /** Processes whose tests have not all ended, kept up to date. */
  readonly unfinished?: Set<string>;
}

export const shortPath = (file: string | undefined): string => relative(root, file ?? '');
const whereOf = ({ file, line, name }: Place): string => `${shortPath(file)}:${line ?? ''} ${name}`;

/**
 * Resolves when all have ended, with one result for each file, by its path. What a shared process failed in, and no file of it,
 * is under its entry; a failure that nothing can be named for is under ''.
 */
export async function runFiles(
  processes: readonly TestProcess[],
  { concurrency, failed, unfinished = new Set() }: RunOptions,
): Promise<Map<string, FileResult>> {
  const results = new Map<string, FileResult>();
  const filesOf = new Map(processes.map(({ entry, files }) => [entry, files]));
  const resultOf = ({ file = '', entryFile = file }: Partial<Place>): FileResult => {
    const key = filesOf.get(entryFile)?.includes(file) === true ? file : entryFile;
    const result = results.get(key) ?? { passed: [], failures: [], skipped: [], ms: 0 };
    results.set(key, result);
    return result;
  };
  const fail = (place: Partial<Place>, failure: Failure): void => {
    resultOf(place).failures.push(failure);
    failed(failure);
  };

  // Not --test-force-exit: it ends a process before all of its results are out.
  const execArgv = ['--disable-warning=ExperimentalWarning', '--import', `${root}test/lib/end-of-file.ts`];
  const stream = run({ files: [...filesOf.keys()], concurrency, timeout: 600_000, execArgv });
  stream.on('test:dequeue', ({ file, nesting }) => {
    if (nesting === 0 && file !== undefined) unfinished.add(file);
  });
  stream.on('test:complete', ({ file, nesting }) => {
    if (nesting === 0 && file !== undefined) unfinished.delete(file);
  });
  // Of a process that ends in the middle of its tests the runner may tell nothing: its own summary is the sign that it came to its end.
  const atTheirEnd = new Set<string>();
  stream.on('test:summary', ({ file }) => {
    if (file !== undefined) atTheirEnd.add(file);
  });
  stream.on('test:pass', (data) => {
    const { name, skip, details } = data;
    if (details.type === 'suite') return;
    const result = resultOf(data);
    result.ms += details.duration_ms;
    if (skip === undefined || skip === false) result.passed.push(whereOf(data));
    else result.skipped.push(`${shortPath(data.file)}: ${name}: ${typeof skip === 'string' ? skip : 'skipped'}`);
  });
  stream.on('test:fail', (data) => {
    const { details } = data;
    if (details.type === 'suite' && /subtests? failed/.test(details.error.message)) return;
    const cause = details.error.cause ?? details.error;
    fail(data, { where: whereOf(data), text: typeof cause === 'string' ? cause : inspect(cause) });
  });
  stream.on('test:stderr', ({ file, message }) => void process.stderr.write(`${shortPath(file)}: ${message}`));
  for await (const _ of stream) {
    // Reading the stream keeps it going; the listeners above do the work.
  }
  for (const { entry, files } of processes)
    if (!atTheirEnd.has(entry)) {
      fail({ file: entry }, { where: shortPath(entry), text: 'its process ended before its last test' });
    } else
      for (const file of files.filter((name) => !results.has(name)))
        fail({ file }, { where: shortPath(file), text: 'none of its tests ran' });
  return results;
}
