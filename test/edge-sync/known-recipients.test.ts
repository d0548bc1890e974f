import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KnownRecipients } from '../../src/edge-sync/inside/known-recipients.ts';
import { Mirror } from '../../src/edge-sync/inside/mirror.ts';

const mirrorFolder = mkdtempSync(join(tmpdir(), 'known-recipients-'));
after(() => rmSync(mirrorFolder, { recursive: true, force: true }));
const known = new KnownRecipients({ mirrorFolder });

const [anna, bert, disabled] = ['1', '2', '3'].map((digit) => `00000000-0000-0000-0000-00000000000${digit}`);
{
  await using mirror = Mirror.open(mirrorFolder);
  const update = (id = '', cn = '', addresses: readonly string[] = [], excluded?: string) => ({
    id,
    recipient: { id, dn: `CN=${cn}`, addresses, extras: {}, ...(excluded === undefined ? {} : { excluded }) },
  });
  await mirror.update([
    update(anna, 'Anna', ['a.n@corp.example', 'anna@corp.example']),
    update(bert, 'Bert', ['bert@corp.example']),
    update(disabled, 'Carl', ['carl@corp.example'], 'the account is disabled'),
  ]);
  await mirror.addEdge('EDGE1');
}

const previews: readonly (readonly [address: string, verdicts: readonly string[]])[] = [
  ['Anna@CORP.example', ['accepted as anna@corp.example']],
  ['anna+news@corp.example', ['accepted as anna@corp.example']],
  ['carl@corp.example', ['not replicated: the account is disabled']],
  ['nobody@corp.example', []],
];
for (const [address, verdicts] of previews) {
  test(`the preview of ${address}`, async () => {
    assert.deepEqual(
      (await known.preview(address)).map(({ verdict }) => verdict),
      verdicts,
    );
  });
}

test('no address has no preview', async () => {
  await assert.rejects(known.preview('X400:c=de'), { name: 'SyncStateError', message: /no SMTP address/ });
});

test('counts hold what is excluded apart, and what waits for each edge', async () => {
  const { source, edges } = await known.counts();
  assert.deepEqual(source, { recipients: 2, excluded: 1 });
  assert.deepEqual([...edges], [['EDGE1', { recipients: 0, addresses: 0, waiting: 3 }]]);
});

test('lookups and the list know the same addresses: those that are to be accepted', async () => {
  const list = await Array.fromAsync(known.addresses());
  assert.deepEqual(list, [
    { address: 'a.n@corp.example', dn: 'CN=Anna' },
    { address: 'anna@corp.example', dn: 'CN=Anna' },
    { address: 'bert@corp.example', dn: 'CN=Bert' },
  ]);
  await using lookups = known.openLookups();
  for (const { address } of list) assert.ok(lookups.isKnown(address), address);
  assert.ok(lookups.isKnown('Bert+x@corp.example'));
  for (const address of ['carl@corp.example', 'no address']) assert.equal(lookups.isKnown(address), false, address);
});
