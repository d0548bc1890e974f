/** MAIL: who may send, as whom, and how much (RFC 5321 §4.1.1.2, RFC 1870). */
import type { AcceptedDomainTable } from '../config/index.ts';
import { type MailArgument, parseMailArgument, replies, SmtpError } from '../smtp/index.ts';
import type { ConnectorProfile, RightCheck } from './connector-profile.ts';
import type { Session } from './session.ts';
import { Transaction } from './transaction.ts';

/**
 * The right that a sender needs: its own one for addresses of authoritative domains, which strangers might forge,
 * Accept-Any-Sender for all others. None for the null sender.
 */
export function senderRight(
  from: MailArgument['from'],
  domains: AcceptedDomainTable,
  profile: Pick<ConnectorProfile, 'authoritativeSender' | 'anySender'>,
): RightCheck | undefined {
  if (from === null) return undefined;
  return domains.find(from.domain)?.domainType === 'Authoritative' ? profile.authoritativeSender : profile.anySender;
}

/** Begins a transaction. */
export function mail(session: Session, argument: string): void | Promise<void> {
  const { profile, domains } = session.origin;
  if (session.transaction !== undefined) {
    throw new SmtpError(replies.senderAlreadySpecified, 'a transaction is open');
  }
  const { accepting } = session.parts.queue;
  if (!accepting.ok) throw new SmtpError(accepting.reply, 'the queue takes nothing now');
  if (!session.holds(profile.submit)) throw new SmtpError(replies.notAuthenticated, profile.submit.by);
  const parsed = parseMailArgument(argument, profile.offered);
  if (parsed.size !== undefined && parsed.size > profile.maxMessageSize) {
    throw new SmtpError(
      replies.messageTooLarge,
      `SIZE=${parsed.size} is above MaxMessageSize ${profile.maxMessageSize}`,
    );
  }
  const needed = senderRight(parsed.from, domains, profile);
  if (needed !== undefined && !session.holds(needed)) {
    throw new SmtpError(replies.cannotSendAsSender, `${needed.right}: ${needed.by}`);
  }
  const { onMail } = session.parts.agents;
  if (onMail === undefined) return begin(session, parsed);
  const from = parsed.from?.address ?? '';
  return session.afterwards(onMail({ session: session.facts, from }), (judgement) => {
    if (!session.obey(judgement, `MAIL FROM:<${from}>`)) begin(session, parsed);
  });
}

function begin(session: Session, argument: MailArgument): void {
  session.transaction = new Transaction(argument, session.parts.clock.now());
  session.reply(replies.senderOk);
}
