import type { Clock } from '../base/index.ts';
import type { DnsAnswer, DnsType } from './dns-client.ts';

/** What asks the DNS. Throws DnsFailure, and what the signal aborts with. */
export interface DnsAsker {
  ask(name: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer>;
}

/** Answers kept at most; the oldest goes. Names come from strangers. */
const mostAnswers = 20_000;
/** No answer is kept longer, in seconds: a mistake in a zone must not outlive its correction by a day. */
const longestTtl = 3_600;

/** Keeps answers for their time to live, failures not at all, and asks once for several who ask at a time. */
export class CachedDns implements DnsAsker {
  readonly #asker: DnsAsker;
  readonly #clock: Clock;
  readonly #answers = new Map<string, { readonly answer: DnsAnswer; readonly until: number }>();
  readonly #asking = new Map<string, Promise<DnsAnswer>>();

  constructor(asker: DnsAsker, clock: Clock) {
    this.#asker = asker;
    this.#clock = clock;
  }

  async ask(name: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer> {
    const key = `${type} ${name.toLowerCase().replace(/\.$/, '')}`;
    const kept = this.#answers.get(key);
    if (kept !== undefined && kept.until > this.#clock.monotonic()) return kept.answer;
    this.#answers.delete(key);
    // Without the signal: who gives up does not end the question of others.
    const asking = this.#asking.get(key) ?? this.#ask(key, name, type);
    return signal === undefined ? asking : untilAborted(asking, signal);
  }

  #ask(key: string, name: string, type: DnsType): Promise<DnsAnswer> {
    const asking = this.#asker
      .ask(name, type)
      .then((answer) => {
        const ttl = Math.min(answer.ttl, longestTtl);
        if (ttl > 0) this.#answers.set(key, { answer, until: this.#clock.monotonic() + ttl * 1_000 });
        const oldest = this.#answers.size > mostAnswers ? this.#answers.keys().next() : undefined;
        if (oldest?.done === false) this.#answers.delete(oldest.value);
        return answer;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
