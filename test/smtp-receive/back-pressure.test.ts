/** What sessions get under back pressure: 452 4.3.1 at MAIL, servers of the organization last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Peer, Verdict } from '../../src/back-pressure/index.ts';
import { ace, wellKnownSids } from '../../src/config/index.ts';
import { eventually } from '../lib/appliance.ts';
import { HandClock, internetSnapshot, Receiving } from './receiving.ts';

const medium: Verdict = { kind: 'refuse', level: 'Medium', resource: 'UsedDiskSpace[logs]' };

test('MAIL is refused with the resource, and taken again when there is room', async () => {
  let verdict: Verdict = medium;
  await using edge = await Receiving.start({ pressure: { verdict: () => verdict } });
  const client = await edge.greeted();
  assert.equal(
    await client.ask('MAIL FROM:<a@example.org>'),
    '452 4.3.1 Insufficient system resources (UsedDiskSpace[logs])',
  );
  assert.match(edge.of('command-refused')[0]?.reason ?? '', /back pressure is Medium by UsedDiskSpace\[logs\]/);
  verdict = { kind: 'take' };
  assert.match(await client.message('Subject: x\r\n\r\nx\r\n'), /^250 /);
});

test('a peer that is externally secured is asked for as a server of the organization', async () => {
  const asked: Peer[] = [];
  const verdict = (peer: Peer): Verdict => {
    asked.push(peer);
    return peer === 'exchange' ? { kind: 'take' } : medium;
  };
  const acl = [
    ace(wellKnownSids.externallySecured, 'ms-Exch-SMTP-Submit'),
    ace(wellKnownSids.externallySecured, 'ms-Exch-SMTP-Accept-Any-Sender'),
  ];
  await using edge = await Receiving.start({
    snapshot: internetSnapshot({ authMechanism: ['Tls', 'ExternalAuthoritative'], acl }),
    pressure: { verdict },
  });
  const client = await edge.greeted();
  assert.match(await client.ask('MAIL FROM:<a@example.org>'), /^250 /);
  assert.deepEqual(asked, ['exchange']);
});

test('a queue that is too long makes the answer to MAIL wait', async () => {
  const clock = new HandClock();
  const verdict: Verdict = { kind: 'slow', seconds: 15, resource: 'QueueLength[SubmissionQueue]' };
  await using edge = await Receiving.start({ clock, pressure: { verdict: () => verdict } });
  const client = await edge.greeted();
  const reply = client.ask('MAIL FROM:<a@example.org>');
  let answered = false;
  void reply.then(() => (answered = true));
  await eventually('the answer waits', () => clock.isSetFor(15_000));
  assert.equal(answered, false);
  clock.advance(15_000);
  assert.match(await reply, /^250 2\.1\.0/);
});
