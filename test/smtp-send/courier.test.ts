import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import type { DeliveryItem } from '../../src/queue/index.ts';
import { EdgeSmtpConnection } from '../../src/smtp-send/connection/edge-smtp-connection.ts';
import { openSocket } from '../../src/smtp-send/connection/open-socket.ts';
import { Courier } from '../../src/smtp-send/courier.ts';
import { FakeWork } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { quick } from './sender-bench.ts';

test('an item and the end of the connection come in the same moment: the item is given back', async () => {
  await using peer = await ScriptedPeer.start();
  const { signal } = new AbortController();
  const socket = await openSocket(
    { host: '127.0.0.1', port: peer.port },
    { timeoutMs: 2_000, clock: systemClock, signal },
  );
  const connection = new EdgeSmtpConnection({
    socket,
    host: 'peer.test',
    helloName: 'edge.test',
    protocol: 'SMTP',
    forceHelo: false,
    startTls: 'never',
    timeouts: quick,
    clock: systemClock,
  });
  await connection.open(signal);
  const work = new FakeWork([]);
  const spare = new FakeWork([{}]);
  const late = Promise.withResolvers<DeliveryItem | undefined>();
  work.onEmpty = () => late.promise;
  const journey = new Courier(connection, { idleMs: 1_000, maxMessages: 0, remote: 'peer' }).carry(work);
  late.resolve(spare.records[0]?.item);
  connection.abandon('gone');
  const { messages, tried, loss } = await journey;
  assert.deepEqual([messages, tried, loss?.message], [0, false, 'gone']);
  assert.deepEqual(spare.story, [['released']]);
});
