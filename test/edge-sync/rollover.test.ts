/** Accounts and certificates over the months, by one clock on both sides: an edge with its LDAPS face, and EdgeSync inside. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadSchema } from '../../src/directory/index.ts';
import { accountsDn, type EdgePlace, heartbeatDn, placeOf, subscriptionDn } from '../../src/edge-sync/edge/place.ts';
import { type EdgeResult, EdgeSync, InsideState } from '../../src/edge-sync/index.ts';
import { eventually } from '../lib/appliance.ts';
import { ScriptedLdap } from '../lib/scripted-ldap.ts';
import { EdgeInProcess, SetClock } from './edge-in-process.ts';
import { ScriptedDomain } from './scripted-domain.ts';

const day = 86_400_000;
const schema = await loadSchema('ldap/schema');
// The machine's time at the beginning: certificates of the edge are made by it.
const clock = new SetClock(Date.now());
const domain = new ScriptedDomain(schema);
const folder = mkdtempSync(join(tmpdir(), 'edge-rollover-'));
const state = new InsideState(join(folder, 'edge-sync'));
const sync = new EdgeSync({ state, schema, clock, progress: () => undefined });
const { signal } = new AbortController();
const subscribeOptions = { site: 'Main', createInboundSendConnector: true, createInternetSendConnector: true };
let edge: EdgeInProcess;
let source: ScriptedLdap;
let name: string;

async function apply(): Promise<EdgeResult> {
  const { edges } = await sync.apply({ signal });
  await edge.side.credentials.settled();
  const [result] = edges;
  assert.ok(result !== undefined);
  return result;
}

/** Numbers of the accounts that the edge has. */
const accounts = (): number[] =>
  [...edge.store.search({ base: accountsDn(place()), scope: 'one' })]
    .flatMap(({ dn }) => /^CN=ESRA\.[^.]+\.HUB1\.(\d+),/.exec(dn)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

/** Number of the account that wrote the last heartbeat. */
const writer = (): string | undefined =>
  /^CN=ESRA\.[^.]+\.HUB1\.(\d+),/.exec(edge.store.get(heartbeatDn(place()))?.values('modifiersName')[0] ?? '')?.[1];

const place = (): EdgePlace => placeOf(state.subscription(name));

before(async () => {
  edge = await EdgeInProcess.start(clock);
  source = await ScriptedLdap.listen(domain.script);
  domain.add('CN=Ann', { objectClass: ['user'], proxyAddresses: ['SMTP:ann@corp.example'] });
  await state.saveSettings({
    server: 'HUB1',
    source: { url: source.url, base: '', bindDn: '', passwordFile: '', caFile: '' },
    mapping: {
      addressAttributes: ['proxyAddresses'],
      bases: [],
      excludedBases: [],
      filter: '',
      disabledAccounts: 'keep',
    },
    domains: [{ name: 'corp.example', type: 'Authoritative' }],
    smartHosts: ['[10.0.0.5]'],
    configurationInterval: 180,
    recipientInterval: 300,
  });
  const file = await edge.cmdlets.issue(day);
  ({ name } = await sync.subscribe(file, { ...subscribeOptions, address: '127.0.0.1' }));
});
after(async () => {
  await edge[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('over the months an account is made 7 days ahead, used from 3 days before, and taken away when it has expired and another comes', async () => {
  const seen: string[] = [];
  let today = 0;
  for (const at of [0, 22, 23, 26, 27, 29, 30, 45, 46, 49, 50, 53, 68, 69]) {
    clock.forward((at - today) * day);
    today = at;
    const { stopped } = await apply();
    assert.equal(stopped, undefined, `day ${at}`);
    const { credential, next } = state.subscription(name);
    const kept = [credential, ...(next === undefined ? [] : [next])].map(({ user }) => user.split('.').at(-1));
    seen.push(`day ${at}: on the edge ${accounts().join(' ')}, inside ${kept.join(' ')}, wrote ${writer()}`);
  }
  assert.deepEqual(seen, [
    'day 0: on the edge 0, inside 0, wrote 0',
    'day 22: on the edge 0, inside 0, wrote 0',
    'day 23: on the edge 0 1, inside 0 1, wrote 0',
    'day 26: on the edge 0 1, inside 0 1, wrote 0',
    'day 27: on the edge 0 1, inside 0 1, wrote 1',
    'day 29: on the edge 0 1, inside 0 1, wrote 1',
    'day 30: on the edge 0 1, inside 1, wrote 1',
    'day 45: on the edge 0 1, inside 1, wrote 1',
    'day 46: on the edge 1 2, inside 1 2, wrote 1',
    'day 49: on the edge 1 2, inside 1 2, wrote 1',
    'day 50: on the edge 1 2, inside 1 2, wrote 2',
    'day 53: on the edge 1 2, inside 2, wrote 2',
    'day 68: on the edge 1 2, inside 2, wrote 2',
    'day 69: on the edge 2 3, inside 2 3, wrote 2',
  ]);
});

test('an edge that did not make the next account is asked again by the one before', async () => {
  const { next } = state.subscription(name);
  const made = accounts();
  await edge.store.delete(`CN=${next?.user},${accountsDn(place())}`, { actor: 'test' });
  clock.forward(5 * day);
  assert.equal((await apply()).stopped, undefined);
  assert.deepEqual(accounts(), made, 'it is there again');
});

test('a certificate of the edge that changes while one of the pinned keys is there heals by itself', async () => {
  const old = edge.certificates.list();
  await edge.certificates.makeSelfSigned(selfSigned);
  await published();
  assert.equal((await apply()).stopped, undefined, 'the inside hears of the new key through the old one');
  for (const { thumbprint } of old) await edge.certificates.remove(thumbprint);
  await published();
  assert.equal((await apply()).stopped, undefined, 'the new one is pinned');
});

test('where every pinned key is gone, the refusal names the command that repairs it, and that does', async () => {
  const old = edge.certificates.list();
  await edge.certificates.makeSelfSigned(selfSigned);
  for (const { thumbprint } of old) await edge.certificates.remove(thumbprint);
  await published();
  const { stopped = '', eventId } = await apply();
  assert.equal(eventId, 10104, "Exchange's event for it");
  const pin = /edge sync rekey NAME --pin (\S+)$/.exec(stopped)?.[1];
  assert.ok(pin !== undefined, stopped);
  await sync.rekey(name, pin, undefined);
  assert.equal((await apply()).stopped, undefined);
  assert.deepEqual(
    edge.warnings.filter((text) => !/sealed to a certificate that is not here/.test(text)),
    [],
  );
});

test('an account that has expired everywhere is told with the lines that subscribe the edge anew', async () => {
  clock.forward(60 * day);
  const { stopped = '' } = await apply();
  assert.match(stopped, /does not take our account ESRA\..*New-EdgeSubscription.*edge sync subscribe FILE --site Main/);
});

test('the plan of a subscription that is made anew shows what it would take from the edge, as apply does', async () => {
  const other = new InsideState(join(folder, 'other'));
  await other.saveSettings(state.settings);
  for (const guid of domain.objects.keys()) domain.delete(guid);
  const anew = new EdgeSync({ state: other, schema, clock, progress: () => undefined });
  await anew.subscribe(await edge.cmdlets.issue(day), { ...subscribeOptions, address: '127.0.0.1' });
  const { edges } = await anew.plan(undefined, signal);
  assert.equal(edges[0]?.recipients.deleted, 1);
  const applied = await anew.apply({ signal });
  assert.deepEqual([applied.edges[0]?.stopped, applied.edges[0]?.recipients?.deleted], [undefined, 1]);
});

const selfSigned = {
  subject: [[{ oid: '2.5.4.3', value: 'edge.corp.example' }]],
  dnsNames: ['edge.corp.example'],
  algorithm: 'ECDSA' as const,
  keyBits: 0,
  services: ['SMTP'],
  friendlyName: '',
  exportable: true,
};

/** The edge tells its keys behind the change of its certificates. */
async function published(): Promise<void> {
  const keys = edge.certificates.list().length;
  const told = (): number => edge.store.get(subscriptionDn(place()))?.values('edgeSyncServerKey').length ?? 0;
  await eventually('the keys are published', () => told() === keys);
}
