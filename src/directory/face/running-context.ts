/** What an operation is given by its connection. A class: one is made for each request, and most use little of it. */
import type { Pace } from '../../base/index.ts';
import type { RequestControls } from './ber/controls.ts';
import type { OperationContext, Session } from './operations/operation.ts';
import type { RunningOperation } from './operations/running-operations.ts';
import type { Outbox } from './outbox.ts';

/** The connection behind it. */
export interface ContextParts {
  readonly session: Session;
  readonly pace: Pace;
  /** As it is now: StartTLS brings another. */
  readonly outbox: () => Outbox;
  readonly deadline: (running: RunningOperation, ms: number) => Disposable;
  readonly persist: (running: RunningOperation) => void;
}

export class RunningContext implements OperationContext {
  readonly controls: RequestControls;
  readonly #running: RunningOperation;
  readonly #parts: ContextParts;

  constructor(running: RunningOperation, controls: RequestControls, parts: ContextParts) {
    this.controls = controls;
    this.#running = running;
    this.#parts = parts;
  }

  get messageId(): number {
    return this.#running.messageId;
  }

  get session(): Session {
    return this.#parts.session;
  }

  get signal(): AbortSignal {
    return this.#running.signal;
  }

  get pace(): Pace {
    return this.#parts.pace;
  }

  send(bytes: Buffer): void {
    if (!this.#running.silent) this.#parts.outbox().write(bytes);
  }

  room(): Promise<void> | undefined {
    return this.#parts.outbox().room();
  }

  deadline(ms: number): Disposable {
    return this.#parts.deadline(this.#running, ms);
  }

  persist(): void {
    this.#parts.persist(this.#running);
  }
}
