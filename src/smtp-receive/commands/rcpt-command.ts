/** RCPT: where mail may go (RFC 5321 §4.1.1.3). The one place that keeps the server from being an open relay. */
import type { AcceptedDomainTable, ReceiveConnector } from '../../config/index.ts';
import type { EnvelopeRecipient } from '../../mail/index.ts';
import { parseRcptArgument, type RcptArgument, type Reply, replies, SmtpError } from '../../smtp/index.ts';
import type { CommandSession } from '../session/command-session.ts';
import type { Transaction } from '../session/transaction.ts';

/** RFC 2606 §2 and §3. */
const reservedTopLevel = /(?:^|\.)(?:test|example|invalid|localhost)$/;
const reservedSecondLevel = /(?:^|\.)example\.(?:com|net|org)$/;

/** The connector's Reject… switches; undefined: no objection. */
function reservedDomain(
  domain: string,
  connector: Pick<
    ReceiveConnector,
    | 'rejectReservedTopLevelRecipientDomains'
    | 'rejectReservedSecondLevelRecipientDomains'
    | 'rejectSingleLabelRecipientDomains'
  >,
): Reply | undefined {
  if (domain.startsWith('[')) return undefined;
  if (connector.rejectReservedTopLevelRecipientDomains && reservedTopLevel.test(domain)) {
    return replies.reservedTopLevelDomain;
  }
  if (connector.rejectReservedSecondLevelRecipientDomains && reservedSecondLevel.test(domain)) {
    return replies.reservedSecondLevelDomain;
  }
  if (connector.rejectSingleLabelRecipientDomains && !domain.includes('.')) return replies.singleLabelDomain;
  return undefined;
}

/** RFC 5321 §4.1.1.3: `<Postmaster>` without a domain is always taken: it becomes that of the default domain. */
function recipientOf({ to, notify, orcpt }: RcptArgument, domains: AcceptedDomainTable): EnvelopeRecipient {
  const dsn = {
    ...(notify === undefined ? {} : { notify }),
    ...(orcpt === undefined ? {} : { orcpt }),
  };
  if (to.domain !== '') return { address: to.address, domain: to.domain, ...dsn };
  const domain = domains.default;
  if (domain === undefined) {
    throw new SmtpError(replies.unableToRelay, 'there is no accepted domain that <Postmaster> could belong to');
  }
  return { address: `${to.localPart}@${domain}`, domain, ...dsn };
}

/** Why a recipient is taken, in words; undefined when it is not. */
function acceptance(session: CommandSession, domain: string): string | undefined {
  const accepted = session.origin.domains.find(domain);
  if (accepted !== undefined) return `accepted domain ${accepted.domainName} (${accepted.domainType})`;
  const { anyRecipient } = session.rights;
  return session.holds(anyRecipient) ? `right ${anyRecipient.right}: ${anyRecipient.by}` : undefined;
}

/** Adds a recipient to the transaction. */
export function rcpt(session: CommandSession, argument: string): void | Promise<void> {
  const { transaction } = session;
  if (transaction === undefined) throw new SmtpError(replies.needMailFirst, 'no transaction is open');
  if (transaction.chunked !== undefined) throw new SmtpError(replies.badSequence, 'RCPT behind BDAT');
  transaction.recipientRefused = true;
  const parsed = parseRcptArgument(argument, session.origin.profile.offered, transaction.argument.smtpUtf8);
  const recipient = recipientOf(parsed, session.origin.domains);
  const reserved = reservedDomain(recipient.domain, session.connector);
  if (reserved !== undefined)
    throw new SmtpError(reserved, `the domain ${recipient.domain} is refused by the connector`);
  const because = acceptance(session, recipient.domain);
  if (because === undefined) {
    throw new SmtpError(replies.unableToRelay, `${recipient.domain} is no accepted domain`);
  }
  if (transaction.has(recipient.address)) return session.reply(replies.recipientOk);
  if (transaction.recipients.length >= session.connector.maxRecipientsPerMessage) {
    throw new SmtpError(replies.tooManyRecipients, 'MaxRecipientsPerMessage is reached');
  }
  const { onRcptTo } = session.parts.agents;
  if (onRcptTo === undefined) return offer(session, transaction, [recipient], because);
  const args = {
    session: session.smtpSession,
    from: transaction.from,
    recipient,
    recipients: [recipient],
  };
  return session.afterwards(onRcptTo(args), ({ decision, args: { recipients }, changes }) => {
    if (session.obey(decision, `RCPT TO:<${recipient.address}>`)) return;
    session.tellChanges(changes, 0);
    return offer(session, transaction, recipients, because);
  });
}

/** Asks the sink about each recipient in turn; the first refusal is the answer. */
function offer(
  session: CommandSession,
  transaction: Transaction,
  [recipient, ...others]: readonly EnvelopeRecipient[],
  because: string,
): void | Promise<void> {
  if (recipient === undefined) return session.reply(replies.recipientOk);
  return session.afterwards(transaction.sink.recipient(recipient), (refusal) => {
    if (session.ended) return;
    if (refusal !== undefined) throw new SmtpError(refusal.reply, refusal.reason);
    if (!transaction.has(recipient.address)) transaction.add(recipient, because, session.parts.clock.now());
    return offer(session, transaction, others, because);
  });
}
