/** Every verb that is understood, with what must hold before it: RFC 5321 §4.1.1 and §4.1.4, RFC 3207 §4. */
import { replies, SmtpError } from '../../smtp/index.ts';
import type { Refusal } from '../content/message-sink.ts';
import type { CommandSession } from '../session/command-session.ts';
import { auth } from './auth-command.ts';
import { bdat, refusedBdat } from './bdat-command.ts';
import { data } from './data-command.ts';
import { ehlo, helo } from './hello-command.ts';
import { mail } from './mail-command.ts';
import { rcpt } from './rcpt-command.ts';
import { startTls } from './starttls-command.ts';
import { xClient } from './xclient-command.ts';

/** One verb. */
export interface Command {
  /** Throws SmtpError for a refusal; a promise keeps the next command waiting. */
  act(session: CommandSession, argument: string): void | Promise<void>;
  /** It may have an argument. */
  readonly argument?: boolean;
  /** Only after HELO or EHLO. */
  readonly afterHello?: boolean;
  /** Allowed before STARTTLS on a connector with RequireTLS. */
  readonly inClear?: boolean;
  /** Its argument holds a secret, which no log may see. */
  readonly secret?: boolean;
  /** Octets follow the command, also when it is refused before it is looked at: they must be read past. */
  readonly refused?: (session: CommandSession, argument: string, refusal: Refusal) => void;
  /** It brings no message nearer: many of them without one are a flood. */
  readonly idle?: boolean;
  /** Its permanent refusals are counted, and slow the session down when they become many. */
  readonly tarpit?: boolean;
}

/** A verb that exists, but not for strangers, or not yet: 502 (RFC 5321 §4.2.4). */
const notImplemented = (verb: string): [string, Command] => [
  verb,
  {
    argument: true,
    act: () => {
      throw new SmtpError(replies.notImplemented, `${verb} is not implemented`);
    },
  },
];

/** The verbs, upper case. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['HELO', { argument: true, inClear: true, idle: true, act: helo }],
  ['EHLO', { argument: true, inClear: true, idle: true, act: ehlo }],
  ['STARTTLS', { afterHello: true, inClear: true, act: startTls }],
  ['MAIL', { argument: true, afterHello: true, act: mail }],
  ['RCPT', { argument: true, afterHello: true, tarpit: true, act: rcpt }],
  ['DATA', { afterHello: true, act: data }],
  ['BDAT', { argument: true, afterHello: true, act: bdat, refused: refusedBdat }],
  ['RSET', { idle: true, act: reset }],
  [
    'NOOP',
    {
      argument: true,
      inClear: true,
      idle: true,
      act: (session) => session.reply(replies.noopOk),
    },
  ],
  ['QUIT', { inClear: true, act: quit }],
  [
    'HELP',
    {
      argument: true,
      idle: true,
      act: (session) => session.reply(replies.help(helpVerbs)),
    },
  ],
  ['VRFY', { argument: true, idle: true, act: verify }],
  ['AUTH', { argument: true, afterHello: true, secret: true, act: auth }],
  ['XCLIENT', { argument: true, inClear: true, act: xClient }],
  notImplemented('EXPN'),
  notImplemented('TURN'),
  notImplemented('ETRN'),
]);

const helpVerbs = 'HELO EHLO STARTTLS RCPT DATA BDAT RSET MAIL QUIT HELP VRFY NOOP';

function reset(session: CommandSession): void {
  session.resetTransaction();
  session.reply(replies.resetOk);
}

function quit(session: CommandSession): void {
  session.reply(replies.closing);
  session.end('QUIT');
}

/** RFC 5321 §7.3: neither yes nor no, so that nobody can harvest addresses. */
function verify(session: CommandSession, argument: string): void {
  if (argument === '') throw new SmtpError(replies.invalidArguments, 'VRFY without an address');
  session.reply(replies.cannotVerify);
}
