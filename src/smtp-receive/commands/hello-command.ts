/** HELO and EHLO: RFC 5321 §4.1.1.1. */
import { replies, SmtpError } from '../../smtp/index.ts';
import type { ExtensionState } from '../rights/session-rights.ts';
import type { CommandSession } from '../session/command-session.ts';

/** RFC 5321 §4.5.3.1.2, octets. */
const longestDomain = 255;
/** Anything printable: clients say bare addresses, Windows names, underscores. It ends up in Received and in logs. */
const printable = /^[!-~]+$/;

/** Reads the argument: '' when there is none. Throws SmtpError. */
function parseHello(argument: string, required: boolean): string {
  if (argument === '' && !required) return '';
  if (argument === '') throw new SmtpError(replies.invalidDomainName, 'no domain, and RequireEHLODomain is set');
  if (argument.length > longestDomain || !printable.test(argument)) {
    throw new SmtpError(replies.invalidDomainName, 'the argument is no domain or address literal');
  }
  return argument;
}

/** HELO: no extensions. */
export function helo(session: CommandSession, argument: string): void | Promise<void> {
  const { fqdn } = session.origin.profile;
  return greet(session, parseHello(argument, session.connector.requireEHLODomain), false, () =>
    session.reply(replies.helo(fqdn, session.origin.remoteAddress)),
  );
}

/** EHLO: one line for each extension that this session may use. */
export function ehlo(session: CommandSession, argument: string): void | Promise<void> {
  const { profile, remoteAddress } = session.origin;
  return greet(session, parseHello(argument, session.connector.requireEHLODomain), true, () =>
    session.reply(replies.ehlo(profile.fqdn, remoteAddress, session.rights.extensions(extensionState(session)))),
  );
}

/** EHLO is also RSET (RFC 5321 §4.1.4). */
function greet(session: CommandSession, name: string, extended: boolean, accept: () => void): void | Promise<void> {
  const { onEhlo } = session.parts.agents;
  const begin = (): void => {
    session.resetTransaction();
    session.helo = name;
    session.extended = extended;
    accept();
  };
  if (onEhlo === undefined) return begin();
  return session.afterwards(onEhlo({ ...session.smtpSession, helo: name }), ({ decision }) => {
    if (!session.obey(decision, `${extended ? 'EHLO' : 'HELO'} ${name}`)) begin();
  });
}

function extensionState(session: CommandSession): ExtensionState {
  const logons = session.parts.logons !== undefined;
  const sizeLimit = session.sizeLimit.octets;
  const certificate = session.client?.leaf !== undefined;
  const secure = session.tls !== undefined;
  const xClient = session.origin.balanced !== undefined && !secure;
  return { startTls: offersStartTls(session), secure, logons, sizeLimit, certificate, xClient };
}

/** RFC 3207 §4.2: not offered a second time, nor where no certificate fits (Exchange's event 12014). */
function offersStartTls(session: CommandSession): boolean {
  if (session.tls !== undefined || !session.connector.authMechanism.includes('Tls')) return false;
  const picked = session.pickCertificate();
  if (picked.context === undefined) session.emit({ ...session.head(), kind: 'certificate-chosen', ...picked.event });
  return picked.context !== undefined;
}
