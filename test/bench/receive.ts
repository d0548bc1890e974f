/**
 * What receiving does with each octet and each connection, in this process and without sockets: the choice of a connector among
 * 50,000 ranges, content by DATA with and without stuffed dots, content by BDAT. In a second of CPU; medians of the rounds.
 *   node test/bench/receive.ts [--rounds N]
 */
import { parseArgs } from 'node:util';
import { parseIpRange } from '../../src/base/index.ts';
import { testReceiveConnector } from '../../src/config/index.ts';
import { ContentScanner } from '../../src/smtp/index.ts';
import { type ContentSink, EdgeStream } from '../../src/smtp-receive/content/edge-stream.ts';
import { ConnectorTable } from '../../src/smtp-receive/what-if/index.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const rounds = Number(values.rounds);
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const verdict = (reached: boolean): string => (reached ? 'reached' : 'MISSED');

/** Work done in a second of CPU, by the median; the first round warms up. */
async function rate(amount: number, work: () => void | Promise<void>): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const began = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(began);
    if (round > 0) seconds.push((user + system) / 1e6);
  }
  return amount / median(seconds);
}

const octet = (value: number): number => value & 255;
const addressOf = (i: number): string => `10.${octet(i >> 14)}.${octet(i >> 6)}.${octet(i << 2)}`;
const connectors = Array.from({ length: 50 }, (_, number) =>
  testReceiveConnector({
    name: `Partner ${number}`,
    bindings: [{ address: '0.0.0.0', port: 25 }],
    remoteIPRanges: Array.from({ length: 1000 }, (_, i) => parseIpRange(`${addressOf(number * 1000 + i)}/30`)),
  }),
);
const table = new ConnectorTable(connectors);
const choices = 200_000;
const asked = Array.from({ length: choices }, (_, i) => addressOf((i * 7919) % 60_000));
const local = { address: '192.0.2.1', port: 25 };
const perSecond = await rate(choices, () => {
  for (const address of asked) table.choose(local, address);
});
say(`choice among 50,000 ranges: ${Math.round(perSecond)}/s, goal 1000000: ${verdict(perSecond > 1_000_000)}`);

const size = 64 * 1024 * 1024;
const packet = 64 * 1024;

/** Content in packets, as it comes from a socket: the reader writes over those that have dots to take out. */
function* packets(line: string): Generator<Buffer, void, undefined> {
  const whole = Buffer.from(line.repeat(Math.ceil(packet / line.length))).subarray(0, packet);
  const own = Buffer.alloc(packet);
  for (let i = 0; i < size / packet; i++) {
    if (i === 0 || line.startsWith('.')) whole.copy(own);
    yield own;
  }
}

/** The parser, and the scan of the content that every message goes through. */
async function receive(begin: (stream: EdgeStream, sink: ContentSink) => void, line: string): Promise<void> {
  const scanner = new ContentScanner();
  const stream = new EdgeStream({
    takeLine: () => undefined,
    takeLongLine: () => undefined,
    takeEnd: () => undefined,
    pause: (next) => next(),
  });
  begin(stream, { write: (chunk) => scanner.push(chunk), end: () => scanner.end() });
  for (const one of packets(line)) await new Promise<void>((resolve) => stream.take(one, resolve));
}

const byData = (stream: EdgeStream, sink: ContentSink): void => stream.startContent(sink);
const byBdat = (stream: EdgeStream, sink: ContentSink): void => stream.startChunk(size, sink);
const megabytes = size / 1_000_000;
const text = `${'x'.repeat(70)}\r\n`;
const dots = '..\r\n';
const dotted = '..x\r\n'.padEnd(60, 'y').concat('\r\n');
const data = await rate(megabytes, () => receive(byData, text));
const bdat = await rate(megabytes, () => receive(byBdat, text));
const few = await rate(megabytes, () => receive(byData, dotted));
const many = await rate(megabytes, () => receive(byData, dots));
say(`DATA, lines of 72: ${Math.round(data)} MB/s`);
say(`BDAT, the same: ${Math.round(bdat)} MB/s, goal that of DATA: ${verdict(bdat >= data)}`);
say(`DATA, every line a stuffed dot of 60: ${Math.round(few)} MB/s, goal 100: ${verdict(few >= 100)}`);
say(`DATA, nothing but stuffed dots: ${Math.round(many)} MB/s, goal 100: ${verdict(many >= 100)}`);
