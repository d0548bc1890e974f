/** DATA: RFC 5321 §4.1.1.4. */
import { replies, SmtpError } from '../smtp/index.ts';
import { Reception } from './reception.ts';
import type { Session } from './session.ts';
import { asRefusal } from './spool-refusal.ts';

/** Asks for the content. */
export function data(session: Session): void {
  const { transaction } = session;
  if (transaction === undefined) throw new SmtpError(replies.needMailFirst, 'no transaction is open');
  if (transaction.recipients.length === 0) {
    // RFC 5321 §3.3: 554 tells a pipelining client that all its recipients were refused.
    const reply = transaction.recipientRefused ? replies.noValidRecipients : replies.needRecipientFirst;
    throw new SmtpError(reply, 'no recipient was accepted');
  }
  const { accepting } = session.parts.queue;
  if (!accepting.ok) throw new SmtpError(accepting.reply, 'the queue takes nothing now');
  let reception: Reception;
  try {
    reception = new Reception(session, transaction, session.parts.queue.begin());
  } catch (error) {
    throw asRefusal(error);
  }
  transaction.tell(session, reception.id);
  session.transaction = undefined;
  session.reception = reception;
  session.reply(replies.startMailInput);
  session.wire.startContent(reception);
}
