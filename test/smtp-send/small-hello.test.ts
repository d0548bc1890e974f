/** A firewall that breaks on a ClientHello longer than one packet: RFC 8446 §4.1.2 with X25519MLKEM768. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { selfSigned } from '../lib/self-signed.ts';
import { FakeWork } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { senderBench } from './sender-bench.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-hello-`);
after(() => rmSync(folder, { recursive: true }));
const tls = selfSigned(folder, 'a.test');

/** Forwards to a port, and does with a large ClientHello what such firewalls do. */
class Firewall implements AsyncDisposable {
  /** Octets of each ClientHello. */
  readonly hellos: number[] = [];
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  constructor(port: number, manner: 'reset' | 'close' | 'swallow', limit: number) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      this.#sockets.push(client, server);
      for (const socket of [client, server]) socket.on('error', () => undefined);
      server.on('data', (chunk: Buffer) => client.write(chunk));
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
      client.on('data', (chunk: Buffer) => {
        const isHello = chunk[0] === 0x16 && chunk[5] === 1;
        if (isHello) this.hellos.push(chunk.length);
        if (!isHello || chunk.length <= limit) server.write(chunk);
        else if (manner === 'reset') client.resetAndDestroy();
        else if (manner === 'close') client.end();
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

for (const manner of ['reset', 'close', 'swallow'] as const) {
  for (const requireTLS of [true, false]) {
    test(`a large ClientHello meets ${manner}, ${requireTLS ? 'RequireTLS' : 'opportunistic'}: a small one goes through, and is told`, async () => {
      await using peer = await ScriptedPeer.start({ tls });
      await using firewall = new Firewall(peer.port, manner, 1_000);
      const bench = senderBench({ port: await firewall.listen(), smartHosts: ['[127.0.0.1]'], requireTLS });
      const hop = {
        key: 'a',
        type: 'SmartHostConnectorDelivery',
        domain: '[127.0.0.1]',
        connector: 'Outbound',
      } as const;
      for (let i = 0; i < 2; i++) await bench.sender.deliver(new FakeWork([{ recipients: ['b@a.test'] }], { hop }));
      assert.equal(peer.messages.length, 2);
      assert.deepEqual(
        peer.connections.filter(({ messages }) => messages.length > 0).map(({ encrypted }) => encrypted),
        [true, true],
      );
      const [large = 0, ...small] = firewall.hellos;
      assert.ok(large > 1_000 && small.length === 2 && small.every((size) => size < 1_000), String(firewall.hellos));
      assert.match(bench.of('tls-failed')[0]?.consequence ?? '', /trying again with a small ClientHello/);
      assert.equal(bench.of('tls-failed').length, 1, 'the host is remembered');
    });
  }
}

test('where no ClientHello goes through, opportunistic TLS goes on without, and RequireTLS waits', async () => {
  await using peer = await ScriptedPeer.start({ tls });
  await using firewall = new Firewall(peer.port, 'reset', 0);
  const port = await firewall.listen();
  const hop = { key: 'a', type: 'SmartHostConnectorDelivery', domain: '[127.0.0.1]', connector: 'Outbound' } as const;
  for (const [requireTLS, kind] of [
    [false, 'done'],
    [true, 'failed'],
  ] as const) {
    const bench = senderBench({ port, smartHosts: ['[127.0.0.1]'], requireTLS });
    const result = await bench.sender.deliver(new FakeWork([{ recipients: ['b@a.test'] }], { hop }));
    assert.equal(result.kind, kind);
  }
  assert.equal(peer.messages.length, 1);
  assert.equal(firewall.hellos.length, 4);
});
