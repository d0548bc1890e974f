/** A session without a socket: who it is, and lines that are no commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcceptedDomainTable, ace, wellKnownSids } from '../../src/config/index.ts';
import type { DecisionEvent } from '../../src/logs/index.ts';
import { AgentChain } from '../../src/pipeline/index.ts';
import { replies, SmtpError } from '../../src/smtp/index.ts';
import { ConnectorProfile } from '../../src/smtp-receive/connector/connector-profile.ts';
import { HeldOctets } from '../../src/smtp-receive/content/held-octets.ts';
import { MinuteRates } from '../../src/smtp-receive/limits/minute-rates.ts';
import { unshared } from '../../src/smtp-receive/limits/shared-numbers.ts';
import { anonymous, type Principal, partner } from '../../src/smtp-receive/rights/principal.ts';
import { Session } from '../../src/smtp-receive/session.ts';
import { anonymousAcl, HandClock, internetConnector, noCertificates } from './receiving.ts';

const user: Principal = {
  name: 'CORP\\ann',
  sids: ['S-1-5-21-1-2-3-1105', wellKnownSids.authenticatedUsers],
};
const acl = [
  ...anonymousAcl,
  ace(wellKnownSids.authenticatedUsers, 'ms-Exch-SMTP-Submit'),
  ace(wellKnownSids.authenticatedUsers, 'ms-Exch-SMTP-Accept-Any-Recipient'),
  ace(wellKnownSids.authenticatedUsers, 'ms-Exch-Bypass-Message-Size-Limit'),
  ace('S-1-5-21-1-2-3-1105', 'ms-Exch-Bypass-Message-Size-Limit', true),
  ace(wellKnownSids.authenticatedUsers, 'ms-Exch-Bypass-Anti-Spam'),
];

function sessionOn(connector: Parameters<typeof internetConnector>[0] = {}) {
  const said: string[] = [];
  const limits: number[] = [];
  const events: DecisionEvent[] = [];
  const origin = {
    limits: { receive: Infinity, send: Infinity, recipients: Infinity },
    externalAddress: null,
    ownServers: [],
    id: '1',
    profile: new ConnectorProfile(internetConnector(connector), 'edge1.example.net'),
    domains: new AcceptedDomainTable([]),
    localAddress: '192.0.2.2',
    remoteAddress: '192.0.2.1',
    local: '192.0.2.2:25',
    remote: '192.0.2.1:5000',
  };
  const sink = {
    accepting: { ok: true } as const,
    begin: () => ({
      recipient: () => undefined,
      content: () => assert.fail('no content is expected'),
      abort() {},
    }),
  };
  const parts = {
    sink,
    journal: { emit: (event: DecisionEvent) => void events.push(event) },
    clock: new HandClock(),
    certificates: noCertificates,
    agents: new AgentChain(),
    heldOctets: new HeldOctets(1024),
    rates: new MinuteRates(unshared, new HandClock()),
    draining: () => false,
    onFault: (error: unknown) => assert.fail(String(error)),
  };
  const wire = {
    write: (text: string) => void said.push(text.trimEnd()),
    startChunk: () => assert.fail(),
    startContent: () => assert.fail('no content is expected'),
    limitLine: (maxBytes: number) => void limits.push(maxBytes),
    startTls: () => assert.fail('no TLS is expected'),
    close: () => void said.push('(closed)'),
    handOver: () => assert.fail('nobody is a balancer'),
  };
  const session = new Session(origin, parts, wire);
  void session.greet('now');
  const ask = async (line: string): Promise<string | undefined> => {
    await session.takeLine(line);
    return said.at(-1);
  };
  return { session, ask, said, limits, events, profile: origin.profile };
}

test('the rights of a session are those of its principal, whatever the connector gives to others', async () => {
  const { session, ask, profile } = sessionOn({ acl });
  await ask('EHLO client.example.org');
  assert.equal(session.principal, anonymous);
  await ask('MAIL FROM:<>');
  assert.match((await ask('RCPT TO:<x@foreign.invalid>')) ?? '', /^550 5\.7\.54 /);
  session.become(user);
  assert.equal(await ask('RCPT TO:<x@foreign.invalid>'), '250 2.1.5 Recipient OK');
  assert.equal(session.smtpSession.bypassAntiSpam, true);
  // A denial for one of the SIDs wins over what another one is given.
  assert.equal(session.rights.maxMessageSize, profile.connector.maxMessageSize);
  assert.match((await ask('EHLO client.example.org')) ?? '', /SIZE 37748736/);
});

test('rights are worked out once for each principal, and name nobody else', () => {
  const { profile } = sessionOn({ acl });
  assert.equal(profile.rights.of(anonymous), profile.initialRights);
  assert.equal(profile.rights.of({ ...user }), profile.rights.of(user));
  assert.equal(profile.rights.of({ ...user, name: 'other' }).anySender.principal, 'other');
  assert.notEqual(profile.rights.of(user), profile.initialRights);
});

test('only AUTH authenticates: a partner by its certificate may still log on', () => {
  const { session } = sessionOn({ acl });
  assert.equal(session.authenticated, false);
  session.become(partner);
  assert.equal(session.authenticated, false);
  session.become(user);
  assert.equal(session.authenticated, true);
});

test('TLS makes a session anonymous again', () => {
  const { session } = sessionOn({ acl });
  session.become(user);
  session.secured({ protocol: 'TLSv1.3', cipher: 'X', standardName: 'X' });
  assert.equal(session.principal, anonymous);
});

test('a line that was asked for is no command, and no log shows it', async () => {
  const { session, ask, limits, events } = sessionOn({
    protocolLoggingLevel: 'Verbose',
  });
  await ask('EHLO client.example.org');
  const taken: string[] = [];
  session.expectLine({
    maxBytes: 12_288,
    take: (line) => void taken.push(line),
    tooLong: () => assert.fail('it is not too long'),
  });
  await ask('QUIT');
  assert.deepEqual([taken, limits], [['QUIT'], [12_288]]);
  assert.ok(!events.some((event) => event.kind === 'protocol-line' && event.data.includes('QUIT')));
  assert.equal(await ask('NOOP'), '250 2.0.0 OK');
});

test('a line that was asked for and is too long, or refused, ends the asking', async () => {
  const { session, ask, said } = sessionOn();
  await ask('EHLO client.example.org');
  const refuse = (): never => {
    throw new SmtpError(replies.authenticationFailed, 'a test');
  };
  session.expectLine({
    maxBytes: 10,
    take: () => assert.fail('it is too long'),
    tooLong: refuse,
  });
  await session.takeLongLine('AAAA');
  assert.match(said.at(-1) ?? '', /^535 /);
  session.expectLine({ maxBytes: 10, take: refuse, tooLong: refuse });
  assert.match((await ask('secret')) ?? '', /^535 /);
  assert.equal(await ask('NOOP'), '250 2.0.0 OK');
});

test('a line of BDAT that is too long ends the session: its octets must not be read as commands', async () => {
  const { session, ask, said } = sessionOn();
  await ask('EHLO client.example.org');
  await session.takeLongLine('NOOP aaa');
  assert.equal(session.ended, false);
  await session.takeLongLine('bdat 0000');
  assert.match(said.at(-2) ?? '', /^500 5\.5\.6 /);
  assert.equal(session.ended, true);
});
