import type { ShellEndpoint } from '../../shell/caller/index.ts';

/** What a shell is on: the server's name, and whether its service runs. */
export interface Place {
  readonly serverName: string;
  readonly running: boolean;
}

/** A session, and where it is. */
export interface Runner extends ShellEndpoint, AsyncDisposable {
  readonly place: Place;
  /** Loads what the first line needs, while the person reads the prompt. */
  prepare?(): Promise<void>;
  /** Gives the session up, because its line does not stop; the next line has a new one. */
  abandon?(): void;
}
