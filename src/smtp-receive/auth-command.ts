/** AUTH: RFC 4954. */
import { type Credentials, credentials, decodeSaslText, plainCredentials, replies, SmtpError } from '../smtp/index.ts';
import type { CommandSession } from './command-session.ts';
import { offeredMechanisms } from './mechanisms.ts';

/** Longest answer to a challenge, in octets: RFC 4954 §4.5.1 has 12,288 for all mechanisms; those here need far less. */
const longestAnswer = 12_288;

/** Asks until it has the credentials. `first`: the initial response, decoded. */
type Mechanism = (session: CommandSession, first: string | undefined) => void | Promise<void>;

const mechanisms: ReadonlyMap<string, Mechanism> = new Map<string, Mechanism>([
  ['LOGIN', login],
  ['PLAIN', plain],
]);

/** `AUTH mechanism [initial-response]`. */
export function auth(session: CommandSession, argument: string): void | Promise<void> {
  const [name = '', response, ...more] = argument.split(/ +/);
  if (session.authenticated) throw new SmtpError(replies.badSequence, 'the session is authenticated already');
  if (session.transaction !== undefined) throw new SmtpError(replies.badSequence, 'AUTH amid a transaction');
  if (name === '' || more.length > 0)
    throw new SmtpError(replies.invalidArguments, 'AUTH takes a mechanism and one response');
  const mechanism = mechanisms.get(name.toUpperCase());
  if (mechanism === undefined || session.parts.logons === undefined || !offers(session, true)) {
    throw new SmtpError(replies.unrecognizedAuthentication, 'the connector does not offer the mechanism');
  }
  if (!offers(session, session.tls !== undefined)) {
    throw new SmtpError(replies.encryptionRequiredForAuth, 'BasicAuthRequireTLS is set on the connector');
  }
  return mechanism(session, response === undefined ? undefined : decoded(response));
}

function offers({ connector }: CommandSession, secure: boolean): boolean {
  return offeredMechanisms(connector, secure).length > 0;
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
async function check(session: CommandSession, given: Credentials | undefined): Promise<void> {
  const { name, password } = given ?? { name: '-', password: '' };
  const answer = await session.parts.logons?.check({ name, password, address: session.origin.remoteAddress });
  if (session.ended) return;
  if (answer?.kind === 'accepted' && session.origin.profile.rights.of(answer.principal).submit.granted) {
    session.become(answer.principal);
    return session.reply(replies.authenticated);
  }
  if (answer === undefined || answer.kind === 'unavailable') {
    throw new SmtpError(replies.temporaryAuthenticationFailure, 'the credentials cannot be checked now');
  }
  const right = answer.kind === 'accepted';
  await failed(session, right ? `${answer.principal.name} lacks ms-Exch-SMTP-Submit` : 'the credentials are wrong');
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
