import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { Appliance, edge as command, eventually } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';

describe('a next hop that refuses, defers, hangs, hangs up or is gone', () => {
  let edge: Appliance;
  let hub: ScriptedSink;
  let outside: ScriptedSink;
  let number = 0;

  before(async () => {
    hub = await ScriptedSink.listen();
    outside = await ScriptedSink.listen();
    edge = await Appliance.start({
      workers: 1,
      lines: [
        'New-AcceptedDomain -Name Corp -DomainName corp.example -DomainType Authoritative',
        `New-SendConnector -Name Hub -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${hub.port}`,
        `New-SendConnector -Name Outside -Usage Internet -AddressSpaces "SMTP:*;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${outside.port} -ConnectionInactivityTimeOut 00:00:03`,
        'Set-TransportService $server -MessageRetryInterval 00:00:02 -TransientFailureRetryInterval 00:00:02 -TransientFailureRetryCount 5 -DelayNotificationTimeout 01:00:00',
      ],
    });
  });
  after(async () => {
    await edge?.[Symbol.asyncDispose]();
    await hub?.[Symbol.asyncDispose]();
    await outside?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    hub.behaviour.mail = () => '250 2.1.0 Ok';
    hub.behaviour.rcpt = () => '250 2.1.5 Ok';
    hub.behaviour.content = () => '250 2.0.0 Ok';
    hub.behaviour.greeting = '220 sink.example ESMTP';
  });

  /** Sends one message with a subject of its own; gives the subject. */
  async function send(to: readonly string[], from = 'ada@sender.example'): Promise<string> {
    const subject = `next-hop ${++number}`;
    const content = Buffer.from(
      `From: ${from}\r\nSubject: ${subject}\r\nMessage-ID: <${number}@next-hop.example>\r\n\r\nhello\r\n`,
    );
    await sendMessage('127.0.0.1', edge.port, { from, to, parameters: '', content });
    return subject;
  }
  const at = (sink: ScriptedSink, text: string): number =>
    sink.taken.filter(({ content }) => content.includes(text)).length;
  const reportFor = (subject: string) =>
    outside.taken.find(({ from, content }) => from === '' && content.includes(subject));

  test('a next hop without TLS where it is required stands in the status, until mail gets through', async () => {
    const status = async (): Promise<string> => (await command('status', '--state', edge.state)).out;
    await edge.shell('Set-SendConnector Hub -RequireTLS $true -ConnectionInactivityTimeOut 00:00:03');
    try {
      const subject = await send(['bob@corp.example']);
      await eventually('the destination in the status', async () =>
        /TLS {4}\[?127\.0\.0\.1\]? fails since \S+ \(\d+ times?\): .*TLS is required/.test(await status()),
      );
      await edge.shell('Set-SendConnector Hub -RequireTLS $false');
      await eventually('the message', () => at(hub, subject) === 1);
      assert.doesNotMatch(await status(), /fails since/);
    } finally {
      await edge.shell('Set-SendConnector Hub -RequireTLS $false -ConnectionInactivityTimeOut 00:10:00');
    }
  });

  test('a recipient refused for good: the others get it, the sender gets a report', async () => {
    hub.behaviour.rcpt = (line) => (line.includes('nobody') ? '550 5.1.1 No such user here' : '250 2.1.5 Ok');
    const subject = await send(['bob@corp.example', 'nobody@corp.example', 'carol@corp.example']);
    await eventually('the message for the others', () => at(hub, subject) === 1);
    assert.deepEqual(hub.taken.at(-1)?.to, ['bob@corp.example', 'carol@corp.example']);
    await eventually('the report', () => reportFor(subject) !== undefined);
    const report = reportFor(subject);
    assert.deepEqual(report?.to, ['ada@sender.example']);
    assert.match(report?.content ?? '', /^Content-Type: multipart\/report; *(\r\n\s+)?report-type="?delivery-status/m);
    assert.match(report?.content ?? '', /Final-Recipient: rfc822; *nobody@corp\.example/i);
    assert.match(report?.content ?? '', /Action: failed/i);
    assert.match(report?.content ?? '', /Status: 5\.1\.1/i);
    assert.match(report?.content ?? '', /Diagnostic-Code: smtp; *550 5\.1\.1 No such user here/i);
    assert.doesNotMatch(report?.content ?? '', /Final-Recipient: rfc822; *bob@/i);
  });

  test('content refused for good: one report, and no second one about the report', async () => {
    hub.behaviour.content = () => '554 5.7.1 Not wanted';
    const subject = await send(['bob@corp.example']);
    await eventually('the report', () => reportFor(subject) !== undefined);
    const empty = await send(['bob@corp.example'], '');
    await eventually('the decision that no report is due', async () =>
      (await edge.why('<' + number + '@next-hop.example>')).some(({ events }) =>
        events.some((event) => event.kind === 'notification' && event.suppressed !== ''),
      ),
    );
    assert.equal(reportFor(empty), undefined);
  });

  test('a deferral is tried again after the retry interval', async () => {
    let refusals = 0;
    hub.behaviour.rcpt = () => (refusals++ === 0 ? '451 4.2.1 Try again later' : '250 2.1.5 Ok');
    const start = performance.now();
    const subject = await send(['later@corp.example']);
    await eventually('the second try', () => at(hub, subject) === 1);
    assert.ok(performance.now() - start >= 1900, 'not before the interval');
    assert.equal(refusals, 2);
  });

  test('a hop that hangs up in DATA gets the message again', async () => {
    let broken = 0;
    hub.behaviour.content = () => (broken++ === 0 ? 'close' : '250 2.0.0 Ok');
    const subject = await send(['bob@corp.example']);
    await eventually('the message', () => at(hub, subject) === 1, 90_000);
  });

  test('a hop that is gone keeps the mail in the queue; when it is back, everything arrives', async () => {
    await hub.shut();
    const subjects = await Promise.all(Array.from({ length: 20 }, () => send(['bob@corp.example'])));
    await eventually('the queue in retry', async () =>
      /Retry/.test(await edge.shell('Get-Queue | Format-Table -AutoSize')),
    );
    await hub.open();
    await edge.shell('Get-Queue | Retry-Queue');
    await eventually('all of them, once', () => subjects.every((subject) => at(hub, `${subject}\r\n`) === 1), 90_000);
  });

  test('a greeting of 554 and one of 421 defer, they do not bounce', async () => {
    hub.behaviour.greeting = '421 4.3.2 Not now';
    // A kept connection would not greet again.
    await hub.shut();
    await hub.open();
    const subject = await send(['bob@corp.example']);
    await eventually('the queue in retry', async () =>
      /Retry/.test(await edge.shell('Get-Queue | Format-Table -AutoSize')),
    );
    hub.behaviour.greeting = '220 sink.example ESMTP';
    await edge.shell('Get-Queue | Retry-Queue');
    await eventually('the message', () => at(hub, subject) === 1);
  });

  test('a mended -Port acts at once, though the retry is hours away', async () => {
    const gone = await freePort();
    // A kept connection would still be used.
    await hub.shut();
    await hub.open();
    await edge.shell(
      `Set-SendConnector Hub -Port ${gone}`,
      'Set-TransportService $server -MessageRetryInterval 03:00:00 -TransientFailureRetryInterval 03:00:00',
    );
    const subject = await send(['bob@corp.example']);
    const queues = () => edge.shell('Get-Queue | Format-Table -AutoSize');
    await eventually('a queue in Retry', async () => /Retry/.test(await queues()));
    await edge.shell(`Set-SendConnector Hub -Port ${hub.port}`);
    await eventually('the message', () => at(hub, subject) === 1);
    await eventually('no queue in Retry', async () => !/Retry/.test(await queues()));
  });

  test('a message in Unreachable has a LastError, and goes on when there is a way', async () => {
    await edge.shell(
      'New-AcceptedDomain -Name Elsewhere -DomainName elsewhere.example -DomainType ExternalRelay',
      'Set-SendConnector Outside -Enabled $false',
    );
    const subject = await send(['bob@elsewhere.example']);
    const lastError = () => edge.shell('Get-Message | Format-List Queue,LastError');
    await eventually('a LastError', async () =>
      /Unreachable[\s\S]*LastError *: \S.*elsewhere\.example/.test(await lastError()),
    );
    await edge.shell('Set-SendConnector Outside -Enabled $true');
    await eventually('the message', () => at(outside, subject) === 1);
  });
});
