/** AUTH: RFC 4954. */
import {
  type Credentials,
  credentials,
  decodeSaslText,
  plainCredentials,
  replies,
  SmtpError,
} from '../../smtp/index.ts';
import type { LogonAnswer } from '../rights/logon.ts';
import { offeredMechanisms } from '../rights/mechanisms.ts';
import type { CommandSession } from '../session/command-session.ts';

/** Longest answer to a challenge, in octets: RFC 4954 §4.5.1 has 12,288 for all mechanisms; those here need far less. */
const longestAnswer = 12_288;

/** Asks until it has the credentials. `first`: the initial response, decoded. */
type Mechanism = (session: CommandSession, first: string | undefined) => void | Promise<void>;

const mechanisms: ReadonlyMap<string, Mechanism> = new Map<string, Mechanism>([
  ['LOGIN', login],
  ['PLAIN', plain],
  ['EXTERNAL', external],
]);

/** `AUTH mechanism [initial-response]`. */
export function auth(session: CommandSession, argument: string): void | Promise<void> {
  const [name = '', response, ...more] = argument.split(/ +/);
  if (session.authenticated) throw new SmtpError(replies.badSequence, 'the session is authenticated already');
  if (session.transaction !== undefined) throw new SmtpError(replies.badSequence, 'AUTH amid a transaction');
  if (name === '' || more.length > 0)
    throw new SmtpError(replies.invalidArguments, 'AUTH takes a mechanism and one response');
  const mechanism = mechanisms.get(name.toUpperCase());
  if (mechanism === undefined || session.parts.logons === undefined || !offers(session, name, true)) {
    throw new SmtpError(replies.unrecognizedAuthentication, 'the connector does not offer the mechanism');
  }
  if (!offers(session, name, session.tls !== undefined)) {
    throw new SmtpError(replies.encryptionRequiredForAuth, 'BasicAuthRequireTLS is set on the connector');
  }
  return mechanism(session, response === undefined ? undefined : decoded(response));
}

function offers({ connector, client }: CommandSession, mechanism: string, secure: boolean): boolean {
  const certificate = client?.leaf !== undefined;
  return offeredMechanisms(connector, { secure, certificate }).includes(mechanism.toUpperCase());
}

function plain(session: CommandSession, first: string | undefined): void | Promise<void> {
  if (first !== undefined) return check(session, plainCredentials(first));
  return challenge(session, '', (message) => check(session, plainCredentials(message)));
}

function login(session: CommandSession, first: string | undefined): void | Promise<void> {
  const withName = (name: string): void | Promise<void> =>
    challenge(session, 'Password:', (password) => check(session, credentials(name, password)));
  return first !== undefined ? withName(first) : challenge(session, 'Username:', withName);
}

/** RFC 4422 Appendix A: the certificate says who it is, the client only as whom it wants to act: itself, by name or not. */
function external(session: CommandSession, first: string | undefined): void | Promise<void> {
  const asWhom = (name: string): Promise<void> => {
    const { client, parts, origin } = session;
    const certificate = client?.leaf ?? Buffer.alloc(0);
    const answer = parts.logons?.checkCertificate({ certificate, address: origin.remoteAddress });
    return judge(session, answer, name === '' ? undefined : name);
  };
  return first !== undefined ? asWhom(first) : challenge(session, '', asWhom);
}

function challenge(session: CommandSession, text: string, take: (answer: string) => void | Promise<void>): void {
  session.reply({ code: 334, lines: [Buffer.from(text).toString('base64')] });
  session.expectLine({
    maxBytes: longestAnswer,
    take(line) {
      if (line === '*') throw new SmtpError(replies.authenticationCancelled, 'the client gave up');
      return take(decoded(line));
    },
    tooLong: () => session.refuse('AUTH', replies.authenticationLineTooLong, 'the answer is too long'),
  });
}

function decoded(line: string): string {
  const text = decodeSaslText(line);
  if (text === undefined) throw new SmtpError(replies.badBase64, 'the answer is no base64 of UTF-8');
  return text;
}

/** What nobody can have goes the same way as a wrong password, so that the answer tells nothing. */
function check(session: CommandSession, given: Credentials | undefined): Promise<void> {
  const { name, password } = given ?? { name: '-', password: '' };
  return judge(session, session.parts.logons?.check({ name, password, address: session.origin.remoteAddress }));
}

/** `asWhom`: who the client has to be. */
async function judge(session: CommandSession, asked: Promise<LogonAnswer> | undefined, asWhom?: string): Promise<void> {
  const answer = await asked;
  if (session.ended) return;
  if (answer === undefined || answer.kind === 'unavailable') {
    throw new SmtpError(replies.temporaryAuthenticationFailure, 'the credentials cannot be checked now');
  }
  if (answer.kind !== 'accepted') return failed(session, 'the credentials are wrong');
  const { principal } = answer;
  if (asWhom !== undefined && asWhom.toLowerCase() !== principal.name.toLowerCase())
    return failed(session, `${principal.name} may not act as somebody else`);
  if (!session.origin.profile.rights.of(principal).submit.granted)
    return failed(session, `${principal.name} lacks ms-Exch-SMTP-Submit`);
  session.become(principal);
  session.reply(replies.authenticated);
}

/** The answer waits for AuthTarpitInterval; behind MaxLogonFailures of them the session ends. */
async function failed(session: CommandSession, reason: string): Promise<void> {
  const { authTarpitInterval, maxLogonFailures } = session.connector;
  session.logonFailures++;
  await session.delay(authTarpitInterval, replies.authenticationFailed);
  session.refuse('AUTH', replies.authenticationFailed, reason);
  if (maxLogonFailures === 0 || session.logonFailures < maxLogonFailures) return;
  session.reply(replies.tooManyErrors);
  session.end(`MaxLogonFailures ${maxLogonFailures} is reached`);
}
