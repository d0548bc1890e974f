/** Has the directory process check the names and passwords of SMTP clients. */
import { wellKnownSids } from '../../config/index.ts';
import type { LogonOutcome, LogonQuestion } from '../../processes/index.ts';
import type { LogonAnswer, LogonChecker, LogonRequest } from '../../smtp-receive/index.ts';

/** Checks of this worker that may be under way, and those of one client: beyond, the client is asked to come again. */
const mostWaiting = 64;
const mostOfAddress = 8;

/** Asks through the supervisor. Rejects when nobody answers. */
export type AskDirectory = (question: LogonQuestion) => Promise<LogonOutcome>;

export class LogonClient implements LogonChecker {
  readonly #ask: AskDirectory;
  readonly #waiting = new Map<string, number>();
  #total = 0;

  constructor(ask: AskDirectory) {
    this.#ask = ask;
  }

  async check({ name, password, address }: LogonRequest): Promise<LogonAnswer> {
    const mine = this.#waiting.get(address) ?? 0;
    if (this.#total >= mostWaiting || mine >= mostOfAddress) return { kind: 'unavailable' };
    this.#total++;
    this.#waiting.set(address, mine + 1);
    try {
      const question = { name, password: Buffer.from(password).toString('base64'), address };
      const { kind } = await this.#ask(question);
      if (kind !== 'accepted') return { kind };
      return {
        kind,
        principal: { name, sids: [wellKnownSids.authenticatedUsers, wellKnownSids.everyone] },
      };
    } catch {
      // The supervisor is gone or slow: nobody can say.
      return { kind: 'unavailable' };
    } finally {
      this.#total--;
      const left = (this.#waiting.get(address) ?? 1) - 1;
      if (left > 0) this.#waiting.set(address, left);
      else this.#waiting.delete(address);
    }
  }
}
