import type { Clock } from '../../base/index.ts';
import type { DecisionEvent, EventKind, EventOf, Journal } from '../../logs/index.ts';
import type { ConversationObserver } from './connection-settings.ts';

type Told<K extends EventKind> = Omit<EventOf<K>, 'at' | 'session' | 'message' | 'kind'>;

/** Puts the head on the events of one connection. */
export class SessionLog {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #session: string;

  constructor(journal: Journal, clock: Clock, session: string) {
    this.#journal = journal;
    this.#clock = clock;
    this.#session = session;
  }

  /** `message`: the internal id of the message that it is about. */
  tell<K extends EventKind>(kind: K, facts: Told<K>, message = 0): void {
    const head = { at: this.#clock.now(), session: this.#session, message, kind };
    // The compiler does not put a generic union together again; `Told` has checked the facts.
    this.#journal.emit({ ...head, ...facts } as unknown as DecisionEvent);
  }

  /** Lines for the protocol log of a connector whose ProtocolLoggingLevel is Verbose. */
  conversation(
    connector: string,
    local: string,
    remote: string,
  ): ConversationObserver & { ended(reason: string): void } {
    const line = (event: '+' | '-' | '>' | '<', data: string, context = ''): void => {
      this.tell('protocol-line', { direction: 'send', connector, local, remote, event, data, context });
    };
    line('+', '');
    return {
      sent: (text) => line('>', text),
      received: ({ text }) => line('<', text),
      ended: (reason) => line('-', '', reason),
    };
  }
}
