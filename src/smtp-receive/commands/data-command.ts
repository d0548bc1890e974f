/** DATA: RFC 5321 §4.1.1.4, and what DATA and BDAT have in common. */
import { replies, SmtpError } from '../../smtp/index.ts';
import type { SinkContent } from '../content/message-sink.ts';
import type { CommandSession } from '../session/command-session.ts';
import type { Transaction } from '../session/transaction.ts';
import { MailData } from './mail-data.ts';

/** The transaction that is ready for its content, and where that goes. Throws SmtpError. */
export function contentFor(session: CommandSession): {
  transaction: Transaction;
  sink: SinkContent;
} {
  const { transaction } = session;
  if (transaction === undefined) throw new SmtpError(replies.needMailFirst, 'no transaction is open');
  if (transaction.recipients.length === 0) {
    // RFC 5321 §3.3: 554 tells a pipelining client that all its recipients were refused.
    const reply = transaction.recipientRefused ? replies.noValidRecipients : replies.needRecipientFirst;
    throw new SmtpError(reply, 'no recipient was accepted');
  }
  const { recipients } = session.origin.limits;
  if (transaction.recipients.length > recipients) {
    const reason = `${transaction.recipients.length} recipients, MaxRecipientEnvelopeLimit of the organization is ${recipients}`;
    throw new SmtpError(replies.recipientLimit, reason);
  }
  const { accepting } = session.parts.sink;
  if (!accepting.ok) throw new SmtpError(accepting.reply, 'nothing is taken now');
  return { transaction, sink: transaction.sink.content() };
}

/** Asks for the content. */
export function data(session: CommandSession): void {
  const open = session.transaction;
  // RFC 3030 §2 and §3: DATA does not mix with BDAT, and cannot carry octets that are no lines.
  if (open?.chunked !== undefined) throw new SmtpError(replies.badSequence, 'DATA amid BDAT');
  if (open?.argument.body === 'BINARYMIME') throw new SmtpError(replies.badSequence, 'DATA under BODY=BINARYMIME');
  const { transaction, sink } = contentFor(session);
  const mailData = new MailData(session, transaction, sink);
  transaction.tell(session, mailData.id);
  session.transaction = undefined;
  session.mailData = mailData;
  session.reply(replies.startMailInput);
  session.wire.startContent(mailData);
}
