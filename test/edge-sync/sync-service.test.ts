/** When EdgeSync as a service looks at which edges. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { InsideState, type Subscription, type SyncSettings } from '../../src/edge-sync/inside/inside-state.ts';
import { type ServiceConfig, serviceDefaults } from '../../src/edge-sync/inside/service-config.ts';
import { SyncService, type SyncServiceParts } from '../../src/edge-sync/inside/sync-service.ts';
import type { ApplyOptions } from '../../src/edge-sync/inside/synchronization.ts';
import { LdapStream } from '../../src/edge-sync/source/ldap-stream.ts';
import type { OpenedSource } from '../../src/edge-sync/source/open-source.ts';
import { eventually } from '../lib/appliance.ts';
import { ScriptedLdap } from '../lib/scripted-ldap.ts';

const mapping = {
  addressAttributes: ['mail'],
  bases: [],
  excludedBases: [],
  filter: '',
  disabledAccounts: 'keep',
} as const;
const settings = (services: readonly ServiceConfig[] = []): SyncSettings => ({
  server: 'HUB1',
  source: { url: 'ldap://127.0.0.1:1', base: '', bindDn: '', passwordFile: '', caFile: '' },
  mapping,
  domains: [],
  smartHosts: [],
  configurationInterval: 600,
  recipientInterval: 600,
  services,
});
const edge = (name: string, site: string): Subscription => ({ name, site, established: true }) as Subscription;
const silent = { profile: { tells: undefined } } as OpenedSource;

describe('EdgeSync as a service', () => {
  let folder: string;
  let state: InsideState;
  let stop: AbortController;
  let runs: string[];
  let running: Promise<void>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'edge-service-'));
    state = new InsideState(join(folder, 'edge-sync'));
    stop = new AbortController();
    runs = [];
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Begins; each run is noted as what and whom. */
  const begin = (open: () => Promise<OpenedSource>, parts: Partial<SyncServiceParts> = {}): void => {
    const apply = ({ what = 'all', only = [] }: ApplyOptions) => {
      runs.push(`${what} ${[only].flat().join(' ')}`);
      // It takes longer than the shortest interval.
      if (runs.length === 1) return pause(50).then(() => Promise.reject(new Error('the source is away')));
      const reading = { scanned: 0, changed: 0, complete: true, reasons: [], suspicious: false, exhaustive: false };
      return Promise.resolve({ reading, edges: [] });
    };
    const ignored = (): void => undefined;
    const edgeSync = { state, apply, openSource: open };
    running = new SyncService({ edgeSync, ran: ignored, failed: ignored, ...parts }).run(stop.signal);
  };
  const count = (run: string): number => runs.filter((one) => one === run).length;

  test('each site has its own rhythm, and a run that fails is tried again at the next time', async () => {
    const often = { ...serviceDefaults, site: 'main', configurationSyncInterval: 600, recipientSyncInterval: 0.02 };
    await state.saveSettings(settings([often]));
    for (const one of [edge('EDGE1', 'Main'), edge('EDGE2', 'Main'), edge('EDGE3', 'Branch')]) await state.save(one);
    const told: string[] = [];
    begin(() => Promise.resolve(silent), { failed: (reason) => void told.push(reason) });
    await eventually('several runs of one site', () => count('recipients EDGE1 EDGE2') >= 3);
    assert.equal(runs[0], 'all EDGE1 EDGE2 EDGE3');
    assert.deepEqual(told, ['the source is away']);
    assert.equal(runs.filter((run) => run.includes('EDGE3')).length, 1, 'the other has its ten minutes');
    assert.ok((state.nextRun ?? 0) > Date.now() - 10_000);
    stop.abort();
    await running;
    assert.equal(state.nextRun, undefined);
  });

  test('a change in the source is a run of recipients after a second, many changes are one', async () => {
    await state.saveSettings(settings());
    await state.save(edge('EDGE1', 'Main'));
    await using server = await ScriptedLdap.listen(function* () {
      for (let i = 0; i < 50; i++) yield { entry: `uid=u${i},dc=corp`, values: {} };
    });
    const connect = () => LdapStream.open({ url: server.url, bindDn: '', password: '' });
    const profile = { base: 'dc=corp', tells: 'persistent search' };
    const turns: string[] = [];
    const turn = async (): Promise<Disposable> => {
      turns.push('begun');
      const held = await state.turn();
      return { [Symbol.dispose]: () => held[Symbol.dispose]() };
    };
    const source = { profile, connect, addressAttributes: ['mail'] } as unknown as OpenedSource;
    const start = performance.now();
    begin(() => Promise.resolve(source), { exclusive: turn });
    await eventually('the run of the change', () => count('recipients EDGE1') >= 1);
    assert.ok(performance.now() - start >= 900, 'it waits until the changes around it are over');
    assert.equal(count('all EDGE1'), 1);
    assert.ok(runs.length <= 2, runs.join());
    assert.equal(turns.length, runs.length);
  });

  test('work of one process on the state comes one after the other', async () => {
    await state.saveSettings(settings());
    const order: string[] = [];
    const work = async (name: string, ms: number): Promise<void> => {
      using _turn = await state.turn();
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      order.push(`${name} ends`);
    };
    await Promise.all([work('a', 20), work('b', 1), work('c', 1)]);
    assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });
});
