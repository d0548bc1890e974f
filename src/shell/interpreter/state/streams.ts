import type { Question } from '../../endpoint.ts';
import type { ErrorRecord } from './error-record.ts';

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

/** Streams beside the output, by the number that redirections give them. */
export type SideStream = '2' | '3' | '4' | '6';

/** Streams of which some go elsewhere. */
export function diverted(streams: Streams, to: ReadonlyMap<SideStream, (item: unknown) => void>): Streams {
  const pick = <T>(stream: SideStream, own: (item: T) => void): ((item: T) => void) => to.get(stream) ?? own;
  return {
    error: pick('2', (record) => streams.error(record)),
    warning: pick('3', (text) => streams.warning(text)),
    verbose: pick('4', (text) => streams.verbose(text)),
    print: pick('6', (text) => streams.print(text)),
    progress: (activity, status, percent) => streams.progress(activity, status, percent),
    ...(streams.ask === undefined ? {} : { ask: streams.ask }),
  };
}
