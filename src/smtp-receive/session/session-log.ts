import { longestLogged, printable } from '../../base/index.ts';
import { oneLine, type Reply } from '../../smtp/index.ts';
import type { SessionOrigin, SessionParts } from './session-parts.ts';

/** Refusals of one session that are told in full. A stranger makes thousands in a second, and they push out everybody's decisions. */
const mostRefusalsTold = 50;

/** What one session tells: its decisions always, its lines when the connector logs verbosely. */
export class SessionLog {
  #origin: SessionOrigin;
  #parts: Pick<SessionParts, 'journal' | 'clock'>;
  readonly #verbose: boolean;
  #refusals = 0;

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
    if (this.#verbose) this.#line('<', line, '');
  }

  /** Several lines become one, as in Exchange: `250  host Hello [ip] SIZE`. */
  sent(reply: Reply): void {
    if (!this.#verbose) return;
    const text = reply.lines.length > 1 ? `${reply.code}  ${reply.lines.join(' ')}` : oneLine(reply);
    this.#line('>', text, '');
  }

  info(data: string, context: string): void {
    if (this.#verbose) this.#line('*', data, context);
  }

  /** `message`: internal id, 0 for none. Behind the first ones refusals are only counted. */
  refused(command: string, reply: Reply, reason: string, message = 0): void {
    if (++this.#refusals > mostRefusalsTold) return;
    this.#parts.journal.emit({
      at: this.#parts.clock.now(),
      session: this.#origin.id,
      message,
      kind: 'command-refused',
      command: printable(command, longestLogged),
      reply: oneLine(reply),
      reason: printable(reason, longestLogged),
    });
  }

  /** `context`: who closed, as Exchange writes it. */
  closed(reason: string, context: string): void {
    const at = this.#parts.clock.now();
    const untold = this.#refusals - mostRefusalsTold;
    const told = printable(untold > 0 ? `${reason}; ${untold} more refusals were only counted` : reason, longestLogged);
    this.#parts.journal.emit({ at, session: this.#origin.id, message: 0, kind: 'session-closed', reason: told });
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
      // Our own replies are bounded, and a cut would lose the ids at their end.
      data: event === '>' ? printable(data) : printable(data, longestLogged),
      context: printable(context, longestLogged),
    });
  }
}
