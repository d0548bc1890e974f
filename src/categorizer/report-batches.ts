import type { Clock } from '../base/index.ts';
import type { NotificationRequest } from '../queue/index.ts';

/** Reports of one kind on one message that are written at once. */
const mostAtOnce = 10;
/** Then the next ones are collected so long, in milliseconds; twice as long each time, up to an hour. */
const firstWindowMs = 5 * 60_000;
const longestWindowMs = 60 * 60_000;
/** Messages remembered; the oldest without a batch goes. */
const mostMessages = 10_000;

interface Batch {
  readonly recipients: NotificationRequest['recipients'][number][];
  readonly written: Promise<void>;
}

interface Count {
  reports: number;
  batch: Batch | undefined;
}

/**
 * Bounds how many reports one message makes: a stranger who names a thousand recipients must not have a thousand reports
 * sent to whom he named as the sender. What comes after the first ones is collected into few; nothing is left untold.
 */
export class ReportBatches {
  readonly #clock: Clock;
  readonly #write: (request: NotificationRequest) => Promise<void>;
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock, write: (request: NotificationRequest) => Promise<void>) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Resolves when the report on all of the request is written, perhaps together with others. */
  submit(request: NotificationRequest): Promise<void> {
    const key = `${request.message.id} ${request.kind}`;
    const count = this.#countOf(key);
    if (count.batch !== undefined) {
      count.batch.recipients.push(...request.recipients);
      return count.batch.written;
    }
    count.reports += 1;
    if (count.reports <= mostAtOnce) return this.#write(request);
    count.batch = this.#open(request, count);
    return count.batch.written;
  }

  #open(request: NotificationRequest, count: Count): Batch {
    const recipients = [...request.recipients];
    const windowMs = Math.min(firstWindowMs * 2 ** (count.reports - mostAtOnce - 1), longestWindowMs);
    const written = new Promise<void>((resolve) => this.#clock.after(windowMs, resolve)).then(() => {
      count.batch = undefined;
      return this.#write({ ...request, recipients });
    });
    return { recipients, written };
  }

  #countOf(key: string): Count {
    const count = this.#counts.get(key) ?? { reports: 0, batch: undefined };
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size > mostMessages) {
      for (const [old, { batch }] of this.#counts) {
        if (batch !== undefined) continue;
        this.#counts.delete(old);
        break;
      }
    }
    return count;
  }
}
