/** What an operation gets and gives, whatever it does. */

import type { Pace } from '../../../base/index.ts';
import type { Peer, Principal } from '../access/identity.ts';
import type { RequestControls } from '../ber/controls.ts';
import type { Call } from '../ber/request.ts';
import type { Result } from '../ber/result.ts';

/** The connection as operations see it. */
export interface Session {
  /** Short name for the log. */
  readonly id: string;
  readonly peer: Peer;
  /** Set by a bind only. */
  principal: Principal;
  /** Values that operations keep for this connection, such as paged searches; disposed of at its end. */
  readonly kept: Map<string, Disposable>;
  /** Ends an operation of this connection before its time: RFC 3909 §2.2. */
  cancel(messageId: number): 'canceled' | 'noSuchOperation' | 'tooLate' | 'cannotCancel';
}

/** Why an operation is stopped, as the `reason` of its signal. */
export type StopReason = 'abandoned' | 'canceled' | 'disconnected' | 'timeLimit';

/** One operation under way. */
export interface OperationContext {
  readonly messageId: number;
  readonly session: Session;
  readonly controls: RequestControls;
  readonly signal: AbortSignal;
  /** Sends a response that is not the last one. */
  send(bytes: Buffer): void;
  /** A promise when the client must read on first. */
  room(): Promise<void> | undefined;
  /** Stops the operation with the reason `timeLimit` after some milliseconds, unless disposed of before. */
  deadline(ms: number): Disposable;
  /** How it gives way to others while it works. */
  readonly pace: Pace;
  /** Tells that the operation now only waits for changes: it does not hold up a bind or count as outstanding. */
  persist(): void;
}

/** Does one kind of operation. Throws LdapError for a refusal. */
export type Operation<C extends Call> = (call: C, context: OperationContext) => Promise<Result>;
