/** The operations of one connection that are under way: abandon (RFC 4511 §4.11), cancel (RFC 3909), the bar before a bind. */
import { LdapError } from '../../../ldap/index.ts';
import type { AnsweredKind } from '../ber/request.ts';
import type { StopReason } from './operation.ts';

export class RunningOperation {
  readonly messageId: number;
  readonly kind: AnsweredKind;
  /** Only waits for changes; nothing waits for it. */
  persistent = false;
  /** Nothing more may be sent for it. */
  silent = false;
  /** Made when somebody listens: most operations end before anyone could stop them. */
  #controller: AbortController | undefined;
  #reason: StopReason | undefined;

  constructor(messageId: number, kind: AnsweredKind) {
    this.messageId = messageId;
    this.kind = kind;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  stop(reason: StopReason): void {
    // An operation that is canceled or out of time still answers, with that as its result.
    if (reason === 'abandoned' || reason === 'disconnected') this.silent = true;
    this.#reason ??= reason;
    this.#controller?.abort(reason);
  }
}

export class RunningOperations {
  readonly #operations = new Map<number, RunningOperation>();
  #persistent = 0;
  #waiting: { readonly but: RunningOperation; readonly resolve: () => void } | undefined;

  get size(): number {
    return this.#operations.size;
  }

  /** Operations under way that will end by themselves. */
  get outstanding(): number {
    return this.#operations.size - this.#persistent;
  }

  has(messageId: number): boolean {
    return this.#operations.has(messageId);
  }

  begin(messageId: number, kind: AnsweredKind): RunningOperation {
    const operation = new RunningOperation(messageId, kind);
    this.#operations.set(messageId, operation);
    return operation;
  }

  end(operation: RunningOperation): void {
    if (this.#operations.delete(operation.messageId) && operation.persistent) this.#persistent -= 1;
    this.#wake();
  }

  /** Throws LdapError when there are enough of these. */
  persist(operation: RunningOperation, limit: number): void {
    if (operation.persistent) return;
    if (this.#persistent >= limit)
      throw new LdapError('adminLimitExceeded', `${limit} searches wait for changes already`);
    operation.persistent = true;
    this.#persistent += 1;
    this.#wake();
  }

  /** Only searches stop; a write that is begun goes on, unanswered. Bind and StartTLS cannot be abandoned. */
  abandon(messageId: number): void {
    const operation = this.#operations.get(messageId);
    if (operation !== undefined && operation.kind !== 'bind' && operation.kind !== 'extended')
      operation.stop('abandoned');
  }

  cancel(messageId: number): 'canceled' | 'noSuchOperation' | 'tooLate' | 'cannotCancel' {
    const operation = this.#operations.get(messageId);
    if (operation === undefined) return 'noSuchOperation';
    if (operation.kind === 'bind' || operation.kind === 'extended') return 'cannotCancel';
    if (operation.kind !== 'search') return 'tooLate';
    operation.stop('canceled');
    return 'canceled';
  }

  stopAll(reason: StopReason): void {
    for (const operation of this.#operations.values()) operation.stop(reason);
  }

  /** Resolves when every other operation has ended; those that only wait for changes are abandoned. */
  allBut(operation: RunningOperation): Promise<void> {
    for (const other of this.#operations.values()) if (other.persistent) other.stop('abandoned');
    return new Promise((resolve) => {
      this.#waiting = { but: operation, resolve };
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waiting === undefined) return;
    for (const operation of this.#operations.values()) {
      if (operation !== this.#waiting.but && !operation.persistent) return;
    }
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve();
  }
}
