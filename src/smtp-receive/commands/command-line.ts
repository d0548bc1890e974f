/** One command line as it came: which verb it is, what logs may show of it, and what stands in its way. */
import { type Reply, replies } from '../../smtp/index.ts';
import { type Command, commands } from './commands.ts';

/** A line, taken apart. */
export interface CommandLine {
  /** Upper case. */
  readonly verb: string;
  /** Undefined: the verb is not known. */
  readonly row: Command | undefined;
  readonly argument: string;
  /** The line as logs and events may show it. */
  readonly told: string;
}

/** Why a command is refused before it is looked at closely. */
export interface Objection {
  readonly reply: Reply;
  readonly reason: string;
  /** The session ends behind the reply. */
  readonly final?: true;
}

/** What a session is, for the rules about the order of commands. */
export interface Standing {
  /** HELO or EHLO was said. */
  readonly greeted: boolean;
  /** TLS is demanded and not there. */
  readonly tlsMissing: boolean;
}

/** Written by a browser that a web page sends here (cross-protocol attack). */
const httpRequest = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|CONNECT|PATCH|PRI) \S+ HTTP\//i;
/** ASCII controls: no command has them, and they would spoil logs. */
const controls = /[\0-\x1f\x7f]/;

const hidden = '****';

/** `mayBeSecret`: an AUTH was refused before, so that an unknown line may be a credential. */
export function readCommandLine(line: string, mayBeSecret: boolean): CommandLine {
  const space = line.indexOf(' ');
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  const row = commands.get(verb);
  const argument = space < 0 ? '' : line.slice(space + 1).trim();
  const told = row === undefined ? (mayBeSecret ? hidden : line) : row.secret ? maskSecret(verb, argument) : line;
  return { verb, row, argument, told };
}

/** The mechanism of AUTH is no secret, what follows it is. */
function maskSecret(verb: string, argument: string): string {
  const [mechanism = '', ...rest] = argument.split(' ');
  return [verb, mechanism, ...(rest.length > 0 ? [hidden] : [])].join(' ').trim();
}

/** RFC 5321 §4.1.4, RFC 3207 §4. Undefined: the command may be carried out. */
export function objection({ verb, row, argument, told }: CommandLine, standing: Standing): Objection | undefined {
  if (row === undefined) {
    if (!httpRequest.test(told)) return { reply: replies.unrecognizedCommand, reason: 'the command is not known' };
    const reply = { code: 421, detail: '5.1', lines: ['This is not a web server'] };
    return { reply, reason: 'the client speaks HTTP', final: true };
  }
  if (controls.test(argument)) return { reply: replies.invalidArguments, reason: 'control characters in a command' };
  if (standing.tlsMissing && !row.inClear) {
    return { reply: replies.mustStartTls, reason: 'RequireTLS is set on the connector' };
  }
  if (row.afterHello && !standing.greeted) return { reply: replies.sendHelloFirst, reason: 'no HELO or EHLO yet' };
  if (!row.argument && argument !== '') {
    return { reply: replies.noArgumentsAllowed, reason: `${verb} takes no argument` };
  }
  return undefined;
}
