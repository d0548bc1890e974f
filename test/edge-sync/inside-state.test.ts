import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newCredential } from '../../src/edge-sync/inside/credential.ts';
import { InsideState, type Subscription } from '../../src/edge-sync/inside/inside-state.ts';
import { edgeHere } from '../lib/command-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'inside-state-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const credential = newCredential('EDGE1', 'HUB1', 0, Date.UTC(2026, 0, 1));

const subscription = (name: string, established: boolean): Subscription => ({
  name,
  fqdn: `${name}.example.com`,
  address: '127.0.0.1',
  port: 50_636,
  site: 'Default',
  configurationDn: 'CN=Configuration,CN={1}',
  pins: [],
  certificate: '',
  recipientKey: '',
  credential,
  file: '',
  established,
  createInternetSendConnector: true,
  createInboundSendConnector: true,
});

test('a run is for all established edges, or for the one that is named', async () => {
  const state = new InsideState(folder);
  assert.throws(() => state.chosen(undefined), { name: 'SyncStateError', message: /no edge is subscribed/ });
  await state.save(subscription('EDGE1', false));
  assert.throws(() => state.chosen(undefined), /no edge is subscribed/, 'one that is only begun is none');
  await state.save(subscription('EDGE2', true));
  const names = (only?: string) => state.chosen(only).map(({ name }) => name);
  assert.deepEqual(names(), ['EDGE2']);
  assert.deepEqual(names('edge1'), ['EDGE1']);
  assert.throws(() => names('EDGE3'), /no edge 'EDGE3' is subscribed; subscribed are EDGE1, EDGE2/);
});

test('before init and before a subscription each command says the whole line to type, and run does not wait for it', async () => {
  const place = join(folder, 'new');
  for (const command of [['run'], ['status'], ['plan']]) {
    const { status, error } = await edgeHere(['sync', ...command, '--state', place]);
    assert.equal(status, 2, error);
    assert.ok(error.includes(`edge sync init --state ${place} --source ldaps://dc1.corp.example --ca`), error);
  }
  const source = ['--source', 'ldap://127.0.0.1:1', '--bind-dn', 'cn=x', '--password-file', join(folder, 'none')];
  const init = await edgeHere(['sync', 'init', '--state', place, ...source]);
  assert.match(init.error, /there is no such file or folder/);
  const said = await edgeHere(['sync', 'apply', '--state', place]);
  assert.match(said.error, /On the edge, New-EdgeSubscription -FileName FILE .*edge sync subscribe FILE --site NAME/);
});
