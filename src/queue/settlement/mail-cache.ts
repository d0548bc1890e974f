import type { StoredMessage } from '../model/contract.ts';
import type { HotMessage, Mail } from '../model/mail.ts';

/** What a record costs beside its content, in octets, roughly. */
const recordBytes = 2_048;

/** Messages that came in a moment ago: nearly all of them leave again before their place is needed. */
export class MailCache {
  readonly #maxBytes: number;
  readonly #mails = new Set<Mail>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(mail: Mail): boolean {
    return this.#mails.has(mail);
  }

  admit(mail: Mail, message: StoredMessage, content: Buffer | undefined): void {
    const hot: HotMessage = { message, content };
    mail.hot = hot;
    this.#mails.add(mail);
    this.#bytes += costOf(hot);
    if (this.#bytes <= this.#maxBytes) return;
    for (const oldest of this.#mails) {
      this.#drop(oldest);
      if (!this.isPinned(oldest)) oldest.hot = undefined;
      if (this.#bytes <= this.#maxBytes) return;
    }
  }

  /** Says that the record must stay: its newest states are not on the disk yet. Set by the ledger. */
  isPinned: (mail: Mail) => boolean = () => false;

  /** The message is not expected to leave soon. */
  release(mail: Mail): void {
    if (this.#mails.has(mail)) this.#drop(mail);
    if (!this.isPinned(mail)) mail.hot = undefined;
  }

  #drop(mail: Mail): void {
    this.#mails.delete(mail);
    const { hot } = mail;
    if (hot === undefined) return;
    this.#bytes -= costOf(hot);
    mail.hot = { message: hot.message, content: undefined };
  }
}

function costOf({ content }: HotMessage): number {
  return recordBytes + (content?.length ?? 0);
}
