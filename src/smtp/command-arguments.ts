/** Arguments of MAIL and RCPT: RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.1.11 and the extensions named at each parameter. */
import { AddressError } from './address-error.ts';
import { type Mailbox, type ParsedPath, parseBarePath, parseMailbox, parsePath } from './mailbox.ts';
import { replies } from './replies.ts';
import { type Reply, SmtpError } from './reply.ts';
import { decodeXtext, parseOrcpt } from './xtext.ts';

export type BodyType = '7BIT' | '8BITMIME' | 'BINARYMIME';
export type NotifyCondition = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY';

/** Extensions that the session offered; a parameter of any other is answered with 555. Absent: not offered. */
export interface OfferedParameters {
  readonly size?: boolean;
  readonly eightBitMime?: boolean;
  readonly binaryMime?: boolean;
  /** No parameter of its own: BDAT is understood. */
  readonly chunking?: boolean;
  readonly smtpUtf8?: boolean;
  readonly dsn?: boolean;
  readonly auth?: boolean;
  /** RFC 8689; in encrypted sessions alone. */
  readonly requireTls?: boolean;
  /** Domain of addresses that come without one. Absent: they are refused, but `<Postmaster>`. */
  readonly defaultDomain?: string;
}

export interface MailArgument {
  /** Null for the null sender `<>`. */
  readonly from: Mailbox | null;
  /** SIZE= in octets (RFC 1870). */
  readonly size?: number;
  /** BODY=; '7BIT' when absent. */
  readonly body: BodyType;
  readonly smtpUtf8: boolean;
  readonly ret?: 'FULL' | 'HDRS';
  /** ENVID= decoded (RFC 3461 §4.4). */
  readonly envid?: string;
  /** AUTH= decoded; '' for `<>` (RFC 4954 §5). */
  readonly auth?: string;
  /** REQUIRETLS (RFC 8689 §2). */
  readonly requireTls?: boolean;
}

export interface RcptArgument {
  readonly to: Mailbox;
  readonly notify?: readonly NotifyCondition[];
  /** ORCPT= decoded: 'rfc822;user@example.com'. */
  readonly orcpt?: string;
}

/** One parameter: when it may stand, and what it adds to the argument. `read` throws RangeError for a bad value. */
interface Parameter<A> {
  readonly offered: (offered: OfferedParameters) => boolean | undefined;
  readonly read: (value: string | undefined) => Partial<A>;
}
type Parameters<A> = Readonly<Record<string, Parameter<A>>>;

const mailParameters: Parameters<MailArgument> = {
  SIZE: { offered: (o) => o.size, read: (value) => ({ size: Number(matching(value, /^\d{1,20}$/)) }) },
  BODY: { offered: (o) => o.eightBitMime || o.binaryMime, read: (value) => ({ body: oneOf(value, bodyTypes) }) },
  SMTPUTF8: {
    offered: (o) => o.smtpUtf8,
    read: (value) => (value === undefined ? { smtpUtf8: true } : bad('a value')),
  },
  RET: { offered: (o) => o.dsn, read: (value) => ({ ret: oneOf(value, returnTypes) }) },
  // RFC 3461 §4.4: at most 100 characters as encoded, printable when decoded.
  ENVID: { offered: (o) => o.dsn, read: (value) => ({ envid: decodeXtext(matching(value, /^.{1,100}$/)) }) },
  REQUIRETLS: {
    offered: (o) => o.requireTls,
    read: (value) => (value === undefined ? { requireTls: true } : bad('a value')),
  },
  AUTH: { offered: (o) => o.auth, read: (value) => ({ auth: readAuth(decodeXtext(matching(value, /./))) }) },
};

const rcptParameters: Parameters<RcptArgument> = {
  NOTIFY: { offered: (o) => o.dsn, read: (value) => ({ notify: readNotify(matching(value, /./)) }) },
  // RFC 3461 §4.2: at most 500 characters as encoded.
  ORCPT: { offered: (o) => o.dsn, read: (value) => ({ orcpt: parseOrcpt(matching(value, /^.{1,500}$/u)) }) },
};

const bodyTypes: readonly BodyType[] = ['7BIT', '8BITMIME', 'BINARYMIME'];
const returnTypes = ['FULL', 'HDRS'] as const;
const conditions: readonly NotifyCondition[] = ['SUCCESS', 'FAILURE', 'DELAY'];

/** Reads what follows the verb MAIL: `FROM:<path> SIZE=…`. Throws SmtpError with 501, 553 or 555. */
export function parseMailArgument(text: string, offered: OfferedParameters): MailArgument {
  const { mailbox: from, rest } = readPath(text, 'FROM:', replies.invalidSenderAddress, offered.defaultDomain);
  if (from?.domain === '') throw new SmtpError(replies.invalidSenderAddress, 'the sender has no domain');
  const given = readParameters(rest, mailParameters, offered);
  const argument: MailArgument = { from, body: '7BIT', smtpUtf8: false, ...given };
  if (argument.body === 'BINARYMIME' && offered.binaryMime !== true) {
    throw new SmtpError(replies.unsupportedParameter, 'BODY=BINARYMIME was not offered');
  }
  if (argument.body === '8BITMIME' && offered.eightBitMime !== true) {
    throw new SmtpError(replies.unsupportedParameter, 'BODY=8BITMIME was not offered');
  }
  requireUtf8(text, argument.smtpUtf8);
  return argument;
}

