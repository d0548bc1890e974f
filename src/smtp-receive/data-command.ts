/** DATA: RFC 5321 §4.1.1.4. */
import { replies, SmtpError } from '../smtp/index.ts';
import type { CommandSession } from './command-session.ts';
import { MailData } from './mail-data.ts';

/** Asks for the content. */
export function data(session: CommandSession): void {
  const { transaction } = session;
  if (transaction === undefined) throw new SmtpError(replies.needMailFirst, 'no transaction is open');
  if (transaction.recipients.length === 0) {
    // RFC 5321 §3.3: 554 tells a pipelining client that all its recipients were refused.
    const reply = transaction.recipientRefused ? replies.noValidRecipients : replies.needRecipientFirst;
    throw new SmtpError(reply, 'no recipient was accepted');
  }
  const { accepting } = session.parts.sink;
  if (!accepting.ok) throw new SmtpError(accepting.reply, 'nothing is taken now');
  const mailData = new MailData(session, transaction, transaction.sink.content());
  transaction.tell(session, mailData.id);
  session.transaction = undefined;
  session.mailData = mailData;
  session.reply(replies.startMailInput);
  session.wire.startContent(mailData);
}
