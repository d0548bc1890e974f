/**
 * Strangers against the SMTP face of a started appliance, in each phase of the protocol: they cost its worker a bounded amount of
 * memory, and others are served meanwhile. In `make test` a short form; `make hostile` sends 100 MB in each phase and prints the figures.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Appliance } from '../lib/appliance.ts';
import { Asker } from './lib/asker.ts';
import { addresses, saying } from './lib/crowd.ts';
import { full, processesOf, type Row, Siege, timed } from './lib/siege.ts';

let appliance: Appliance | undefined;
let siege: Siege;
let asker: Asker;
before(async () => {
  asker = new Asker();
  appliance = await Appliance.start({
    workers: 1,
    lines: [
      'New-AcceptedDomain b.example -DomainName b.example',
      // The 451 of a retried recipient and pauses at wrong passwords are not what is tried here.
      'Get-ReceiveConnector | Set-ReceiveConnector -AuthMechanism Tls,BasicAuth -TarpitInterval 0 -AuthTarpitInterval 0 -MaxLogonFailures 10 -MaxProtocolErrors Unlimited',
    ],
  });
  await served();
  siege = new Siege([(await processesOf(appliance.state)).get('worker 0') ?? 0], served);
});
after(async () => {
  asker[Symbol.dispose]();
  await appliance?.[Symbol.asyncDispose]();
});

const port = (): number => appliance?.port ?? 0;

const served = (): Promise<Record<string, number>> =>
  timed({ 'a message': () => asker.ask({ what: 'message', port: port() }) });

const hello = 'EHLO a.example\r\n';
const envelope = 'MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n';
const octets = (count: number) => (): Buffer => Buffer.alloc(count, 0x61);
/** A record of a handshake that announces a ClientHello of 64 KB: RFC 8446 §4, §5.1. */
const helloWithoutEnd = (): Buffer =>
  Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]), Buffer.alloc(16_000)]);
const startTls = saying([hello, 'STARTTLS\r\n'], 'they');
const lineOf = (octetsInLine: number): Buffer => Buffer.from(`${'x'.repeat(octetsInLine - 2)}\r\n`);

/** Clear, from so many addresses; `greeting` is sent when the server has spoken. */
function crowd(net: number, greeting: string, payload: () => Buffer): ReturnType<Row> {
  const said = greeting === '' ? {} : { before: saying([], 'they'), greeting: Buffer.from(greeting) };
  return { to: port(), phase: 'clear', from: addresses(net, 60), connections: 60, payload, ...said };
}

const attacks: Readonly<Record<string, Row>> = {
  'before the greeting': () => crowd(30, '', octets(65_536)),
  'a command that never ends': () => crowd(31, hello, octets(65_536)),
  'commands whose answers nobody reads': () => ({
    ...crowd(32, hello, () => Buffer.from(hello.repeat(4000))),
    deaf: true,
  }),
  'recipients without end': () =>
    crowd(33, `${hello}MAIL FROM:<a@a.example>\r\n`, () =>
      Buffer.from(
        Array.from({ length: 500 }, (_, i) => `RCPT TO:<${'u'.repeat(50)}${i}${Math.random()}@b.example>\r\n`).join(''),
      ),
    ),
  'AUTH that never ends': () => crowd(34, `${hello}AUTH LOGIN\r\n`, octets(65_536)),
  'a header that never ends': () =>
    crowd(35, `${hello}${envelope}DATA\r\n`, () => Buffer.from(`A: ${'x'.repeat(900)}\r\n`.repeat(60))),
  'a body that never ends': () =>
    crowd(36, `${hello}${envelope}DATA\r\nA: x\r\n\r\n`, () =>
      Buffer.concat(Array.from({ length: 64 }, () => lineOf(998))),
    ),
  'BDAT, a header that never ends': () =>
    crowd(37, `${hello}${envelope}BDAT 20000000\r\n`, () => Buffer.from(`A: ${'x'.repeat(900)}\r\n`.repeat(60))),
  'BDAT, a body that never ends': () =>
    crowd(38, `${hello}${envelope}BDAT 20000000\r\nA: x\r\n\r\n`, () => Buffer.alloc(65_536)),
  'octets that are no TLS, behind STARTTLS': () => ({ ...crowd(39, '', helloWithoutEnd), before: startTls }),
  'octet by octet, a command': () => ({
    ...crowd(40, hello, octets(4000)),
    pieceBytes: 1,
    totalBytes: full ? 1_500_000 : 50_000,
  }),
  'octet by octet, a header': () => ({
    ...crowd(41, `${hello}${envelope}DATA\r\n`, () => Buffer.from(`A: ${'x'.repeat(900)}\r\n`)),
    pieceBytes: 1,
    totalBytes: full ? 1_500_000 : 50_000,
  }),
  ...(full && {
    'only connected': () => ({ to: port(), phase: 'clear' as const, from: addresses(42, 60), connections: 2000 }),
    'octet by octet, AUTH': () => ({
      ...crowd(43, `${hello}AUTH LOGIN\r\n`, octets(4000)),
      pieceBytes: 1,
      totalBytes: 1_500_000,
    }),
    'octet by octet, a body': () => ({
      ...crowd(44, `${hello}${envelope}DATA\r\nA: x\r\n\r\n`, () => lineOf(998)),
      pieceBytes: 1,
      totalBytes: 1_500_000,
    }),
    'octet by octet, BDAT': () => ({
      ...crowd(45, `${hello}${envelope}BDAT 20000000\r\nA: x\r\n\r\n`, () => Buffer.alloc(1000)),
      pieceBytes: 1,
      totalBytes: 1_500_000,
    }),
    'octet by octet, a TLS handshake': () => ({
      ...crowd(46, '', helloWithoutEnd),
      before: startTls,
      pieceBytes: 1,
      totalBytes: 1_500_000,
    }),
    'handshakes only, behind STARTTLS': () => ({
      to: port(),
      phase: 'TLS' as const,
      before: startTls,
      from: addresses(47, 60),
      connections: 500,
    }),
    'a command that never ends, in TLS': () => ({
      ...crowd(48, '', octets(65_536)),
      phase: 'TLS' as const,
      before: startTls,
      greeting: Buffer.from(hello),
    }),
    'a header that never ends, in TLS': () => ({
      ...crowd(49, '', () => Buffer.from(`A: ${'x'.repeat(900)}\r\n`.repeat(60))),
      phase: 'TLS' as const,
      before: startTls,
      greeting: Buffer.from(`${hello}${envelope}DATA\r\n`),
    }),
  }),
};

for (const [name, attack] of Object.entries(attacks)) {
  test(`${name}: bounded memory, others are served`, { timeout: 600_000 }, (t) => siege.endures(t, attack));
}

test('the worker that was attacked is the one that began', async () => {
  const worker = (await processesOf(appliance?.state ?? '')).get('worker 0');
  assert.equal(worker, siege.pids[0]);
});
