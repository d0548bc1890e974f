import { oneLine, type Reply } from '../smtp/index.ts';
import type { SessionOrigin, SessionParts } from './session.ts';

/** Longest piece of what a client said that logs and events keep, in characters. */
const mostLogged = 1000;

/** What one session tells: its decisions always, its lines when the connector logs verbosely. */
export class SessionLog {
  #origin: SessionOrigin;
  #parts: Pick<SessionParts, 'journal' | 'clock'>;
  readonly #verbose: boolean;

  constructor(origin: SessionOrigin, parts: Pick<SessionParts, 'journal' | 'clock'>) {
    this.#origin = origin;
    this.#parts = parts;
    this.#verbose = origin.profile.verbose;
  }

  /** The connection stands; `permissions` are the tokens of the session's rights. */
  opened(permissions: string): void {
    if (!this.#verbose) return;
    this.#line('+', '', '');
    this.#line('*', permissions, 'Set Session Permissions');
  }

  received(line: string): void {
    if (this.#verbose) this.#line('<', printable(line), '');
  }

  /** Several lines become one, as in Exchange: `250  host Hello [ip] SIZE`. */
  sent(reply: Reply): void {
    if (!this.#verbose) return;
    const text = reply.lines.length > 1 ? `${reply.code}  ${reply.lines.join(' ')}` : oneLine(reply);
    this.#line('>', text, '');
  }

  info(data: string, context: string): void {
    if (this.#verbose) this.#line('*', printable(data), context);
  }

  /** `message`: internal id, 0 for none. */
  refused(command: string, reply: Reply, reason: string, message = 0): void {
    this.#parts.journal.emit({
      at: this.#parts.clock.now(),
      session: this.#origin.id,
      message,
      kind: 'command-refused',
      command: printable(command),
      reply: oneLine(reply),
      reason: printable(reason),
    });
  }

  /** `context`: who closed, as Exchange writes it. */
  closed(reason: string, context: string): void {
    const at = this.#parts.clock.now();
    this.#parts.journal.emit({ at, session: this.#origin.id, message: 0, kind: 'session-closed', reason });
    if (this.#verbose) this.#line('-', '', context);
  }

  #line(event: '+' | '-' | '>' | '<' | '*', data: string, context: string): void {
    const { id, profile, local, remote } = this.#origin;
    this.#parts.journal.emit({
      at: this.#parts.clock.now(),
      session: id,
      message: 0,
      kind: 'protocol-line',
      direction: 'receive',
      connector: profile.connector.name,
      local,
      remote,
      event,
      data,
      context,
    });
  }
}

function printable(text: string): string {
  return text.slice(0, mostLogged).replace(/[\0-\x1f\x7f-\x9f]/g, ' ');
}
