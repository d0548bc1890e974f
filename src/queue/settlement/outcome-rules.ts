/** From the outcomes of one attempt to what must be done: pure. */
import type { ReportedRecipient } from '../../mail/index.ts';
import type { RecipientState, StoredMessage } from '../model/contract.ts';
import type { NotificationRequest, RecipientOutcome } from '../model/delivery.ts';
import type { StateChange } from './ledger.ts';

export const replies = {
  expired: '550 4.4.7 QUEUE.Expired; message expired',
  deleted: '550 4.3.2 QUEUE.Admin; message deleted by administrative action',
} as const;

/** A report that is owed before the recipients' new states may become durable. */
export interface OwedReport {
  readonly kind: NotificationRequest['kind'];
  readonly recipients: readonly ReportedRecipient[];
  readonly changes: readonly StateChange[];
}

export interface OutcomePlan {
  /** States that may become durable at once. */
  readonly changes: readonly StateChange[];
  readonly reports: readonly OwedReport[];
  /** Recipients that stay in the queue. */
  readonly kept: readonly number[];
  /** Outcomes as they count: a deferral after the expiry is a failure. */
  readonly outcomes: readonly RecipientOutcome[];
}

export interface Attempt {
  readonly message: StoredMessage;
  readonly recipients: readonly number[];
  readonly outcomes: readonly RecipientOutcome[];
  readonly remote: string;
  readonly now: number;
  /** When deferred recipients are due again. */
  readonly retryAt: number;
  /** A deferral counts as a failure with this reply: the message has expired, or an administrator removes it. */
  readonly ending?: string;
  /** False: nobody is told of failures. */
  readonly report: boolean;
  /** False: no host was asked. */
  readonly counts: boolean;
}

const nothing: readonly never[] = [];

/** Judges each recipient by its own outcome. */
export function planOutcomes(attempt: Attempt): OutcomePlan {
  const { message, recipients, outcomes } = attempt;
  const changes: StateChange[] = [];
  const kept: number[] = [];
  const judged: RecipientOutcome[] = [];
  let owed: Map<OwedReport['kind'], { recipients: ReportedRecipient[]; changes: StateChange[] }> | undefined;
  for (const [i, index] of recipients.entries()) {
    const outcome = final(outcomes[i], attempt);
    judged.push(outcome);
    const change: StateChange = [index, stateAfter(message.recipients[index], outcome, attempt)];
    if (outcome.kind === 'deferred') kept.push(index);
    if (!owesReport(message, index, outcome, attempt.report)) {
      changes.push(change);
      continue;
    }
    owed ??= new Map();
    const report = owed.get(outcome.kind) ?? { recipients: [], changes: [] };
    owed.set(outcome.kind, report);
    const phase = 'phase' in outcome ? outcome.phase : undefined;
    const told = { index, reply: outcome.reply, remote: attempt.remote };
    report.recipients.push(phase === undefined ? told : { ...told, phase });
    report.changes.push(change);
  }
  const reports = owed === undefined ? nothing : [...owed].map(([kind, report]) => ({ kind, ...report }));
  return { changes, reports, kept, outcomes: judged };
}

function final(outcome: RecipientOutcome | undefined, { ending }: Attempt): RecipientOutcome {
  if (outcome === undefined) throw new RangeError('a recipient has no outcome');
  if (outcome.kind !== 'deferred' || ending === undefined) return outcome;
  // The sender hears what the next hop said last: that time ran out explains nothing.
  const last = outcome.reply === '' || ending !== replies.expired ? '' : `; the last answer was: ${outcome.reply}`;
  return { kind: 'failed', reply: `${ending}${last}` };
}

function owesReport(
  message: StoredMessage,
  index: number,
  outcome: RecipientOutcome,
  report: boolean,
): outcome is Exclude<RecipientOutcome, { kind: 'deferred' }> {
  if (outcome.kind === 'deferred') return false;
  // Failures are always told to the notifier: it knows, and journals, when nobody is to hear of them.
  if (outcome.kind === 'failed') return report;
  return message.envelope.recipients[index]?.notify?.includes('SUCCESS') ?? false;
}

function stateAfter(
  before: RecipientState | undefined,
  outcome: RecipientOutcome,
  { retryAt, counts }: Attempt,
): RecipientState {
  return {
    status: outcome.kind === 'deferred' ? 'pending' : outcome.kind,
    attempts: (before?.attempts ?? 0) + (counts ? 1 : 0),
    due: outcome.kind === 'deferred' ? retryAt : 0,
    lastReply: outcome.reply,
    delayNotified: before?.delayNotified ?? false,
  };
}
