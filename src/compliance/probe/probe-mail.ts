import { notTested } from '../facts/facts.ts';
import { Untested } from '../facts/untested.ts';
import type { Dialer } from './dialer.ts';
import { type Channel, readReply, say, sayHello } from './mail-dialogue.ts';
import type { ProbeConnection } from './probe-connection.ts';
import { SecureChannel } from './secure-channel.ts';

/** What the mail protocol around TLS showed. Checks are 'yes', 'no' or 'not-tested(…)'. */
export interface MailProbe {
  greeting: string;
  ehloBefore: readonly string[];
  ehloAfter: readonly string[];
  starttls: 'offered' | 'not-offered' | `not-tested(${string})`;
  /** The STARTTLS line came masked, as boxes on the way do it. */
  starttlsMasked: Check;
  /** AUTH stands in the answer to EHLO before TLS. */
  authBeforeTls: Check;
  /** STARTTLS with a parameter is refused with 501 (RFC 3207 §4). */
  refusesParameter: Check;
  /** A command behind STARTTLS, in the clear, is answered inside TLS (CVE-2011-0411). */
  injectable: Check;
  /** MAIL before TLS is forgotten (RFC 3207 §4.2). */
  stateReset: Check;
  requireTls: Check;
  requireTlsInClear: Check;
}

export type Check = 'yes' | 'no' | `not-tested(${string})`;

const told = (yes: boolean): Check => (yes ? 'yes' : 'no');
const keyword = (lines: readonly string[], word: string): boolean =>
  lines.some((line) => line.split(/[ =]/)[0] === word);

/** A word of X where a keyword stood: `250-XXXXXXXA`. */
const masked = (lines: readonly string[]): boolean => lines.some((line) => /^X{6,}[A-Z]?$/.test(line));

/** Greeting and EHLO alone; decides whether there is TLS to look at. */
export async function probeGreeting(dialer: Dialer): Promise<MailProbe> {
  const unknown = notTested('no answer yet');
  const probe: MailProbe = {
    greeting: '',
    ehloBefore: [],
    ehloAfter: [],
    starttls: unknown,
    starttlsMasked: unknown,
    authBeforeTls: unknown,
    refusesParameter: unknown,
    injectable: unknown,
    stateReset: unknown,
    requireTls: unknown,
    requireTlsInClear: unknown,
  };
  if (!dialer.startsInClear) return { ...probe, ...inside(notTested('TLS begins with the first octet')) };
  try {
    await dialer.untilClear(async () => {
      using connection = await dialer.open();
      const hello = await dialer.greet(connection);
      probe.greeting = hello.greeting;
      probe.ehloBefore = hello.capabilities;
    });
  } catch (error) {
    if (!(error instanceof Untested)) throw error;
    return { ...probe, ...inside(notTested(error.message)) };
  }
  const offered = keyword(probe.ehloBefore, 'STARTTLS');
  probe.starttls = offered ? 'offered' : 'not-offered';
  probe.starttlsMasked = told(masked(probe.ehloBefore));
  probe.authBeforeTls = told(keyword(probe.ehloBefore, 'AUTH'));
  probe.requireTlsInClear = told(keyword(probe.ehloBefore, 'REQUIRETLS'));
  if (!offered)
    Object.assign(
      probe,
      { refusesParameter: notTested('STARTTLS is not offered') },
      later(notTested('STARTTLS is not offered')),
    );
  return probe;
}

function inside(reason: `not-tested(${string})`): Partial<MailProbe> {
  return {
    starttls: reason,
    starttlsMasked: reason,
    authBeforeTls: reason,
    refusesParameter: reason,
    requireTlsInClear: reason,
    ...later(reason),
  };
}

function later(reason: `not-tested(${string})`): Partial<MailProbe> {
  return { injectable: reason, stateReset: reason, requireTls: reason };
}

/** The rest cannot be tested: no TLS came about. */
export function closeMail(probe: MailProbe, reason: string): void {
  for (const name of ['refusesParameter', 'injectable', 'stateReset', 'requireTls'] as const)
    probe[name] = notTested(reason);
}

/** The rest, where STARTTLS is offered. */
export async function probeMail(dialer: Dialer, host: string | undefined, probe: MailProbe): Promise<void> {
  if (probe.starttls === 'offered') {
    await askClear(dialer, host, probe);
  }
  if (probe.starttls === 'offered' || dialer.endpoint.protocol === 'smtps') {
    probe.stateReset = await check(dialer, () => askInside(dialer, host, probe));
    const untested = /^not-tested/.test(probe.stateReset);
    probe.requireTls =
      probe.ehloAfter.length === 0 && untested ? probe.stateReset : told(keyword(probe.ehloAfter, 'REQUIRETLS'));
  }
}