/**
 * Reads what follows the verb RCPT: `TO:<path> NOTIFY=…`. `smtpUtf8` says whether MAIL had that parameter.
 * `<Postmaster>` comes back with an empty domain. Throws SmtpError with 501, 553 or 555.
 */
export function parseRcptArgument(text: string, offered: OfferedParameters, smtpUtf8: boolean): RcptArgument {
  const { mailbox: to, rest } = readPath(text, 'TO:', replies.invalidRecipientAddress, offered.defaultDomain);
  if (to === null) throw new SmtpError(replies.invalidRecipientAddress, 'the null path is no recipient');
  const given = readParameters(rest, rcptParameters, offered);
  requireUtf8(text, smtpUtf8);
  return { to, ...given };
}

/** RFC 6531 §3.5: non-ASCII anywhere in the command needs the parameter, U-labels of a domain included. */
function requireUtf8(text: string, smtpUtf8: boolean): void {
  if (!smtpUtf8 && /[^\0-\x7f]/.test(text)) {
    throw new SmtpError(replies.utf8AddressNotPermitted, 'non-ASCII without SMTPUTF8');
  }
}

/** A space behind the colon and missing brackets are tolerated: many devices write so, and exactly one address can be read. */
function readPath(
  text: string,
  keyword: 'FROM:' | 'TO:',
  invalid: Reply,
  defaultDomain: string | undefined,
): ParsedPath {
  if (text.slice(0, keyword.length).toUpperCase() !== keyword) {
    throw new SmtpError(replies.invalidArguments, `'${keyword}' is missing`);
  }
  const given = text.slice(keyword.length).replace(/^ +/, '');
  const path = attempt(
    () => (given.startsWith('<') ? parsePath(given, defaultDomain) : parseBarePath(given, defaultDomain)),
    invalid,
  );
  if (path.rest !== '' && !path.rest.startsWith(' ')) throw new SmtpError(invalid, "text follows '>' at once");
  return path;
}

/** RFC 5321 §4.1.2: keyword and value of a parameter; the value may be UTF-8 (RFC 6531 §3.3). */
const parameterForm = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\u{10ffff}]+))?$/u;

function readParameters<A>(rest: string, known: Parameters<A>, offered: OfferedParameters): Partial<A> {
  if (rest === '') return {};
  const seen = new Set<string>();
  let argument: Partial<A> = {};
  for (const word of rest.split(' ').filter((part) => part !== '')) {
    const [, keyword, value] = parameterForm.exec(word) ?? [];
    if (keyword === undefined) throw new SmtpError(replies.invalidArguments, `'${word}' is no parameter`);
    const name = keyword.toUpperCase();
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (parameter?.offered(offered) !== true)
      throw new SmtpError(replies.unsupportedParameter, `${name} was not offered`);
    if (seen.has(name)) throw new SmtpError(replies.invalidArguments, `${name} stands twice`);
    seen.add(name);
    argument = { ...argument, ...attempt(() => parameter.read(value), replies.invalidArguments, name) };
  }
  return argument;
}

/** Turns the RangeError of a parser into the refusal that belongs here. */
function attempt<T>(parse: () => T, refusal: Reply, where = ''): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SmtpError(refusal, where === '' ? cause.message : `${where}: ${cause.message}`, { cause });
  }
}

function bad(what: string): never {
  throw new RangeError(`${what} is not allowed here`);
}

function matching(value: string | undefined, form: RegExp): string {
  return value !== undefined && form.test(value) ? value : bad(value === undefined ? 'no value' : `'${value}'`);
}

function oneOf<T extends string>(value: string | undefined, allowed: readonly T[]): T {
  return allowed.find((one) => one === value?.toUpperCase()) ?? bad(value === undefined ? 'no value' : `'${value}'`);
}

/** RFC 3461 §4.1: NEVER alone, or each of the others at most once. */
function readNotify(value: string): readonly NotifyCondition[] {
  if (value.toUpperCase() === 'NEVER') return ['NEVER'];
  const list = value.split(',').map((one) => oneOf(one, conditions));
  return new Set(list).size === list.length ? list : bad(`'${value}'`);
}

/** RFC 4954 §5: a mailbox or `<>`. */
function readAuth(value: string): string {
  if (value === '<>') return '';
  try {
    return parseMailbox(value).address;
  } catch (cause) {
    throw cause instanceof AddressError ? new RangeError(`no mailbox: ${cause.message}`, { cause }) : cause;
  }
}
