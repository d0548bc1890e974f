/** Logons of send connectors: which of them flow, and that they are written once. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { parseSealedLogon, sealLogon } from '../../src/edge-sync/connector-logon.ts';
import type { ConfigurationObject } from '../../src/edge-sync/inside/configuration.ts';
import { connectorLogons, logonChange } from '../../src/edge-sync/inside/connector-logons.ts';
import { newCredential } from '../../src/edge-sync/inside/credential.ts';
import type { Subscription } from '../../src/edge-sync/inside/inside-state.ts';

const certificate = (): string =>
  new X509Certificate(newCredential('EDGE1', 'x', 0, Date.now()).certificate).raw.toString('base64');
const subscription = {
  name: 'EDGE1',
  configurationDn: 'CN=Configuration,CN={1}',
  certificate: certificate(),
  recipientKey: Buffer.alloc(32, 7).toString('base64'),
} as Subscription;
const connector = (name: string, logon?: string): ConfigurationObject => ({
  kind: 'sendConnector',
  name,
  attributes: new Map(),
  source: { servers: ['EDGE1'], logon },
});
/** As a machine opens what it sealed itself. */
const unseal = (sealed: string, purpose: string): string => {
  if (!sealed.startsWith('ours:')) throw new Error('sealed elsewhere');
  return `${sealed.slice(5)} for ${purpose}`;
};

test('a logon comes from this machine, else from the source where this machine sealed it; any other is named', () => {
  const said: string[] = [];
  const objects = [
    connector('given', 'ours:old user'),
    connector('sealed', 'ours:secret the%20user'),
    connector('elsewhere', 'theirs:secret user'),
    connector("Exchange's own", '\u0001\u0002'),
    connector('none'),
  ];
  const given = [
    { connector: 'GIVEN', user: 'corp', password: 'new' },
    { connector: 'no connector of the edge', user: 'x', password: 'y' },
  ];
  const logons = connectorLogons(objects, given, { unseal, progress: (text) => said.push(text) });
  assert.deepEqual(logons, [
    { connector: 'given', user: 'corp', password: 'new' },
    { connector: 'sealed', user: 'the user', password: 'secret for AuthenticationCredential the user' },
  ]);
  assert.equal(said.length, 2);
  assert.match(said.join('\n'), /'elsewhere' was not sealed on this machine: edge sync logon 'elsewhere'/);
});

test('a logon is written once, and anew for another password, user, or certificate of the edge', () => {
  const logon = { connector: 'one', user: 'corp', password: 'secret' };
  const first = logonChange([logon], [], subscription);
  assert.ok(first?.kind === 'modify');
  const present = first.modifications.flatMap(({ values }) => values.map(String));
  assert.equal(logonChange([logon], present, subscription), undefined);
  for (const changed of [{ password: 'other' }, { user: 'other' }, { connector: 'two' }])
    assert.ok(logonChange([{ ...logon, ...changed }], present, subscription), JSON.stringify(changed));
  assert.ok(logonChange([logon], present, { ...subscription, certificate: certificate() }));
  assert.ok(logonChange([], present, subscription), 'it is taken away');
  assert.ok(!present.join().includes('secret'));
});

test('what is no sealed logon is passed over', () => {
  const good = JSON.stringify(sealLogon({ connector: 'one', user: 'u', password: 'p' }, subscription));
  assert.equal(parseSealedLogon(good)?.connector, 'one');
  for (const text of [
    '',
    'null',
    '[]',
    '{"connector":"one"}',
    '{"connector":1,"user":"","sealed":"","check":""}',
    'x'.repeat(20_000),
  ])
    assert.equal(parseSealedLogon(text), undefined, text.slice(0, 40));
});
