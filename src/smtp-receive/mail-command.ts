/** MAIL: who may send, as whom, and how much (RFC 5321 §4.1.1.2, RFC 1870). */
import { type MailArgument, parseMailArgument, replies, SmtpError } from '../smtp/index.ts';
import type { CommandSession } from './command-session.ts';
import { senderRight } from './sender-right.ts';
import { Transaction } from './transaction.ts';

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