async function check(dialer: Dialer, ask: () => Promise<Check>): Promise<Check> {
  try {
    return await dialer.untilClear(ask);
  } catch (error) {
    if (error instanceof Untested) return notTested(error.message);
    throw error;
  }
}

/** STARTTLS with a parameter; where that is refused, the same connection goes on to the injection. */
async function askClear(dialer: Dialer, host: string | undefined, probe: MailProbe): Promise<void> {
  const { stepMs } = dialer.manners;
  probe.injectable = await check(dialer, async () => {
    using connection = await dialer.open();
    await dialer.greet(connection);
    if (/^not-tested/.test(probe.refusesParameter)) {
      const reply = await say(connection, 'STARTTLS now', stepMs);
      probe.refusesParameter = told(reply.code === 501);
      // Whatever it was answered, TLS may have begun, or a session that is counted as hostile.
      if (reply.code !== 501) return askClearAnew(dialer, host);
    }
    return await askInjection(connection, dialer, host);
  });
  if (/^not-tested\(no answer yet/.test(probe.refusesParameter)) probe.refusesParameter = probe.injectable;
}

async function askClearAnew(dialer: Dialer, host: string | undefined): Promise<Check> {
  using connection = await dialer.open();
  await dialer.greet(connection);
  return await askInjection(connection, dialer, host);
}

/**
 * NOOP in the clear behind STARTTLS. Inside TLS, EHLO and QUIT are sent: where the second answer is not that to QUIT, a command
 * was answered that nobody sent there.
 */
async function askInjection(connection: ProbeConnection, dialer: Dialer, host: string | undefined): Promise<Check> {
  const { stepMs, ehloName } = dialer.manners;
  connection.write('STARTTLS\r\nNOOP\r\n');
  const reply = await readReply(connection, stepMs, 'STARTTLS');
  // Refusing what comes along is as safe as forgetting it.
  if (reply.code !== 220) return 'no';
  let channel: SecureChannel;
  try {
    channel = await SecureChannel.open(connection, { host: host ?? '', stepMs });
  } catch (error) {
    // The octets in the clear broke the handshake: they were taken for TLS, not for a command.
    if (error instanceof Untested && !error.passing) return 'no';
    throw error;
  }
  using inside = channel;
  inside.write(`${dialer.verb} ${ehloName}\r\n`);
  const first = await readReply(inside, stepMs, dialer.verb);
  inside.write('QUIT\r\n');
  const second = await readReply(inside, stepMs, 'QUIT');
  if (second.code === 250) return 'yes';
  if (first.code !== 250) throw new Untested(`${dialer.verb} inside TLS was answered ${first.code}`, false);
  return 'no';
}

/** EHLO inside TLS, and whether MAIL from before is forgotten there. */
async function askInside(dialer: Dialer, host: string | undefined, probe: MailProbe): Promise<Check> {
  const { stepMs, ehloName } = dialer.manners;
  using connection = await dialer.open();
  let begun: boolean | undefined;
  if (dialer.startsInClear) {
    await dialer.greet(connection);
    begun = (await say(connection, 'MAIL FROM:<>', stepMs)).code === 250;
    const reply = await say(connection, 'STARTTLS', stepMs);
    if (reply.code !== 220) {
      // RFC 3207 §4.2 lets a server refuse it amid a transaction: then there is no state to keep.
      if (begun) return askInsideWithoutMail(dialer, host, probe);
      throw new Untested(`STARTTLS was answered ${reply.code}`, false);
    }
  }
  using channel = await SecureChannel.open(connection, { host: host ?? '', stepMs });
  if (!dialer.startsInClear) await readReply(channel, stepMs, 'the connection');
  const kept = begun === true ? await keepsTransaction(channel, stepMs) : undefined;
  probe.ehloAfter = await sayHello(channel, dialer.verb, ehloName, stepMs);
  if (kept === undefined)
    return notTested(dialer.startsInClear ? 'MAIL is refused before TLS' : 'TLS begins with the first octet');
  return told(!kept);
}

async function askInsideWithoutMail(dialer: Dialer, host: string | undefined, probe: MailProbe): Promise<Check> {
  const { stepMs, ehloName } = dialer.manners;
  using connection = await dialer.openForTls();
  using channel = await SecureChannel.open(connection, { host: host ?? '', stepMs });
  probe.ehloAfter = await sayHello(channel, dialer.verb, ehloName, stepMs);
  return 'yes';
}

/** DATA without a recipient: 554 or 503 'no valid recipients' where MAIL is remembered, 503 'need MAIL' where it is not. */
async function keepsTransaction(channel: Channel, stepMs: number): Promise<boolean> {
  // A second MAIL is refused as nested (503) only by a server that remembers the first.
  const reply = await say(channel, 'MAIL FROM:<>', stepMs);
  const nested = reply.code === 503 && /nested|already|sender/i.test(reply.lines.join(' '));
  return nested;
}
