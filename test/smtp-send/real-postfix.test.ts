import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { rfcTimeouts } from '../../src/smtp-send/index.ts';
import { eventually } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { startPostfix } from '../lib/postfix.ts';
import { type Daemon, listens } from '../lib/program.ts';
import { FakeWork } from './fake-work.ts';
import { senderBench } from './sender-bench.ts';

const program = '/usr/sbin/postfix';
const skip = !existsSync(program)
  ? 'the Debian package postfix is not installed'
  : process.getuid?.() !== 0
    ? 'Postfix needs root'
    : false;

/** Postfix as a hub, in folders of its own, with STARTTLS; delivers to Maildirs of one user. */
class Postfix implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #master: Daemon;

  private constructor(folder: string, port: number, master: Daemon) {
    this.folder = folder;
    this.port = port;
    this.#master = master;
  }

  static async start(): Promise<Postfix> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'edge-postfix-'));
    execFileSync('chmod', ['755', folder]);
    for (const name of ['etc', 'queue', 'data', 'mail']) mkdirSync(join(folder, name));
    for (const name of ['data', 'mail']) execFileSync('chown', ['postfix:postfix', join(folder, name)]);
    const [uid, gid] = ['-u', '-g'].map((which) => execFileSync('id', [which, 'postfix'], { encoding: 'utf8' }).trim());
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=hub.x.test',
        '-keyout',
        join(folder, 'etc/key'),
        '-out',
        join(folder, 'etc/cert'),
      ],
      { stdio: 'ignore' },
    );
    writeFileSync(
      join(folder, 'etc/main.cf'),
      `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = hub.x.test
mydestination =
mynetworks = 192.0.2.0/24
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = x.test
virtual_mailbox_maps = static:box/
virtual_mailbox_base = ${folder}/mail
virtual_uid_maps = static:${uid ?? ''}
virtual_gid_maps = static:${gid ?? ''}
virtual_minimum_uid = 1
smtpd_tls_cert_file = ${folder}/etc/cert
smtpd_tls_key_file = ${folder}/etc/key
smtpd_tls_security_level = may
smtpd_tls_session_cache_database =
message_size_limit = 20000000
virtual_mailbox_limit = 0
mailbox_size_limit = 0
smtputf8_enable = yes
smtpd_discard_ehlo_keywords = chunking
alias_maps =
alias_database =
`,
    );
    writeFileSync(
      join(folder, 'etc/master.cf'),
      `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
`,
    );
    return new Postfix(folder, port, await startPostfix(join(folder, 'etc'), () => listens(port)));
  }

  /** Messages delivered, when there are `count` of them. */
  async mail(count: number): Promise<string[]> {
    const folder = join(this.folder, 'mail/box/new');
    const files = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);
    await eventually(`delivers ${count} messages`, () => files().length >= count, 20_000).catch((cause: unknown) => {
      throw new Error(readFileSync(join(this.folder, 'log'), 'utf8').slice(-2_000), { cause });
    });
    return files().map((name) => readFileSync(join(folder, name), 'utf8'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#master[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test('Postfix as the hub: TLS, 8-bit, SMTPUTF8, DSN, 20 messages, 5 MB, a refused recipient, a size limit', {
  skip,
  timeout: 300_000,
}, async () => {
  await using hub = await Postfix.start();
  const { sender, of } = senderBench(
    { smartHosts: [`[127.0.0.1]:${hub.port}`], smtpMaxMessagesPerConnection: 0 },
    { timeouts: rfcTimeouts },
  );
  const to = (address: string) => ({
    address,
    domain: 'x.test',
    notify: ['FAILURE'] as const,
    orcpt: `rfc822;${address}`,
  });
  const big = Buffer.from(
    `Subject: big\r\n\r\n${'.0123456789012345678901234567890123456789012345678901234567890123456789\r\n'.repeat(70_000)}`,
  );
  const work = new FakeWork([
    ...Array.from({ length: 20 }, (_, i) => ({ recipients: [to(`u${i}@x.test`)] })),
    { content: Buffer.from('Subject: acht\r\n\r\nGr\u00fc\u00dfe\r\n'), recipients: [to('a@x.test')] },
    {
      content: Buffer.from('Subject: Gr\u00fc\u00dfe\r\n\r\nx\r\n'),
      envelope: { smtpUtf8: true },
      recipients: [{ address: 'j\u00fcrgen@x.test', domain: 'x.test' }],
    },
    { content: big, recipients: [to('big@x.test')] },
    { recipients: [to('a@x.test'), 'b@foreign.test'] },
    { recipients: [to('a@x.test')], facts: { size: 20_000_001 } },
  ]);
  assert.deepEqual(await sender.deliver(work), { kind: 'done' });
  const kinds = work.story.map((outcomes) => outcomes.map((outcome) => outcome.slice(0, 16)));
  assert.deepEqual(kinds.slice(0, 23), Array<string[]>(23).fill(['delivered 250 2.']));
  assert.deepEqual(kinds.slice(23), [['delivered 250 2.', 'failed 554 5.7.1'], ['failed 552 5.3.4']]);
  assert.equal(of('tls-reached')[0]?.protocol, 'TLS1_3');
  assert.equal(of('connection-opened').length, 1, 'all on one connection');
  const mail = await hub.mail(24);
  assert.equal(mail.length, 24);
  const arrived = mail.find((text) => text.includes('Subject: big')) ?? '';
  assert.ok(
    arrived.endsWith(
      big
        .toString()
        .slice(big.indexOf('\r\n\r\n') + 4)
        .replaceAll('\r\n', '\n'),
    ),
    'the big one is whole',
  );
});
