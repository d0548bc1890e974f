/** STARTTLS: RFC 3207. */
import { replies, SmtpError } from '../../smtp/index.ts';
import type { CommandSession } from '../session/command-session.ts';

/** Answers 220 and begins the handshake; what came in clear behind the command is thrown away by the connection. */
export function startTls(session: CommandSession): void {
  if (session.tls !== undefined) throw new SmtpError(replies.badSequence, 'the session is encrypted already');
  if (!session.connector.authMechanism.includes('Tls')) {
    throw new SmtpError(replies.notImplemented, 'AuthMechanism of the connector lacks Tls');
  }
  const { context, event } = session.pickCertificate();
  session.emit({ ...session.head(), kind: 'certificate-chosen', ...event });
  if (context === undefined) throw new SmtpError(replies.tlsNotAvailable, 'no certificate fits the connector');
  session.resetTransaction();
  session.reply(replies.startTls);
  session.log.info(`Certificate subject: ${event.subject}; thumbprint: ${event.thumbprint}`, 'Sending certificate');
  session.wire.startTls(context);
}
