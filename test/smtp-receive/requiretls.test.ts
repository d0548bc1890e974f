/** REQUIRETLS and TLS-Required as they are received: RFC 8689. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { Receiving } from './receiving.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-requiretls-`);
const certificates = await CertificateStore.open({ folder: `${folder}/certificates`, clock: systemClock });
after(async () => {
  await certificates[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
await certificates.ensureServerCertificate('mail.example.net');

test('REQUIRETLS is offered behind STARTTLS alone, and refused in clear', async () => {
  await using edge = await Receiving.start({ certificates });
  const client = await edge.connect();
  await client.reply();
  assert.doesNotMatch(await client.ask('EHLO client.example.org'), /REQUIRETLS/);
  assert.match(await client.ask('MAIL FROM:<a@example.org> REQUIRETLS'), /^555 /);
  await client.ask('STARTTLS');
  await client.secure();
  assert.match(await client.ask('EHLO client.example.org'), /^250[ -]REQUIRETLS\r?$/m);
  assert.match(await client.ask('MAIL FROM:<a@example.org> REQUIRETLS=yes'), /^501 /);
  assert.match(await client.ask('MAIL FROM:<a@example.org> REQUIRETLS'), /^250 /);
});

/** MAIL parameter × header field × what the queue is told. */
const rows: readonly [parameter: string, field: string, tls: 'required' | 'optional' | undefined][] = [
  ['', '', undefined],
  [' REQUIRETLS', '', 'required'],
  ['', 'TLS-Required: No\r\n', 'optional'],
  ['', 'tls-required:\r\n no\r\n', 'optional'],
  ['', 'TLS-Required: Yes\r\n', undefined],
  ['', 'TLS-Required: No\r\nTLS-Required: No\r\n', undefined],
  [' REQUIRETLS', 'TLS-Required: No\r\n', 'required'],
];
for (const [parameter, field, tls] of rows) {
  test(`MAIL${parameter}, ${JSON.stringify(field)}: ${tls ?? 'nothing'}`, async () => {
    await using edge = await Receiving.start({ certificates });
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    await client.secure();
    await client.ask('EHLO client.example.org');
    await client.ask(`MAIL FROM:<a@example.org>${parameter}`);
    await client.ask('RCPT TO:<user@example.test>');
    await client.ask('DATA');
    assert.match(await client.ask(`${field}Subject: x\r\n\r\nHello\r\n.`), /^250 /);
    assert.equal(edge.queue.kept[0]?.message.envelope.tls, tls);
  });
}
