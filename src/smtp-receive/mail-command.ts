/** MAIL: who may send, as whom, and how much (RFC 5321 §4.1.1.2, RFC 1870). */
import type { AcceptedDomainTable } from '../config/index.ts';
import { type MailArgument, parseMailArgument, replies, SmtpError } from '../smtp/index.ts';
import type { CommandSession } from './command-session.ts';
import type { RightCheck, SessionRights } from './session-rights.ts';
import { Transaction } from './transaction.ts';

/**
 * The right that a sender needs: its own one for addresses of authoritative domains, which strangers might forge,
 * Accept-Any-Sender for all others. None for the null sender.
 */
export function senderRight(
  from: MailArgument['from'],
  domains: AcceptedDomainTable,
  rights: Pick<SessionRights, 'authoritativeSender' | 'anySender'>,
): RightCheck | undefined {
  if (from === null) return undefined;
  return domains.find(from.domain)?.domainType === 'Authoritative' ? rights.authoritativeSender : rights.anySender;
}

/** Begins a transaction. */
export function mail(session: CommandSession, argument: string): void | Promise<void> {
  const { rights } = session;
  const { profile, domains } = session.origin;
  if (session.transaction !== undefined) {
    throw new SmtpError(replies.senderAlreadySpecified, 'a transaction is open');
  }
  const { accepting } = session.parts.sink;
  if (!accepting.ok) throw new SmtpError(accepting.reply, 'nothing is taken now');
  if (!session.holds(rights.submit)) throw new SmtpError(replies.notAuthenticated, rights.submit.by);
  const parsed = parseMailArgument(argument, profile.offered);
  if (parsed.size !== undefined && parsed.size > rights.maxMessageSize) {
    throw new SmtpError(
      replies.messageTooLarge,
      `SIZE=${parsed.size} is above MaxMessageSize ${rights.maxMessageSize}`,
    );
  }
  const needed = senderRight(parsed.from, domains, rights);
  if (needed !== undefined && !session.holds(needed)) {
    throw new SmtpError(replies.cannotSendAsSender, `${needed.right}: ${needed.by}`);
  }
  const { onMail } = session.parts.agents;
  if (onMail === undefined) return begin(session, parsed);
  const from = parsed.from?.address ?? '';
  return session.afterwards(onMail({ session: session.smtpSession, from }), ({ decision }) => {
    if (!session.obey(decision, `MAIL FROM:<${from}>`)) begin(session, parsed);
  });
}

function begin(session: CommandSession, argument: MailArgument): void {
  const sink = session.parts.sink.begin({
    session: session.origin.id,
    from: argument.from?.address ?? '',
  });
  session.transaction = new Transaction(argument, sink, session.parts.clock.now());
  session.reply(replies.senderOk);
}
