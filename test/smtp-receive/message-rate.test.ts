import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SmtpError } from '../../src/smtp/index.ts';
import { takeMessage } from '../../src/smtp-receive/limits/message-rate.ts';
import { MinuteRates } from '../../src/smtp-receive/limits/minute-rates.ts';
import { NumberFiles, unshared } from '../../src/smtp-receive/limits/shared-numbers.ts';
import { HandClock, internetConnector, internetSnapshot, Receiving } from './receiving.ts';

type Source = 'None' | 'IPAddress' | 'User' | 'All';
/** Of messages from two addresses and two senders in turn, how many are taken at a limit of two. */
const rows: readonly [source: Source, messages: readonly (readonly [string, string])[], taken: string][] = [
  [
    'None',
    [
      ['1.1.1.1', 'a@x'],
      ['1.1.1.1', 'a@x'],
      ['1.1.1.1', 'a@x'],
    ],
    'yyy',
  ],
  [
    'IPAddress',
    [
      ['1.1.1.1', 'a@x'],
      ['1.1.1.1', 'b@x'],
      ['1.1.1.1', 'c@x'],
      ['1.1.1.2', 'a@x'],
    ],
    'yyny',
  ],
  [
    'IPAddress',
    [
      ['2001:db8::1', 'a@x'],
      ['2001:db8::2', 'b@x'],
      ['2001:db8::3', 'c@x'],
    ],
    'yyn',
  ],
  [
    'User',
    [
      ['1.1.1.1', 'a@x'],
      ['1.1.1.2', 'A@x'],
      ['1.1.1.3', 'a@x'],
      ['1.1.1.3', 'b@x'],
    ],
    'yyny',
  ],
  [
    'All',
    [
      ['1.1.1.1', 'a@x'],
      ['1.1.1.1', 'b@x'],
      ['1.1.1.1', 'c@x'],
      ['1.1.1.2', 'a@x'],
      ['1.1.1.3', 'a@x'],
    ],
    'yynyn',
  ],
];
for (const [source, messages, taken] of rows) {
  test(`MessageRateSource ${source}: ${messages.map((one) => one.join(' ')).join(', ')} is ${taken}`, () => {
    const rates = new MinuteRates(unshared, new HandClock());
    const limits = internetConnector({ messageRateLimit: 2, messageRateSource: source });
    const answers = messages.map(([remoteAddress, from]) => {
      try {
        takeMessage(rates, limits, { remoteAddress, from });
        return 'y';
      } catch (error) {
        assert.ok(error instanceof SmtpError);
        return 'n';
      }
    });
    assert.equal(answers.join(''), taken);
  });
}

test('the last minute is that of all workers, and it passes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-rates-'));
  const clock = new HandClock();
  const files = [0, 1].map((index) => NumberFiles.open(folder, index, 2));
  t.after(() => {
    for (const one of files) one[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  const [one, two] = files.map((numbers) => new MinuteRates(numbers, clock));
  assert.ok(one !== undefined && two !== undefined);
  const takenOf = (count: number): number =>
    Array.from({ length: count }, (_, i) => (i % 2 === 0 ? one : two).take('x', 10)).filter(Boolean).length;
  assert.equal(takenOf(30), 10);
  clock.advance(60_000);
  assert.equal(takenOf(30), 0, 'at the turn of the minute the one before counts in full');
  clock.advance(30_000);
  assert.equal(takenOf(30), 5);
  clock.advance(120_000);
  assert.equal(takenOf(30), 10);
});

test("MAIL beyond MessageRateLimit gets Exchange's 421, and the session ends", async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ messageRateLimit: 2 }) });
  const client = await edge.greeted();
  for (let i = 0; i < 2; i++) assert.match(await client.message('Subject: x\r\n\r\nx\r\n'), /^250 /);
  assert.equal(
    await client.ask('MAIL FROM:<a@example.org>'),
    '421 4.4.2 Message submission rate for this client has exceeded the configured limit',
  );
  assert.equal(await client.end(), '');
  assert.match(edge.of('command-refused')[0]?.reason ?? '', /MessageRateLimit 2 by IPAddress/);
});
