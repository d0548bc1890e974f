/** Has the directory process check the names, passwords and certificates of SMTP clients. */
import { wellKnownSids } from '../../config/index.ts';
import type { LogonOutcome, LogonQuestion } from '../../processes/index.ts';
import type { CertificateLogonRequest, LogonAnswer, LogonChecker, LogonRequest } from '../../smtp-receive/index.ts';

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

  check({ name, password, address }: LogonRequest): Promise<LogonAnswer> {
    return this.#check({ name, password: Buffer.from(password).toString('base64'), certificate: '', address });
  }

  checkCertificate({ certificate, address }: CertificateLogonRequest): Promise<LogonAnswer> {
    return this.#check({ name: '', password: '', certificate: certificate.toString('base64'), address });
  }

  async #check(question: LogonQuestion): Promise<LogonAnswer> {
    const { address } = question;
    const mine = this.#waiting.get(address) ?? 0;
    if (this.#total >= mostWaiting || mine >= mostOfAddress) return { kind: 'unavailable' };
    this.#total++;
    this.#waiting.set(address, mine + 1);
    try {
      const { kind, name, sids } = await this.#ask(question);
      if (kind !== 'accepted') return { kind };
      const { authenticatedUsers, everyone } = wellKnownSids;
      return { kind, principal: { name, sids: [...sids, authenticatedUsers, everyone] } };
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
