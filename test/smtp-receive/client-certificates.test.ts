import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { host, issuerText, makeChains } from '../../certs/make.ts';
import { systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { ace, type ReceiveConnector, type Snapshot, testSnapshot, wellKnownSids } from '../../src/config/index.ts';
import { internetSnapshot, Receiving } from './receiving.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-clients-`);
const made = makeChains();
const certificates = await CertificateStore.open({ folder: `${folder}/certificates`, clock: systemClock });
after(async () => {
  await certificates[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
await certificates.importPem(`${made.chains['good-rsa']?.keyPem ?? ''}${made.chains['good-rsa']?.chainPem ?? ''}`, {
  services: ['SMTP'],
});
await certificates.importCertificates(Buffer.from(made.rootPem));
for (const row of ['good-ec', 'self-signed-server-only', 'server-only-eku', 'wrong-name']) {
  writeFileSync(`${folder}/${row}.pem`, made.chains[row]?.chainPem ?? '');
  writeFileSync(`${folder}/${row}.key`, made.chains[row]?.keyPem ?? '', { mode: 0o600 });
}

/** Replies of a conversation, each as one text. */
class Talk {
  #socket: Socket;
  #text = '';
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }
  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }
  async reply(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text)?.[0];
      if (found !== undefined) {
        this.#text = this.#text.slice(found.length);
        return found.trimEnd();
      }
      await once(this.#socket, 'data');
    }
  }
  async ask(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.reply();
  }
  /** `row`: the certificate of certs/ that is shown; '' shows none. */
  async secure(row: string, session?: Buffer): Promise<void> {
    this.#socket.removeAllListeners('data');
    const { keyPem: key, chainPem: cert } = made.chains[row] ?? {};
    const socket = connectTls({
      socket: this.#socket,
      rejectUnauthorized: false,
      ...(row !== '' && { key, cert }),
      ...(session && { session }),
    });
    await once(socket, 'secureConnect');
    this.#socket = socket;
    this.#listen();
  }
  end(): void {
    this.#socket.destroy();
  }
}

async function talkTo(edge: Receiving): Promise<Talk> {
  const talk = new Talk(connect(edge.port, '127.0.0.1'));
  await talk.reply();
  await talk.ask('EHLO client.example.org');
  return talk;
}

/** What MAIL is answered by a connector, with a certificate of certs/ ('clear': without TLS). */
async function mailReply(edge: Receiving, row: string, sender = 'a@example.org'): Promise<string> {
  const talk = await talkTo(edge);
  try {
    if (row !== 'clear') {
      assert.match(await talk.ask('STARTTLS'), /^220/);
      await talk.secure(row === 'none' ? '' : row);
      await talk.ask('EHLO client.example.org');
    }
    return await talk.ask(`MAIL FROM:<${sender}>`);
  } finally {
    talk.end();
  }
}

const connector = (change: Partial<ReceiveConnector>): Snapshot => internetSnapshot({ fqdn: host, ...change });
const plain = `<I>${issuerText}<S>CN=mail.edge.test, O=Edge Development, C=US`;

/** TlsSenderCertificateName × ClientEku × what is shown × reply. */
const rows: readonly [name: string, eku: ReceiveConnector['clientEku'], row: string, reply: RegExp][] = [
  [host, 'Warn', 'clear', /^530 5\.7\.0 Must issue a STARTTLS/],
  [host, 'Warn', 'none', /^454 4\.7\.5 .*expected a certificate for mail\.edge\.test, none came/],
  [host, 'Warn', 'good-rsa', /^250 /],
  [host, 'Warn', 'good-ec', /^250 /],
  [host, 'Warn', 'good-ed25519', /^250 /],
  ['*.edge.test', 'Warn', 'good-wildcard', /^250 /],
  [
    host,
    'Warn',
    'wrong-name',
    /^454 4\.7\.5 .*expected a certificate for mail\.edge\.test, one for other\.edge\.test came/,
  ],
  [plain, 'Warn', 'good-ec', /^250 /],
  [
    plain,
    'Warn',
    'wrong-name',
    /^454 4\.7\.5 .*subject, step 1: expected CN=mail\.edge\.test, found CN=other\.edge\.test/,
  ],
  [plain, 'Ignore', 'impostor-ca', /^454 4\.7\.5 .*not trusted here/],
  [host, 'Ignore', 'expired', /^454 4\.7\.5 .*expired/],
  [host, 'Ignore', 'unknown-ca', /^454 4\.7\.5 .*not trusted here/],
  [host, 'Ignore', 'missing-intermediate', /^454 4\.7\.5 .*no trusted authority issued it/],
  [host, 'Ignore', 'server-only-eku', /^250 /],
  [host, 'Require', 'server-only-eku', /^454 4\.7\.5 .*ClientEku Require/],
  // Node says INVALID_PURPOSE alone: who forgives that admits every stranger.
  [host, 'Ignore', 'self-signed-server-only', /^454 4\.7\.5 .*self-signed and not trusted/],
  [host, 'Ignore', 'outside-name-constraints', /^454 4\.7\.5 /],
];
for (const [name, eku, row, reply] of rows) {
  test(`TlsSenderCertificateName ${name.slice(0, 20)} × ${eku} × ${row}: ${String(reply)}`, async () => {
    await using edge = await Receiving.start({
      certificates,
      snapshot: connector({ tlsSenderCertificateName: name, clientEku: eku }),
    });
    assert.match(await mailReply(edge, row), reply);
    if (row === 'clear') return;
    const reached = edge.of('tls-reached')[0];
    assert.equal(reached?.demanded, `TlsSenderCertificateName ${name}`);
    assert.notEqual(reached?.certificate ?? '', '');
  });
}

test('domain security asks the domains of the list alone, and their mail comes as a partner', async () => {
  const { organization } = testSnapshot();
  const snapshot = internetSnapshot(
    {
      domainSecureEnabled: true,
      fqdn: host,
      acl: [
        ace(wellKnownSids.partner, 'ms-Exch-SMTP-Submit'),
        ace(wellKnownSids.partner, 'ms-Exch-SMTP-Accept-Any-Sender'),
        ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Submit'),
        ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Accept-Any-Sender'),
      ],
    },
    { organization: { ...organization, tlsReceiveDomainSecureList: ['edge.test'] } },
  );
  await using edge = await Receiving.start({ certificates, snapshot });
  assert.match(await mailReply(edge, 'clear', 'a@stranger.example'), /^250 /);
  assert.match(await mailReply(edge, 'clear', 'a@edge.test'), /^530 5\.7\.0/);
  assert.match(await mailReply(edge, 'none', 'a@edge.test'), /^454 4\.7\.5 .*none came/);
  assert.match(await mailReply(edge, 'self-signed-ec', 'a@edge.test'), /^454 4\.7\.5/);
  assert.match(await mailReply(edge, 'good-ec', 'a@edge.test'), /^250 /);
  assert.match(await mailReply(edge, 'good-ec', 'a@EDGE.test'), /^250 /);
  assert.ok(edge.of('right-checked').some(({ principal }) => principal === 'MS Exchange\\Partner Servers'));
  assert.match(await mailReply(edge, 'self-signed-ec', 'a@stranger.example'), /^250 /);
});

test('a connector with a minimum version and a profile holds to them', async () => {
  await using edge = await Receiving.start({
    certificates,
    snapshot: connector({ tlsMinVersion: 'Tls13', tlsCipherProfile: 'nist' }),
  });
  const run = async (...args: string[]): Promise<string> => {
    const child = spawn('openssl', ['s_client', '-starttls', 'smtp', '-connect', `127.0.0.1:${edge.port}`, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stdin.end('QUIT\r\n');
    await once(child, 'close');
    return text;
  };
  assert.match(await run(), /New, TLSv1\.3, Cipher is TLS_AES/);
  assert.match(await run('-tls1_2'), /alert|no peer certificate available/);
  assert.match(await run('-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'), /alert|no peer certificate available/);
});

test('swaks with a client certificate, as a partner would send', async () => {
  // It sends the leaf alone.
  await certificates.importCertificates(Buffer.from(made.issuing.pem));
  await using edge = await Receiving.start({ certificates, snapshot: connector({ tlsSenderCertificateName: host }) });
  const swaks = async (row: string): Promise<string> => {
    const args = [
      '--server',
      '127.0.0.1',
      '--port',
      String(edge.port),
      '--tls',
      '--tls-cert',
      `${folder}/${row}.pem`,
      '--tls-key',
      `${folder}/${row}.key`,
      '--from',
      'a@example.org',
      '--to',
      'user@example.test',
      '--helo',
      'client.example.org',
    ];
    const { stdout } = await promisify(execFile)('swaks', args).catch((error: unknown) => error as { stdout: string });
    return stdout;
  };
  assert.match(await swaks('good-ec'), /<~ {2}250 2\.6\.0/);
  assert.match(await swaks('wrong-name'), /<~\* 454 4\.7\.5 .*one for other\.edge\.test came/);
  assert.equal(edge.queue.kept.length, 1);
});

/** TlsDomainCapabilities × certificate × what becomes of the fields. */
const cloudRows: readonly [capabilities: readonly string[], row: string, promoted: boolean][] = [
  [['edge.test:AcceptCloudServicesMail'], 'good-ec', true],
  [['edge.test:AcceptCloudServicesMail'], 'none', false],
  [['edge.test:AcceptCloudServicesMail'], 'self-signed-ec', false],
  [['other.test:AcceptCloudServicesMail'], 'good-ec', false],
];
for (const [tlsDomainCapabilities, row, promoted] of cloudRows) {
  test(`${tlsDomainCapabilities.join()} × ${row}: cross-premises fields are ${promoted ? '' : 'not '}promoted`, async () => {
    await using edge = await Receiving.start({
      certificates,
      snapshot: connector({ tlsDomainCapabilities, tlsRevocation: 'None' }),
    });
    const talk = await talkTo(edge);
    try {
      await talk.ask('STARTTLS');
      await talk.secure(row === 'none' ? '' : row);
      await talk.ask('EHLO client.example.org');
      assert.match(await talk.ask('MAIL FROM:<a@example.org>'), /^250 /);
      await talk.ask('RCPT TO:<user@example.test>');
      await talk.ask('DATA');
      const header = 'X-MS-Exchange-CrossPremises-AuthAs: Internal\r\nX-MS-Exchange-Organization-AuthAs: forged';
      assert.match(await talk.ask(`${header}\r\nSubject: x\r\n\r\nX-MS-Exchange-CrossPremises-A: body\r\n.`), /^250 /);
    } finally {
      talk.end();
    }
    const content = edge.queue.kept[0]?.content.toString() ?? '';
    const wanted = promoted
      ? 'X-MS-Exchange-Organization-AuthAs: Internal'
      : 'X-MS-Exchange-CrossPremises-AuthAs: Internal';
    assert.ok(content.includes(`\r\n${wanted}\r\nSubject: x\r\n\r\nX-MS-Exchange-CrossPremises-A: body`), content);
    assert.doesNotMatch(content, /forged/);
  });
}
