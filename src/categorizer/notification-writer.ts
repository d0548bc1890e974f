import { domainToASCII } from 'node:url';
import { type Clock, newGuid } from '../base/index.ts';
import { defaultDomain, type Snapshot, type SnapshotSource } from '../config/index.ts';
import type { Journal } from '../logs/index.ts';
import {
  buildReport,
  HeaderBlock,
  languageOfSender,
  type Report,
  type ReportedRecipient,
  reportDue,
  statusOf,
} from '../mail/index.ts';
import {
  type MessageWriter,
  type NewMessage,
  type NotificationRequest,
  type Notifier,
  queuedEvent,
  type StoredMessage,
} from '../queue/index.ts';
import { beginningOf, type ContentSource } from './content-source.ts';
import { ReportBatches } from './report-batches.ts';
import { reportSettings, turnedOff } from './report-settings.ts';

/** Where a new message begins: the queue. */
export interface Submission {
  begin(): MessageWriter;
}

export interface NotificationParts {
  readonly submission: Submission;
  /** Where the message that a report speaks of can be read. */
  readonly contents: ContentSource;
  /** Octets of the largest message that some way to the domain takes. */
  readonly largest: (domain: string) => number;
  readonly snapshots: SnapshotSource;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** Writes delivery status notifications (RFC 3464) and submits them as new messages. */
export class NotificationWriter implements Notifier {
  readonly #parts: NotificationParts;
  readonly #batches: ReportBatches;

  constructor(parts: NotificationParts) {
    this.#parts = parts;
    this.#batches = new ReportBatches(parts.clock, (request) => this.#report(request));
  }

  async notify(asked: NotificationRequest): Promise<void> {
    const request = await this.#readdressed(asked);
    const { message, kind } = request;
    const due: ReportedRecipient[] = [];
    const suppressed = new Map<string, string[]>();
    for (const reported of request.recipients) {
      const recipient = message.envelope.recipients[reported.index];
      if (recipient === undefined) throw new RangeError(`message ${message.id} has no recipient ${reported.index}`);
      const verdict = reportDue(kind, message, recipient);
      const off = verdict.due ? turnedOff(this.#parts.snapshots.current, kind, message.envelope.from) : undefined;
      const reason = verdict.due ? (off ?? '') : whyNot(message, reported, verdict.reason);
      if (reason === '') due.push(reported);
      else suppressed.set(reason, [...(suppressed.get(reason) ?? []), recipient.address]);
    }
    for (const [reason, recipients] of suppressed) this.#tell(request, recipients, reason);
    if (due.length > 0) await this.#batches.submit({ ...request, recipients: due });
  }

  /** JournalingReportNdrTo: what cannot be delivered of journaling goes to who looks after it, not to who made the report. */
  async #readdressed(request: NotificationRequest): Promise<NotificationRequest> {
    const { snapshots, contents } = this.#parts;
    const { journalingReportNdrTo: to } = snapshots.current.organization;
    const { message, kind } = request;
    if (kind !== 'failed' || to === '<>') return request;
    const header = new HeaderBlock(await beginningOf(contents, message, message.facts.headerSize));
    if (header.count('x-ms-journal-report') === 0) return request;
    return { ...request, message: { ...message, envelope: { ...message.envelope, from: to } } };
  }

  async #report(request: NotificationRequest): Promise<void> {
    const { message, recipients } = request;
    const report = await this.#submit(request);
    const addresses = recipients.map(({ index }) => message.envelope.recipients[index]?.address ?? '');
    this.#tell(request, addresses, '', report);
  }

  /** Resolves with the Message-ID of the report when it is on disk. */
  async #submit({ kind, message, recipients }: NotificationRequest): Promise<string> {
    const { clock, snapshots, largest } = this.#parts;
    const { current } = snapshots;
    const now = clock.now();
    const back = domainOf(message.envelope.from);
    const settings = reportSettings(current, back);
    const { header, content } = await this.#original(message, settings.attachable);
    const report = buildReport({
      kind,
      message,
      recipients,
      reportingMta: settings.authority ?? current.server.fqdn,
      postmaster: settings.postmaster ?? postmasterOf(current),
      diagnostics: settings.remote?.ndrDiagnosticInfoEnabled ?? true,
      header,
      html: settings.html,
      language: (settings.detects ? languageOfSender(header) : undefined) ?? settings.language,
      ...(content !== undefined && { content }),
      mostBytes: largest(back) || Number.POSITIVE_INFINITY,
      now,
      id: newGuid(),
    });
    await this.#keep(report, message);
    const { generateCopyOfDSNFor } = current.organization;
    const codes = recipients.map(({ reply, phase }) => statusOf(kind, reply, phase));
    if (codes.some((code) => generateCopyOfDSNFor.includes(code)))
      await this.#keep(copyFor(postmasterOf(current), report), message);
    return report.facts.messageId;
  }

  async #keep(report: Report, about: StoredMessage): Promise<void> {
    const { clock, snapshots, submission } = this.#parts;
    const now = clock.now();
    const writer = submission.begin();
    try {
      await writer.write(report.content);
      const expiresAt = now + snapshots.current.server.messageExpirationTimeout * 1_000;
      const stored = await writer.commit(newMessage(report), expiresAt);
      this.#parts.journal.emit(
        queuedEvent(stored, stored, { at: now, source: 'DSN', reply: '', reference: about.facts.messageId }),
      );
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** The original as far as a report may quote it: whole, or the beginning that holds its header. */
  async #original(message: StoredMessage, mostBytes: number): Promise<{ header: Buffer; content?: Buffer }> {
    const { facts, envelope } = message;
    const wanted = facts.size <= mostBytes && envelope.ret !== 'HDRS' && envelope.tls !== 'required';
    const read = await beginningOf(this.#parts.contents, message, wanted ? facts.size : facts.headerSize);
    return wanted ? { header: read, content: read } : { header: read };
  }

  #tell({ kind, message }: NotificationRequest, recipients: readonly string[], suppressed: string, report = ''): void {
    this.#parts.journal.emit({
      kind: 'notification',
      at: this.#parts.clock.now(),
      session: message.origin.session,
      message: message.id,
      action: kind,
      to: message.envelope.from,
      recipients,
      suppressed,
      report,
    });
  }
}

/** postmaster@ the default accepted domain; an Edge that has none uses its own name. */
export function postmasterOf({ acceptedDomains, server }: Pick<Snapshot, 'acceptedDomains' | 'server'>): string {
  return `postmaster@${defaultDomain(acceptedDomains) ?? server.fqdn}`;
}

function domainOf(address: string): string {
  return domainToASCII(address.slice(address.lastIndexOf('@') + 1)).toLowerCase();
}

/** A report of ours that cannot be delivered ends here, and is told with the reason. */
function whyNot({ origin }: StoredMessage, { reply }: ReportedRecipient, reason: string): string {
  return origin.connector === 'DSN' ? `it is itself a report, which is lost: ${reply}` : reason;
}

/** GenerateCopyOfDSNFor: the report as the postmaster gets it. */
function copyFor(postmaster: string, report: Report): Report {
  return {
    ...report,
    envelope: {
      ...report.envelope,
      recipients: [{ address: postmaster, domain: domainOf(postmaster), notify: ['NEVER'] }],
    },
  };
}

function newMessage({ envelope, facts }: Report): NewMessage {
  return {
    envelope,
    origin: { session: '', connector: 'DSN', remoteAddress: '', localAddress: '', helo: '' },
    facts,
  };
}
