/** The connection to the edge breaks after any octet, in either direction: the next whole run ends in the same state. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { loadSchema } from '../../src/directory/index.ts';
import { recipientsDn } from '../../src/edge-sync/edge/place.ts';
import { EdgeSync, InsideState } from '../../src/edge-sync/index.ts';
import { ScriptedLdap } from '../lib/scripted-ldap.ts';
import { EdgeInProcess } from './edge-in-process.ts';
import { ScriptedDomain } from './scripted-domain.ts';

/** Passes octets on until so many have gone through; then both ends are gone without a word. */
class CuttingProxy implements AsyncDisposable {
  left = Infinity;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(to: number) {
    this.#server = createServer((near) => {
      const far = connect(to, '127.0.0.1');
      for (const [from, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => other.destroy());
        from.on('data', (octets: Buffer) => {
          const passed = octets.subarray(0, this.left);
          this.left -= octets.length;
          other.write(passed);
          if (this.left <= 0) {
            near.resetAndDestroy();
            far.resetAndDestroy();
          }
        });
      }
    });
  }

  static async listen(to: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(to);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('a connection that breaks at any octet loses nothing, and takes nothing away', async () => {
  const schema = await loadSchema('ldap/schema');
  const folder = mkdtempSync(join(tmpdir(), 'edge-cut-'));
  const domain = new ScriptedDomain(schema);
  await using edge = await EdgeInProcess.start(systemClock);
  await using proxy = await CuttingProxy.listen(edge.port);
  await using source = await ScriptedLdap.listen(domain.script);
  const state = new InsideState(join(folder, 'edge-sync'));
  const sync = new EdgeSync({ state, schema, clock: systemClock, progress: () => undefined });
  const { signal } = new AbortController();
  try {
    const mapping = { addressAttributes: ['proxyAddresses'], bases: [], excludedBases: [], filter: '' };
    await state.saveSettings({
      server: 'HUB1',
      source: { url: source.url, base: '', bindDn: '', passwordFile: '', caFile: '' },
      mapping: { ...mapping, disabledAccounts: 'keep' },
      domains: [{ name: 'corp.example', type: 'Authoritative' }],
      smartHosts: ['[10.0.0.5]'],
      configurationInterval: 180,
      recipientInterval: 300,
    });
    const subscribed = await sync.subscribe(await edge.cmdlets.issue(86_400_000), {
      site: 'Main',
      address: '127.0.0.1',
      createInboundSendConnector: true,
      createInternetSendConnector: true,
    });
    await state.save({ ...subscribed, port: proxy.port });
    const person = (text: string) => ({ objectClass: ['user'], proxyAddresses: [`SMTP:${text}@corp.example`] });
    const all = Array.from({ length: 60 }, (_, i) => domain.add(`CN=u${i}`, person(`u${i}`)));
    const held = (): number =>
      [...edge.store.search({ base: recipientsDn, scope: 'one', limit: 10_000 })].flatMap((entry) =>
        entry.buffers('edgeHashedAddress'),
      ).length;
    let [cuts, leased] = [0, 0];
    for (let round = 0; round < 16; round++) {
      for (let i = 0; i < 4; i++) all.push(domain.add(`CN=r${round}n${i}`, person(`r${round}n${i}`)));
      domain.set(all[round] ?? '', person(`changed${round}`));
      // From the first octets of the handshake to behind the last answer: step by step through the first run, then anywhere.
      const part = round < 8 ? (round + Math.random()) / 8 : Math.random();
      proxy.left = 500 + Math.floor(part ** 2 * 60_000);
      const before = held();
      const { edges } = await sync.apply({ force: true, signal });
      if (edges[0]?.stopped !== undefined) cuts += 1;
      leased += Object.keys(state.leases).length;
      assert.ok(held() >= before, `round ${round}: nothing that was there is gone`);
    }
    assert.ok(cuts > 2, `${cuts} of 16 runs were cut`);
    proxy.left = Infinity;
    const { edges } = await sync.apply({ force: true, signal });
    assert.equal(edges[0]?.stopped, undefined);
    assert.equal(held(), all.length);
    assert.ok(leased > 0, 'a run that was cut off leaves its lease, which is said');
    assert.deepEqual(state.leases, {});
    const compared = await sync.test(subscribed.name, { full: true, recipients: true, most: 10, signal });
    assert.deepEqual([compared.scanned, compared.differing, compared.configuration], [all.length, 0, []]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
