/**
 * How long one message is looked for in compressed decision and tracking logs of a week. The files are written and compressed by the
 * product; then the week is filled with copies of them under the names of other hours, so that ten million messages take some
 * minutes to make and 2 GB, and last the one hour is written that holds what is sought and is copied nowhere.
 *   node test/bench/log-search.ts [--messages 200000] [--copies 1] [--hours 168] [--folder FOLDER]
 * A folder is kept, and searched as it is the next time.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Clock, FaultReport } from '../../src/base/index.ts';
import {
  archivedLogs,
  type DecisionEvent,
  FileJournal,
  findChains,
  type JournalSettings,
  LogArchiver,
  parseQuestion,
  searchTracking,
} from '../../src/logs/index.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    copies: { type: 'string', default: '1' },
    hours: { type: 'string', default: '168' },
    folder: { type: 'string' },
  },
});
const messages = Number(values.messages);
const copies = Number(values.copies);
/** Hours that are written; the others are copies. */
const hours = Math.ceil(Number(values.hours) / copies);
/** Messages of the hour that is copied nowhere. */
const lone = Math.ceil(messages / hours);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'edge-log-search-'));
const isMade = existsSync(join(folder, 'Tracking'));
process.on('exit', () => {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
});
const faults: FaultReport = { begin: (key, text) => say(`FAULT ${key}: ${text}`), end: () => undefined };
let now = 0;
const clock: Clock = { now: () => now, monotonic: () => now, after: () => ({ cancel: () => undefined }) };
const limits = (name: string) => ({
  enabled: true,
  folder: join(folder, name),
  maxAge: 0,
  maxDirectorySize: 1e12,
  maxFileSize: 10 * 1024 ** 2,
});
const settings: JournalSettings = {
  tracking: { limits: limits('Tracking'), serverName: 'EDGE', subjectLogging: true },
  receiveProtocol: { ...limits('Receive'), enabled: false },
  sendProtocol: { ...limits('Send'), enabled: false },
  connectivity: { ...limits('Connectivity'), enabled: false },
  decisionFolder: join(folder, 'Decisions'),
};

const recipientOf = (id: number): string =>
  id > messages ? `lone${id}@corp.example` : `user${id % 50_021}@corp${id % 13}.example`;
const messageIdOf = (id: number): string => `<${(id * 2_654_435_761) % 2 ** 32}.${id}@mail${id % 997}.example.net>`;

/** What one relayed message leaves behind. */
function eventsOf(id: number): DecisionEvent[] {
  const session = id.toString(16).toUpperCase().padStart(16, '0');
  const guid = `6f0c2f61-6f3e-4b7c-9d4c-${String(id).padStart(12, '0')}`;
  const [messageId, recipients, from] = [messageIdOf(id), [recipientOf(id)], `sender${id % 9_001}@example.net`];
  const about = { guid, messageId, subject: `Report ${id}`, from, recipients, size: 4_096 };
  const head = { at: now, session };
  return [
    {
      ...head,
      kind: 'connector-chosen',
      message: 0,
      connector: 'Default',
      binding: '0.0.0.0:25',
      range: '0.0.0.0-255.255.255.255',
      local: '192.0.2.1:25',
      remote: '198.51.100.9:40000',
      passedOver: [],
    },
    {
      ...head,
      kind: 'message-queued',
      message: id,
      ...about,
      reply: `250 2.6.0 ${messageId} [InternalId=${id}, Hostname=edge.example.com] Queued mail for delivery`,
      connector: 'Default',
      clientIp: '198.51.100.9',
      clientName: 'client.example.net',
      serverIp: '192.0.2.1',
      source: 'SMTP',
      reference: '',
    },
    {
      ...head,
      kind: 'route-chosen',
      message: id,
      recipients,
      hop: 'hub.example.com',
      connector: 'To hub',
      because: 'SMTP:--;1 is the nearest of its address spaces',
      passedOver: [],
    },
    {
      ...head,
      kind: 'delivered',
      message: id,
      ...about,
      replies: ['250 2.0.0 Ok'],
      hop: 'hub.example.com',
      connector: 'To hub',
      remote: 'hub.example.com [192.0.2.7]:25',
      local: '192.0.2.1',
      attempt: 1,
    },
    { ...head, kind: 'session-closed', message: 0, reason: 'QUIT' },
  ];
}

