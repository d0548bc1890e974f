/** Counts the recipients that EdgeSync writes: a line for each would push everything else out of the service log. */
import type { FaceEvent } from '../../directory/index.ts';
import { recipientsDn } from './place.ts';

/** Writes of one connection since its last line. */
export interface WrittenRecipients {
  readonly connection: string;
  readonly actor: string;
  /** By operation. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A connection that goes on has a line so often, in milliseconds. */
const lineMs = 60_000;

interface Open {
  readonly actor: string;
  readonly since: number;
  readonly counts: Record<string, number>;
}

export class RecipientWrites {
  readonly #now: () => number;
  readonly #tell: (written: WrittenRecipients) => void;
  readonly #open = new Map<string, Open>();

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number, tell: (written: WrittenRecipients) => void) {
    this.#now = now;
    this.#tell = tell;
  }

  /** Whether the event was counted, and has no line of its own. What is refused always has one. */
  take(event: FaceEvent): boolean {
    if (event.kind === 'disconnected') this.#close(event.connection);
    if (event.kind !== 'write' || event.code !== 0 || !event.dn.endsWith(below)) return false;
    const { connection, actor, operation } = event;
    const open = this.#open.get(connection) ?? { actor, since: this.#now(), counts: {} };
    open.counts[operation] = (open.counts[operation] ?? 0) + 1;
    this.#open.set(connection, open);
    if (this.#now() - open.since > lineMs || open.actor !== actor) this.#close(connection);
    return true;
  }

  #close(connection: string): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    this.#open.delete(connection);
    this.#tell({ connection, actor: open.actor, counts: open.counts });
  }
}

/** As EdgeSync spells it; one who spells it otherwise has his lines. */
const below = `,${recipientsDn}`;
