/** MAIL: who may send, as whom, and how much (RFC 5321 §4.1.1.2, RFC 1870). */
import { type MailArgument, type OfferedParameters, parseMailArgument, replies, SmtpError } from '../../smtp/index.ts';
import { takeMessage } from '../limits/message-rate.ts';
import { type ClientPolicy, requireClient } from '../rights/client-certificate.ts';
import { isExchangeServer, isInternalServer, partner } from '../rights/principal.ts';
import { senderRight } from '../rights/sender-right.ts';
import type { CommandSession } from '../session/command-session.ts';
import { Transaction } from '../session/transaction.ts';

/** Begins a transaction. */
export function mail(session: CommandSession, argument: string): void | Promise<void> {
  if (session.transaction !== undefined) {
    throw new SmtpError(replies.senderAlreadySpecified, 'a transaction is open');
  }
  const { accepting } = session.parts.sink;
  if (!accepting.ok) throw new SmtpError(accepting.reply, 'nothing is taken now');
  const verdict = session.parts.pressure?.verdict(isExchangeServer(session.principal) ? 'exchange' : 'other');
  if (verdict?.kind === 'refuse') {
    const reason = `back pressure is ${verdict.level} by ${verdict.resource}`;
    throw new SmtpError(replies.insufficientResources(verdict.resource), reason);
  }
  const seconds = verdict?.kind === 'slow' ? verdict.seconds : 0;
  return session.afterwards(session.delay(seconds, replies.senderOk), () => takeMail(session, argument));
}

function takeMail(session: CommandSession, argument: string): void | Promise<void> {
  const { rights } = session;
  const { profile } = session.origin;
  if (session.ended) return;
  const { clientPolicy } = profile;
  if (clientPolicy !== undefined) {
    const { clientKnown } = session;
    if (clientKnown === undefined) return mailOfClient(session, argument, clientPolicy);
    return clientKnown.then(() => (session.ended ? undefined : mailOfClient(session, argument, clientPolicy)));
  }
  if (!session.holds(rights.submit)) throw new SmtpError(replies.notAuthenticated, rights.submit.by);
  return mailFrom(session, parseMailArgument(argument, offeredNow(session)));
}

/** Where certificates are asked for, who the client is may depend on the sender's domain, and its rights on that. */
function mailOfClient(session: CommandSession, argument: string, policy: ClientPolicy): void | Promise<void> {
  const parsed = parseMailArgument(argument, offeredNow(session));
  // The list of secure domains is about mail from outside.
  const domain = isInternalServer(session.principal) ? undefined : parsed.from?.domain;
  const who = requireClient(policy, { secure: session.tls !== undefined, client: session.client }, domain);
  const first = session.origin.profile.initialRights.principal;
  const principal = who === 'partner' ? partner : first;
  const now = session.rights.principal;
  // Who has authenticated stays who it is.
  if (now !== principal && (now === first || now === partner)) session.become(principal);
  const { rights } = session;
  if (!session.holds(rights.submit)) throw new SmtpError(replies.notAuthenticated, rights.submit.by);
  return mailFrom(session, parsed);
}

/** What stands in the answer to EHLO by the connector, and by the session. */
function offeredNow({ origin, tls }: CommandSession): OfferedParameters {
  const { offered } = origin.profile;
  return tls === undefined ? offered : { ...offered, requireTls: true };
}

function mailFrom(session: CommandSession, parsed: MailArgument): void | Promise<void> {
  const { rights } = session;
  const { domains } = session.origin;
  const { octets, parameter } = session.sizeLimit;
  if (parsed.size !== undefined && parsed.size > octets) {
    throw new SmtpError(replies.messageTooLarge, `SIZE=${parsed.size} is above ${parameter} ${octets}`);
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
  const { remoteAddress } = session.origin;
  takeMessage(session.parts.rates, session.connector, { remoteAddress, from: argument.from?.address ?? '' });
  const sink = session.parts.sink.begin({
    session: session.origin.id,
    from: argument.from?.address ?? '',
  });
  session.transaction = new Transaction(argument, sink, session.parts.clock.now());
  session.reply(replies.senderOk);
}
