import { type Clock, newGuid } from '../base/index.ts';
import { defaultDomain, type Snapshot, type SnapshotSource } from '../config/index.ts';
import type { Journal } from '../logs/index.ts';
import { buildReport, type Report, type ReportedRecipient, reportDue } from '../mail/index.ts';
import type { MessageWriter, NewMessage, NotificationRequest, Notifier, Spool, StoredMessage } from '../queue/index.ts';

/** Where a new message begins: the queue. */
export interface Submission {
  begin(): MessageWriter;
}

/** Where the message that a report speaks of can be read. */
export type ContentSource = Pick<Spool, 'content' | 'stream'>;

export interface NotificationParts {
  readonly submission: Submission;
  readonly contents: ContentSource;
  readonly snapshots: SnapshotSource;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** Originals up to this size, in octets, are returned whole (Exchange attaches up to 10 MB). */
const longestOriginal = 10 * 1024 ** 2;

/** Writes delivery status notifications (RFC 3464) and submits them as new messages. */
export class NotificationWriter implements Notifier {
  readonly #parts: NotificationParts;

  constructor(parts: NotificationParts) {
    this.#parts = parts;
  }

  async notify(request: NotificationRequest): Promise<void> {
    const { message, kind } = request;
    const due: ReportedRecipient[] = [];
    const suppressed = new Map<string, string[]>();
    for (const reported of request.recipients) {
      const recipient = message.envelope.recipients[reported.index];
      if (recipient === undefined) throw new RangeError(`message ${message.id} has no recipient ${reported.index}`);
      const verdict = reportDue(kind, message, recipient);
      if (verdict.due) due.push(reported);
      else suppressed.set(verdict.reason, [...(suppressed.get(verdict.reason) ?? []), recipient.address]);
    }
    for (const [reason, recipients] of suppressed) this.#tell(request, recipients, reason);
    if (due.length === 0) return;
    await this.#submit(request, due);
    this.#tell(
      request,
      due.map(({ index }) => message.envelope.recipients[index]?.address ?? ''),
      '',
    );
  }

  async #submit({ kind, message }: NotificationRequest, recipients: readonly ReportedRecipient[]): Promise<void> {
    const { clock, snapshots, submission } = this.#parts;
    const { current } = snapshots;
    const now = clock.now();
    const { header, content } = await this.#original(message);
    const report = buildReport({
      kind,
      message,
      recipients,
      reportingMta: current.server.fqdn,
      postmaster: postmasterOf(current),
      header,
      ...(content !== undefined && { content }),
      now,
      id: newGuid(),
    });
    const writer = submission.begin();
    try {
      await writer.write(report.content);
      await writer.commit(newMessage(report), now + current.server.messageExpirationTimeout * 1_000);
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** The original as far as a report may quote it: whole, or the beginning that holds its header. */
  async #original(message: StoredMessage): Promise<{ header: Buffer; content?: Buffer }> {
    const { id, facts } = message;
    const whole = this.#parts.contents.content(id);
    const wanted = facts.size <= longestOriginal && message.envelope.ret !== 'HDRS';
    if (whole !== undefined) return wanted ? { header: whole, content: whole } : { header: whole };
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.#parts.contents.stream(id)) {
      chunks.push(chunk);
      length += chunk.length;
      if (!wanted && length >= facts.headerSize) break;
    }
    const read = Buffer.concat(chunks);
    return wanted ? { header: read, content: read } : { header: read.subarray(0, facts.headerSize) };
  }

  #tell({ kind, message }: NotificationRequest, recipients: readonly string[], suppressed: string): void {
    this.#parts.journal.emit({
      kind: 'notification',
      at: this.#parts.clock.now(),
      session: message.origin.session,
      message: message.id,
      action: kind,
      to: message.envelope.from,
      recipients,
      suppressed,
    });
  }
}

/** postmaster@ the default accepted domain; an Edge that has none uses its own name. */
export function postmasterOf({ acceptedDomains, server }: Pick<Snapshot, 'acceptedDomains' | 'server'>): string {
  return `postmaster@${defaultDomain(acceptedDomains) ?? server.fqdn}`;
}

function newMessage({ envelope, facts }: Report): NewMessage {
  return {
    envelope,
    origin: { session: '', connector: 'DSN', remoteAddress: '', localAddress: '', helo: '' },
    facts,
  };
}
