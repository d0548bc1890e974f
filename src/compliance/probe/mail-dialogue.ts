/** The few lines of SMTP or LMTP that stand before and inside TLS: RFC 5321 §4.2, RFC 3207, RFC 2033. */
import { Untested } from '../facts/untested.ts';

export interface MailReply {
  readonly code: number;
  /** Texts of its lines. */
  readonly lines: readonly string[];
}

/** A reply is at most so long: 100 lines of RFC 5321 §4.5.3.1.5. */
const maxReplyBytes = 51_200;

/** Anything that gives and takes octets: the bare connection, or TLS over it. */
export interface Channel {
  write(octets: Buffer | string): void;
  read(timeoutMs: number): Promise<Buffer | 'end' | 'reset' | 'silence'>;
  unread(octets: Buffer): void;
}

/** Reads one reply. Throws Untested for silence, garbage and a peer that leaves. */
export async function readReply(channel: Channel, timeoutMs: number, after: string): Promise<MailReply> {
  const deadline = performance.now() + timeoutMs;
  let text = Buffer.alloc(0);
  for (;;) {
    const whole = wholeReply(text, after);
    if (whole !== undefined) {
      channel.unread(text.subarray(whole.bytes));
      return whole.reply;
    }
    if (text.length > maxReplyBytes)
      throw new Untested(`an answer of more than ${maxReplyBytes} octets to ${after}`, false);
    const more = await channel.read(Math.max(1, deadline - performance.now()));
    if (more === 'silence') throw new Untested(`no answer to ${after} within ${timeoutMs / 1000} s`);
    if (typeof more === 'string') throw new Untested(more === 'end' ? `closed at ${after}` : `reset at ${after}`);
    text = Buffer.concat([text, more]);
    if (performance.now() > deadline) throw new Untested(`no whole answer to ${after} within ${timeoutMs / 1000} s`);
  }
}

function wholeReply(text: Buffer, after: string): { reply: MailReply; bytes: number } | undefined {
  const lines: string[] = [];
  let at = 0;
  for (;;) {
    const end = text.indexOf(0x0a, at);
    if (end < 0) {
      if (at === 0 && text.length > 3 && !/^\d{3}/.test(text.toString('latin1', 0, 3))) garbage(text, after);
      return undefined;
    }
    const line = text.toString('latin1', at, end).replace(/\r$/, '');
    const [, code = '', dash = '', rest = ''] = /^(\d{3})([- ]?)(.*)$/s.exec(line) ?? garbage(text.subarray(at), after);
    lines.push(rest);
    at = end + 1;
    if (dash !== '-') return { reply: { code: Number(code), lines }, bytes: at };
  }
}

function garbage(text: Buffer, after: string): never {
  const shown = JSON.stringify(text.toString('latin1', 0, 40));
  throw new Untested(`no answer of the mail protocol to ${after}: ${shown}`, false);
}

/** A greeting or answer that turns a tester away for now. */
function unwilling(reply: MailReply, after: string): Untested {
  return new Untested(`${after} was answered ${reply.code} ${reply.lines[0] ?? ''}`.trim(), reply.code < 500);
}

export interface Hello {
  readonly greeting: string;
  /** EHLO keyword lines, upper case, without the first. */
  readonly capabilities: readonly string[];
}

/** Greeting and EHLO (LHLO for LMTP). Throws Untested. */
export async function greet(channel: Channel, verb: 'EHLO' | 'LHLO', name: string, timeoutMs: number): Promise<Hello> {
  const greeting = await readReply(channel, timeoutMs, 'the connection');
  if (greeting.code !== 220) throw unwilling(greeting, 'the connection');
  return { greeting: greeting.lines[0] ?? '', capabilities: await sayHello(channel, verb, name, timeoutMs) };
}

/** EHLO alone; gives the keyword lines. */
export async function sayHello(
  channel: Channel,
  verb: 'EHLO' | 'LHLO',
  name: string,
  timeoutMs: number,
): Promise<readonly string[]> {
  channel.write(`${verb} ${name}\r\n`);
  const reply = await readReply(channel, timeoutMs, verb);
  if (reply.code !== 250) throw unwilling(reply, verb);
  return reply.lines.slice(1).map((line) => line.toUpperCase());
}

/** Sends one command; gives its reply. */
export async function say(channel: Channel, command: string, timeoutMs: number): Promise<MailReply> {
  channel.write(`${command}\r\n`);
  return readReply(channel, timeoutMs, command.split(' ')[0] ?? command);
}
