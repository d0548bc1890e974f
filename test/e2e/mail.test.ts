import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { parseCsvLine } from '../../src/logs/index.ts';
import { Appliance, eventually } from '../lib/appliance.ts';
import { needs, python, swaks } from '../lib/peers.ts';

const sample = (name: string): Buffer => readFileSync(new URL(`../../src/lab/messages/${name}.eml`, import.meta.url));

describe('mail through an edge to a hub of the same program', needs('swaks', 'python3-dkim'), () => {
  let hub: Appliance;
  let edge: Appliance;

  before(async () => {
    hub = await Appliance.start({
      role: 'Mailbox',
      lines: [
        'Set-ReceiveConnector "Default $server" -PermissionGroups AnonymousUsers,ExchangeServers',
        'New-AcceptedDomain -Name Corp -DomainName corp.example -DomainType Authoritative',
      ],
    });
    edge = await Appliance.start({
      lines: [
        'New-AcceptedDomain -Name Corp -DomainName corp.example -DomainType Authoritative',
        `New-SendConnector -Name "To hub" -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${hub.port}`,
      ],
    });
  });
  after(async () => {
    await edge?.[Symbol.asyncDispose]();
    await hub?.[Symbol.asyncDispose]();
  });

  /** Waits for the one mail that ends with this content. */
  async function arrived(content: Buffer): Promise<Buffer> {
    const find = (): Buffer | undefined =>
      hub
        .mail()
        .map((path) => readFileSync(path))
        .find((mail) => mail.subarray(-content.length).equals(content));
    await eventually('the message in the mailbox, octet for octet', () => find() !== undefined);
    return find() ?? assert.fail();
  }

  const kinds: readonly [name: string, parameters: string, from: string, to: string][] = [
    ['plain', '', 'ada@sender.example', 'plain@corp.example'],
    ['multipart', '', 'ada@sender.example', 'multipart@corp.example'],
    ['8bit', 'BODY=8BITMIME', 'ada@sender.example', 'eight@corp.example'],
    ['smtputf8', 'BODY=8BITMIME SMTPUTF8', 'jörg@sender.example', 'χρήστης@corp.example'],
    ['dkim', '', 'ada@sender.example', 'dkim@corp.example'],
  ];
  for (const [name, parameters, from, to] of kinds) {
    test(`${name}: octet for octet, behind one Received of each server`, async () => {
      const content = sample(name);
      await sendMessage('127.0.0.1', edge.port, { from, to: [to], parameters, content });
      const mail = await arrived(content);
      const head = mail.subarray(0, mail.length - content.length).toString('utf8');
      assert.equal(head.match(/^Received: /gm)?.length, 2, head);
      assert.match(head, new RegExp(`^Return-Path: <${from}>\r\nDelivered-To: ${to}\r\n`));
    });
  }

  test('a DKIM signature still verifies at the end', async () => {
    const content = sample('dkim');
    await sendMessage('127.0.0.1', edge.port, {
      from: 'ada@sender.example',
      to: ['verify@corp.example'],
      parameters: '',
      content,
    });
    const mail = await arrived(content);
    const key = readFileSync(new URL('../../src/lab/messages/dkim.txt', import.meta.url), 'latin1').trim();
    const script = `import sys, dkim; sys.exit(0 if dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: b"""${key}""") else 1)`;
    execFileSync(python, ['-c', script], { input: mail });
    const broken = Buffer.from(mail);
    broken[broken.length - 4] = 0x21;
    assert.throws(() => execFileSync(python, ['-c', script], { input: broken, stdio: 'pipe' }));
  });

  test('swaks: accepted in the accepted domain, refused elsewhere, with Exchange words', () => {
    const accepted = swaks(
      '--server',
      '127.0.0.1',
      '-p',
      String(edge.port),
      '--from',
      'a@sender.example',
      '--to',
      'b@corp.example',
    );
    assert.equal(accepted.status, 0, accepted.text);
    assert.match(accepted.text, /<-\s+220 \S+ Microsoft ESMTP MAIL Service ready at/);
    assert.match(accepted.text, /<-\s+250 2\.1\.0 Sender OK/);
    assert.match(accepted.text, /<-\s+250 2\.1\.5 Recipient OK/);
    assert.match(accepted.text, /<-\s+250 2\.6\.0 <\S+> \[InternalId=\d+, Hostname=\S+\] Queued mail for delivery/);
    const refused = swaks(
      '--server',
      '127.0.0.1',
      '-p',
      String(edge.port),
      '--from',
      'a@sender.example',
      '--to',
      'b@elsewhere.example',
    );
    assert.match(refused.text, /<\*\*\s+550 5\.7\.54 SMTP; Unable to relay recipient in non-accepted domain/);
  });

  test('swaks: STARTTLS with the certificate of the store', () => {
    const { status, text } = swaks(
      '--server',
      '127.0.0.1',
      '-p',
      String(edge.port),
      '--tls',
      '--from',
      'a@sender.example',
      '--to',
      'tls@corp.example',
    );
    assert.equal(status, 0, text);
    assert.match(text, /TLS started with cipher TLSv1\.3/);
  });

  test('edge why tells the whole path of an address, and what a refusal was for', async () => {
    swaks('--server', '127.0.0.1', '-p', String(edge.port), '--from', 'a@sender.example', '--to', 'why@corp.example');
    const kindsOf = async (): Promise<string[]> =>
      (await edge.why('why@corp.example'))[0]?.events.map(({ kind }) => kind) ?? [];
    await eventually('the delivery among the decisions', async () => (await kindsOf()).includes('delivered'));
    const found = await kindsOf();
    for (const kind of [
      'connector-chosen',
      'right-checked',
      'recipients-accepted',
      'message-queued',
      'route-chosen',
      'delivered',
    ]) {
      assert.ok(found.includes(kind), `${kind} in ${found.join(' ')}`);
    }
    swaks(
      '--server',
      '127.0.0.1',
      '-p',
      String(edge.port),
      '--from',
      'a@sender.example',
      '--to',
      'nowhere@elsewhere.example',
    );
    const refusal = (await edge.why('nowhere@elsewhere.example'))
      .flatMap(({ events }) => events)
      .find(({ kind }) => kind === 'command-refused');
    assert.ok(refusal?.kind === 'command-refused' && refusal.reply.startsWith('550 5.7.54'), JSON.stringify(refusal));
  });

  test('the tracking log has a RECEIVE and a SEND for each message', async () => {
    const rows = (): string[][] =>
      edge
        .log('MessageTracking')
        .split('\r\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map(parseCsvLine);
    await eventually('as many SEND as RECEIVE rows', () => {
      const events = rows().map((row) => row[8]);
      const received = events.filter((event) => event === 'RECEIVE').length;
      return received >= 8 && events.filter((event) => event === 'SEND').length === received;
    });
    for (const row of rows()) assert.equal(row.length, 30, row.join('|'));
  });
});
