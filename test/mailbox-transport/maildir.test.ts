import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { SessionIds, systemClock } from '../../src/base/index.ts';
import { MailboxDelivery } from '../../src/mailbox-transport/index.ts';
import { folderName, mailboxFolder } from '../../src/mailbox-transport/maildir.ts';
import type { NextHop } from '../../src/queue/index.ts';
import fc from '../lib/properties.ts';
import { FakeWork, type MessageWish, type WorkOptions } from '../smtp-send/fake-work.ts';

const hop: NextHop = { key: 'SmtpDeliveryToMailbox:x', type: 'SmtpDeliveryToMailbox', domain: 'x', connector: '' };

class Mailboxes implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'edge-maildir-'));

  async deliver(wishes: readonly MessageWish[], options: WorkOptions = {}): Promise<FakeWork> {
    const parts = {
      journal: { emit: () => undefined },
      sessions: new SessionIds(),
      clock: systemClock,
      atOnce: () => 20,
    };
    const delivery = new MailboxDelivery({ kind: 'maildir', folder: this.folder }, parts);
    const work = new FakeWork(wishes, { hop, ...options });
    assert.deepEqual(await delivery.deliver(work), { kind: 'done' });
    return work;
  }

  files(...path: string[]): string[] {
    const folder = join(this.folder, ...path);
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  mail(...path: string[]): string[] {
    return this.files(...path).map((name) => readFileSync(join(this.folder, ...path, name), 'latin1'));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

test('one file for each recipient, Return-Path and Delivered-To in front, content octet for octet', async () => {
  using boxes = new Mailboxes();
  const content = Buffer.from('Subject: x\r\n\r\n.dot\r\nbare\nlf \xff\r\n', 'latin1');
  const work = await boxes.deliver([{ recipients: ['Ann@Corp.example', 'bob@corp.example'], content }]);
  assert.deepEqual(work.story, [
    ['delivered 250 2.1.5 Delivered to the mailbox', 'delivered 250 2.1.5 Delivered to the mailbox'],
  ]);
  assert.deepEqual(boxes.mail('corp.example', 'ann', 'new'), [
    `Return-Path: <sender@example.org>\r\nDelivered-To: Ann@Corp.example\r\n${content.toString('latin1')}`,
  ]);
  assert.equal(boxes.mail('corp.example', 'bob', 'new').length, 1);
  assert.deepEqual(boxes.files('corp.example', 'ann').sort(), ['cur', 'new', 'tmp']);
  assert.deepEqual(boxes.files('corp.example', 'ann', 'tmp'), []);
});

test('a big message comes in chunks, for every recipient', async () => {
  using boxes = new Mailboxes();
  const content = Buffer.from(`Subject: x\r\n\r\n${'0123456789\r\n'.repeat(50_000)}`);
  await boxes.deliver([{ recipients: ['a@x.test', 'b@x.test'], content, from: '' }], { chunk: 100_000 });
  for (const name of ['a', 'b']) {
    assert.deepEqual(boxes.mail('x.test', name, 'new'), [
      `Return-Path: <>\r\nDelivered-To: ${name}@x.test\r\n${content.toString()}`,
    ]);
  }
});

test('the same delivery again, after a crash, does not double the message', async () => {
  using boxes = new Mailboxes();
  await boxes.deliver([{ id: 7 }]);
  await boxes.deliver([{ id: 7 }]);
  await boxes.deliver([{ id: 8 }]);
  assert.equal(boxes.files('example.com', 'rcpt', 'new').length, 2);
});

test('a draft that a crash left behind is no obstacle', async () => {
  using boxes = new Mailboxes();
  await boxes.deliver([{ id: 7 }]);
  const [name = ''] = boxes.files('example.com', 'rcpt', 'new');
  const box = join(boxes.folder, 'example.com', 'rcpt');
  rmSync(join(box, 'new', name));
  writeFileSync(join(box, 'tmp', name), 'half a mess');
  const work = await boxes.deliver([{ id: 7 }]);
  assert.match(work.story[0]?.[0] ?? '', /^delivered/);
  assert.match(boxes.mail('example.com', 'rcpt', 'new')[0] ?? '', /Hello\r\n$/);
  assert.deepEqual(boxes.files('example.com', 'rcpt', 'tmp'), []);
});

test('a spool that breaks in the middle leaves nothing in the mailbox', async () => {
  using boxes = new Mailboxes();
  const content = Buffer.from(`Subject: x\r\n\r\n${'0123456789\r\n'.repeat(50_000)}`);
  const work = await boxes.deliver([{ content }], { chunk: 100_000, breakAt: 200_000 });
  assert.match(work.story[0]?.[0] ?? '', /^deferred 451 4\.3\.0 /);
  assert.deepEqual([boxes.files('example.com', 'rcpt', 'new'), boxes.files('example.com', 'rcpt', 'tmp')], [[], []]);
});

test('a mailbox that cannot be written: that recipient waits, the other has its message', async () => {
  using boxes = new Mailboxes();
  mkdirSync(join(boxes.folder, 'x.test'));
  writeFileSync(join(boxes.folder, 'x.test', 'a'), 'a file where a folder should be');
  chmodSync(join(boxes.folder, 'x.test', 'a'), 0o600);
  const work = await boxes.deliver([{ recipients: ['a@x.test', 'b@x.test'] }]);
  assert.deepEqual(
    work.story[0]?.map((outcome) => outcome.slice(0, 18)),
    ['deferred 451 4.3.0', 'delivered 250 2.1.'],
  );
});

const names: readonly (readonly [part: string, name: string])[] = [
  ['ann', 'ann'],
  ['Ann.Lee+tag', 'ann.lee+tag'],
  ['..', '%2E.'],
  ['.', '%2E'],
  ['.hidden', '%2Ehidden'],
  ['-rf', '%2Drf'],
  ['a/b', 'a%2Fb'],
  ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
  ['a\\b', 'a%5Cb'],
  ['a\0b', 'a%00b'],
  ['a b', 'a%20b'],
  ['a%2Fb', 'a%252fb'],
  ['jürgen', 'j%C3%BCrgen'],
  ['JÜRGEN', 'j%C3%9Crgen'],
  ['\u212a', '%E2%84%AA'],
  ['a:2,S', 'a%3A2%2Cs'],
];
for (const [part, name] of names) test(`folder of ${JSON.stringify(part)}`, () => assert.equal(folderName(part), name));

test('no address leaves the folder, and two addresses never share one unless they differ in case only', () => {
  const part = fc.oneof(
    fc.string({ minLength: 1, maxLength: 30 }),
    fc.constantFrom('..', '.', 'a/..', '%2E', 'CON', '~'),
  );
  fc.assert(
    fc.property(part, part, part, (a, b, domain) => {
      const folder = mailboxFolder('/state/mailboxes', `${a}@${domain}`, domain);
      assert.equal(relative('/state/mailboxes', folder).split('/').length, 2);
      assert.ok(
        !relative('/state/mailboxes', folder)
          .split('/')
          .some((step) => step.startsWith('.')),
      );
      const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
      if (folded(a) !== folded(b)) assert.notEqual(folderName(a), folderName(b));
    }),
  );
});

test('a name too long for a file system is refused for ever, and only that recipient', async () => {
  using boxes = new Mailboxes();
  const work = await boxes.deliver([{ recipients: [`${'ü'.repeat(60)}@x.test`, 'b@x.test'] }]);
  assert.deepEqual(
    work.story[0]?.map((outcome) => outcome.slice(0, 16)),
    ['failed 550 5.1.3', 'delivered 250 2.'],
  );
});

for (const most of [1, 3, 20])
  test(`MaxConcurrentMailboxDeliveries ${most}: no more mailboxes are written at a time, and all are`, async () => {
    using boxes = new Mailboxes();
    const recipients = Array.from({ length: 8 }, (_, i) => `u${i}@corp.example`);
    const work = new FakeWork([{ recipients }], { hop });
    let writing = 0;
    let highest = 0;
    const given = work.records[0]?.item ?? assert.fail();
    const watched = {
      ...given,
      settle: given.settle.bind(given),
      content: () => undefined,
      async *stream() {
        writing += 1;
        highest = Math.max(highest, writing);
        await new Promise((resolve) => setTimeout(resolve, 5));
        yield Buffer.from('Subject: x\r\n\r\n');
        writing -= 1;
      },
    };
    const items = [watched];
    const parts = {
      journal: { emit: () => undefined },
      sessions: new SessionIds(),
      clock: systemClock,
      atOnce: () => most,
    };
    const delivery = new MailboxDelivery({ kind: 'maildir', folder: boxes.folder }, parts);
    await delivery.deliver({ hop, signal: work.signal, next: () => items.shift() });
    assert.ok(highest <= most && (most === 1 || highest > 1), `${highest} at a time`);
    assert.equal(boxes.files('corp.example').length, 8);
  });
