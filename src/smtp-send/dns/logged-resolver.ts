import type { Clock } from '../../base/index.ts';
import { type AddressAnswer, DnsError, type MailResolver, type MxAnswer } from './resolver.ts';

/** A line of the DNS log. */
export type DnsTeller = (at: number, question: string, outcome: string, milliseconds: number) => void;

/** Tells every question and what came of it. */
export class LoggedResolver implements MailResolver {
  readonly #inner: MailResolver;
  readonly #clock: Clock;
  readonly #tell: DnsTeller;

  constructor(inner: MailResolver, clock: Clock, tell: DnsTeller) {
    this.#inner = inner;
    this.#clock = clock;
    this.#tell = tell;
  }

  mx(domain: string, signal: AbortSignal): Promise<MxAnswer> {
    return this.#told(`MX ${domain}`, this.#inner.mx(domain, signal), ({ records }) =>
      records.map(({ priority, exchange }) => `${priority} ${exchange}`),
    );
  }

  addresses(host: string, signal: AbortSignal): Promise<AddressAnswer> {
    return this.#told(`A/AAAA ${host}`, this.#inner.addresses(host, signal), ({ addresses }) => addresses);
  }

  hostAddresses(host: string, signal: AbortSignal): Promise<AddressAnswer> {
    return this.#told(`host ${host}`, this.#inner.hostAddresses(host, signal), ({ addresses }) => addresses);
  }

  async #told<T extends { readonly secure: boolean }>(
    question: string,
    asked: Promise<T>,
    found: (answer: T) => readonly string[],
  ): Promise<T> {
    const began = this.#clock.monotonic();
    const tell = (outcome: string): void =>
      this.#tell(this.#clock.now(), question, outcome, Math.round(this.#clock.monotonic() - began));
    try {
      const answer = await asked;
      const records = found(answer).join(' ');
      tell(`${records === '' ? 'no record' : records}${answer.secure ? ' (secure)' : ''}`);
      return answer;
    } catch (error) {
      tell(error instanceof DnsError ? error.message : 'given up');
      throw error;
    }
  }
}
