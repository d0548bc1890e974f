import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { eximSends } from '../lib/exim.ts';
import { needs, python } from '../lib/peers.ts';
import { internetSnapshot, Receiving } from './receiving.ts';

test('Exim sends by BDAT', needs('exim', 'root'), async () => {
  await using edge = await Receiving.start({
    snapshot: internetSnapshot({ protocolLoggingLevel: 'Verbose' }),
  });
  const body = `.\n..\n${'a line of text that makes more than one chunk of the message\n'.repeat(20_000)}end`;
  const log = await eximSends(edge.port, `Subject: by Exim\n\n${body}\n`, 'one@example.test', 'two@example.test');
  assert.match(log, /-> two@example\.test .* K C="250[- ]2\.6\.0 <.*> \[InternalId=1/);
  const lines = edge.of('protocol-line').map(({ data }) => data);
  assert.ok(lines.some((line) => /^BDAT \d+$/.test(line)) && lines.some((line) => /^BDAT \d+ LAST$/.test(line)));
  const [kept] = edge.queue.kept;
  assert.ok(kept);
  assert.ok(kept.content.toString().endsWith(`\r\n\r\n${body.replaceAll('\n', '\r\n')}\r\n`));
  assert.equal(kept.message.envelope.recipients.length, 2);
});

test('Exim sees its recipients refused one by one', needs('exim', 'root'), async () => {
  await using edge = await Receiving.start();
  const log = await eximSends(edge.port, 'Subject: x\n\nhi\n', 'one@example.test', 'two@elsewhere.example');
  assert.match(log, /=> one@example\.test /);
  assert.match(log, /\*\* two@elsewhere\.example .*550 5\.7\.54/);
});

const client = `
import smtplib, sys
with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as s:
    s.ehlo('client.example.org')
    assert s.has_extn('chunking') and s.has_extn('binarymime')
    content = b'Subject: by Python\\r\\n\\r\\n' + bytes(range(256)) * 40
    print(s.mail('sender@example.org', ['BODY=BINARYMIME']), s.rcpt('user@example.test'))
    half = len(content) // 2
    for part, last in ((content[:half], ''), (content[half:], ' LAST')):
        s.send(b'BDAT %d%s\\r\\n' % (len(part), last.encode()) + part)
        print(s.getreply())
`;

test('smtplib sends binary octets by hand', needs(), async () => {
  await using edge = await Receiving.start();
  const { stdout } = await promisify(execFile)(python, ['-c', client, String(edge.port)], { timeout: 300_000 });
  assert.match(stdout, /\(250, b'2\.6\.0 CHUNK received OK.*\n\(250, b'2\.6\.0 </);
  const octets = Buffer.from(Array.from({ length: 256 * 40 }, (_, i) => i & 255));
  assert.ok(edge.queue.kept[0]?.content.subarray(-octets.length).equals(octets));
});
