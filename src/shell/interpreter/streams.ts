import { type Question } from '../endpoint.ts';
import { type ErrorRecord } from './error-record.ts';

/** Where a line writes beside its objects. */
export interface Streams {
  error(record: ErrorRecord): void;
  warning(text: string): void;
  verbose(text: string): void;
  print(text: string): void;
  progress(activity: string, status: string, percent?: number): void;
  /** Absent when nobody can answer. */
  readonly ask?: (question: Question) => Promise<string>;
}

/** Streams that keep nothing, for redirections to `$null`. */
export function silenced(streams: Streams, which: ReadonlySet<'error' | 'warning' | 'verbose'>): Streams {
  const silent = (): void => undefined;
  return {
    error: which.has('error') ? silent : (record) => streams.error(record),
    warning: which.has('warning') ? silent : (text) => streams.warning(text),
    verbose: which.has('verbose') ? silent : (text) => streams.verbose(text),
    print: (text) => streams.print(text),
    progress: (activity, status, percent) => streams.progress(activity, status, percent),
    ...(streams.ask === undefined ? {} : { ask: streams.ask }),
  };
}