/** Writes messages with these numbers into the hours that begin at a time. */
async function write(from: number, to: number, { begin, count }: { begin: number; count: number }): Promise<void> {
  now = begin;
  const journal = new FileJournal(settings, { clock, faults });
  await using archiver = new LogArchiver({ clock, faults, logs: () => archivedLogs(settings) });
  let id = from;
  for (let hour = 1; hour <= count; hour += 1) {
    for (; id < from + ((to - from) * hour) / count; id += 1) {
      for (const event of eventsOf(id)) journal.emit(event);
      if (id % 1_000 === 0) await journal.flush();
    }
    await journal.flush();
    now += 3_600_000;
    await archiver.look();
  }
  await journal.close();
}

/** Every file once more for each copy, in hours of their own before the first one. */
function copyAll(): void {
  for (const name of ['Decisions', 'Tracking'])
    for (const file of readdirSync(join(folder, name))) {
      const [, head = '', hour = '', tail = ''] = /^(\D+)(\d{10})(-.*)$/.exec(file) ?? [];
      const [year, month, day, clockHour] = [hour.slice(0, 4), hour.slice(4, 6), hour.slice(6, 8), hour.slice(8)].map(
        Number,
      );
      const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, clockHour);
      for (let copy = 1; copy < copies; copy += 1) {
        const other = new Date(at - copy * hours * 3_600_000).toISOString().slice(0, 13).replace(/[-T]/g, '');
        copyFileSync(join(folder, name, file), join(folder, name, `${head}${other}${tail}`));
      }
    }
}

async function timed(what: string, work: () => Promise<number>): Promise<void> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const found = await work();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = ((performance.now() - start) / 1_000).toFixed(2);
  say(`${what}: ${found} found in ${seconds} s, ${((user + system) / 1e6).toFixed(2)} s of work`);
}

const firstHour = Date.UTC(2026, 0, 8);
if (!isMade) {
  await write(1, messages + 1, { begin: firstHour, count: hours });
  copyAll();
  await write(messages + 1, messages + 1 + lone, { begin: firstHour + hours * 3_600_000, count: 1 });
}
for (const name of ['Decisions', 'Tracking']) {
  const files = readdirSync(join(folder, name)).map((file) => statSync(join(folder, name, file)).size);
  const octets = files.reduce((sum, size) => sum + size, 0);
  say(`${name}: ${messages * copies + lone} messages in ${files.length} files, ${(octets / 1024 ** 2).toFixed(1)} MiB`);
}
const sought = messages + Math.round(lone / 2);
const common = Math.round(messages / 3);
const why = async (about: string): Promise<number> =>
  (await findChains(settings.decisionFolder, parseQuestion(about))).length;
const track = async (question: object): Promise<number> =>
  (await Array.fromAsync(searchTracking(settings.tracking.limits.folder, question, AbortSignal.timeout(600_000))))
    .length;
await timed('edge why <Message-ID>', () => why(messageIdOf(sought)));
await timed('edge why, of a Message-ID that is nowhere', () => why('<nothing@nowhere.example>'));
await timed('edge why <address of one message>', () => why(recipientOf(sought)));
await timed('edge why <address of many messages>', () => why(recipientOf(common)));
await timed('Get-MessageTrackingLog -MessageId', () => track({ messageId: messageIdOf(sought) }));
await timed('Get-MessageTrackingLog -Recipients, of one message', () => track({ recipients: [recipientOf(sought)] }));
await timed('Get-MessageTrackingLog -Recipients, of many', () => track({ recipients: [recipientOf(common)] }));
