/** Where LDAPS listens: nowhere until a subscription or an administrator asks for it, then for those who are named. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import type { ListenTarget } from '../../src/directory/index.ts';
import { LdapListeners, type LdapSettings } from '../../src/services/directory/ldap-listeners.ts';

type Target = Extract<ListenTarget, { readonly host: string }>;

function listeners() {
  const state = {
    settings: {
      edgeSyncAdamLdapPort: 50_389,
      edgeSyncAdamSslPort: 50_636,
      ldapsAddresses: [],
      ldapsRemoteIPRanges: [],
    } as LdapSettings,
    subscribed: false,
    refused: '',
    open: [] as Target[],
    failures: [] as string[],
  };
  const parts = new LdapListeners({
    listen: async (target) => {
      if (!('host' in target)) throw new Error('not by handle');
      if (target.host === state.refused) throw new Error('in use');
      state.open.push(target);
      return {
        address: target.host,
        port: target.port,
        [Symbol.asyncDispose]: async () => void state.open.splice(state.open.indexOf(target), 1),
      };
    },
    settings: () => state.settings,
    isSubscribed: () => state.subscribed,
    failed: (endpoint, error) => state.failures.push(`${endpoint} ${error === undefined ? 'listens' : error.message}`),
  });
  return { parts, state };
}

const loopback = ['ldap 127.0.0.1:50389', 'ldap [::1]:50389'];

test('a new server answers on loopback alone', async () => {
  const { parts } = listeners();
  await parts.apply();
  assert.deepEqual(parts.lines, loopback);
});

test('a subscription opens LDAPS, its end closes it, and the status says that it is open to everyone', async () => {
  const { parts, state } = listeners();
  state.subscribed = true;
  await parts.apply();
  assert.deepEqual(parts.lines.slice(2), [
    'ldaps 0.0.0.0:50636 (open to every address)',
    'ldaps [::]:50636 (open to every address)',
  ]);
  state.subscribed = false;
  await parts.apply();
  assert.deepEqual([parts.lines, state.open.length], [loopback, 2]);
});

test('addresses and clients are those that the server names, at once', async () => {
  const { parts, state } = listeners();
  state.subscribed = true;
  state.settings = {
    ...state.settings,
    ldapsAddresses: ['192.0.2.25'],
    ldapsRemoteIPRanges: [parseIpRange('192.0.2.0/24'), parseIpRange('2001:db8::/32')],
  };
  await parts.apply();
  assert.deepEqual(parts.lines.slice(2), ['ldaps 192.0.2.25:50636']);
  const serves = state.open.at(-1)?.serves;
  const rows = ['192.0.2.7', '198.51.100.1', '2001:db8::1', 'fe80::1%eth0'];
  assert.deepEqual(
    rows.map((address) => serves?.(address)),
    [true, false, true, false],
  );
  state.settings = { ...state.settings, ldapsRemoteIPRanges: [parseIpRange('198.51.100.1')] };
  assert.deepEqual(
    rows.map((address) => serves?.(address)),
    [false, true, false, false],
  );
});

test('an address that cannot be had is a fault until it can', async () => {
  const { parts, state } = listeners();
  state.settings = { ...state.settings, ldapsAddresses: ['192.0.2.25'] };
  state.refused = '192.0.2.25';
  await parts.apply();
  state.refused = '';
  await parts.apply();
  assert.deepEqual(state.failures.slice(-2), ['ldaps 192.0.2.25:50636 in use', 'ldaps 192.0.2.25:50636 listens']);
});
