import type { Journal } from '../../logs/index.ts';
import type { StoredMessage } from '../model/contract.ts';
import type { NextHop, RecipientOutcome } from '../model/delivery.ts';

/** An attempt as the journal tells it. */
export interface ToldAttempt {
  readonly message: StoredMessage;
  readonly hop: NextHop;
  readonly recipients: readonly number[];
  readonly outcomes: readonly RecipientOutcome[];
  readonly remote: string;
  readonly at: number;
  readonly retryAt: number;
}

type EventKind = 'delivered' | 'deferred' | 'failed';

const kinds: readonly EventKind[] = ['delivered', 'deferred', 'failed'];

/** One event for each kind of outcome that the attempt had. */
export function tellOutcomes(journal: Journal, attempt: ToldAttempt): void {
  for (const kind of kinds) {
    if (!attempt.outcomes.some((outcome) => eventOf(outcome) === kind)) continue;
    const recipients: string[] = [];
    const replies: string[] = [];
    let tries = 0;
    for (const [i, index] of attempt.recipients.entries()) {
      const outcome = attempt.outcomes[i];
      if (outcome === undefined || eventOf(outcome) !== kind) continue;
      recipients.push(attempt.message.envelope.recipients[index]?.address ?? '');
      replies.push(outcome.reply);
      tries = Math.max(tries, (attempt.message.recipients[index]?.attempts ?? 0) + 1);
    }
    if (recipients.length === 0) continue;
    const told = { recipients, replies, attempt: tries };
    if (kind === 'deferred') journal.emit({ ...factsOf(kind, attempt), ...told, retryAt: attempt.retryAt });
    else journal.emit({ ...factsOf(kind, attempt), ...told });
  }
}

export function tellExpiry(journal: Journal, message: StoredMessage, recipients: readonly number[], at: number): void {
  journal.emit({
    kind: 'message-expired',
    at,
    session: message.origin.session,
    message: message.id,
    recipients: recipients.map((index) => message.envelope.recipients[index]?.address ?? ''),
  });
}

function eventOf({ kind }: RecipientOutcome): EventKind {
  return kind === 'relayed' ? 'delivered' : kind;
}

function factsOf<K extends EventKind>(kind: K, { message, hop, remote, at }: ToldAttempt) {
  return {
    at,
    session: message.origin.session,
    message: message.id,
    kind,
    guid: message.guid,
    messageId: message.facts.messageId,
    subject: message.facts.subject,
    from: message.envelope.from,
    size: message.facts.size,
    hop: hop.key,
    connector: hop.connector,
    remote,
    local: '',
  };
}
