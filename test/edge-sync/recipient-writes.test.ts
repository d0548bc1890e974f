/** The service log of an edge: recipients that EdgeSync writes are counted, all else has its line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaceEvent } from '../../src/directory/index.ts';
import { recipientsDn } from '../../src/edge-sync/edge/place.ts';
import { RecipientWrites, type WrittenRecipients } from '../../src/edge-sync/edge/recipient-writes.ts';

const write = (operation: string, dn: string, code = 0, connection = 'a'): FaceEvent => ({
  kind: 'write',
  connection,
  address: '192.0.2.1',
  operation,
  dn,
  actor: 'CN=ESRA.EDGE1.HUB1.0',
  code,
});

test('recipients of a connection are one line at its end, and one each minute', () => {
  let now = 0;
  const lines: WrittenRecipients[] = [];
  const writes = new RecipientWrites(
    () => now,
    (written) => lines.push(written),
  );
  for (let i = 0; i < 500; i++) assert.ok(writes.take(write('add', `CN=${i},${recipientsDn}`)));
  assert.ok(writes.take(write('delete', `CN=1,${recipientsDn}`)));
  assert.ok(writes.take(write('add', `CN=1,${recipientsDn}`, 0, 'b')));
  assert.ok(!writes.take(write('add', `CN=1,${recipientsDn}`, 50)), 'a refusal');
  assert.ok(!writes.take(write('modify', 'CN=Lease,CN=EdgeSync,CN=EDGE1')));
  assert.ok(!writes.take(write('add', recipientsDn)));
  assert.equal(lines.length, 0);
  assert.ok(!writes.take({ kind: 'disconnected', connection: 'a', reason: '' }));
  const actor = 'CN=ESRA.EDGE1.HUB1.0';
  assert.deepEqual(lines, [{ connection: 'a', actor, counts: { add: 500, delete: 1 } }]);
  now = 60_001;
  assert.ok(writes.take(write('modify', `CN=2,${recipientsDn}`, 0, 'b')));
  assert.deepEqual(lines[1], { connection: 'b', actor, counts: { add: 1, modify: 1 } });
  writes.take({ kind: 'disconnected', connection: 'b', reason: '' });
  assert.equal(lines.length, 2);
});
