import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import {
  acceptedDomain,
  brokenRules,
  type ReceiveConnector,
  receiveConnector,
  type SendConnector,
  sendConnector,
  testAcceptedDomain,
  testReceiveConnector,
  testSendConnector,
} from '../../src/config/index.ts';

const someone = { remoteIPRanges: [parseIpRange('10.0.0.1')] };

const receive: readonly (readonly [rule: string | undefined, values: Partial<ReceiveConnector>])[] = [
  [undefined, {}],
  ['basic-auth-require-tls', { authMechanism: ['BasicAuth', 'BasicAuthRequireTLS'] }],
  ['basic-auth-require-tls', { authMechanism: ['Tls', 'BasicAuthRequireTLS'] }],
  [undefined, { authMechanism: ['Tls', 'BasicAuth', 'BasicAuthRequireTLS'] }],
  [
    'external-authoritative-alone',
    { authMechanism: ['ExternalAuthoritative', 'BasicAuth'], permissionGroups: ['ExchangeServers'] },
  ],
  ['external-authoritative-needs-exchange-servers', { authMechanism: ['Tls', 'ExternalAuthoritative'] }],
  [undefined, { authMechanism: ['Tls', 'ExternalAuthoritative'], permissionGroups: ['ExchangeServers'] }],
  [undefined, { authMechanism: ['ExternalAuthoritative'], permissionGroups: ['ExchangeServers'] }],
  ['require-tls-needs-tls', { requireTLS: true, authMechanism: [] }],
  [undefined, { requireTLS: true }],
  ['domain-secure-needs-tls', { domainSecureEnabled: true, authMechanism: [] }],
  ['binary-mime-needs-chunking', { chunkingEnabled: false }],
  [undefined, { chunkingEnabled: false, binaryMimeEnabled: false }],
  ['inactivity-below-connection-timeout', { connectionInactivityTimeout: 300, connectionTimeout: 300 }],
  [undefined, { connectionInactivityTimeout: 299, connectionTimeout: 300 }],
  ['bindings-and-ranges', { bindings: [] }],
  ['bindings-and-ranges', { remoteIPRanges: [] }],
];

for (const [rule, values] of receive) {
  test(`receive connector, ${JSON.stringify(Object.keys(values))}: ${rule ?? 'holds'}`, () => {
    const broken = brokenRules(receiveConnector, testReceiveConnector({ ...someone, ...values }));
    assert.deepEqual(
      broken.map((one) => one.rule.name),
      rule === undefined ? [] : [rule],
    );
    for (const { message } of broken) assert.match(message, /\.$/);
  });
}

const all = { addressSpaces: [{ type: 'SMTP', address: '*', cost: 1 }] };
const hosts = { smartHosts: ['[10.0.0.1]'], dnsRoutingEnabled: false };

const send: readonly (readonly [rule: string | undefined, values: Partial<SendConnector>])[] = [
  [undefined, {}],
  ['require-tls-excludes-ignore', { requireTLS: true, ignoreSTARTTLS: true }],
  ['tls-auth-level-needs-require-tls', { tlsAuthLevel: 'EncryptionOnly' }],
  ['tls-auth-level-needs-require-tls', { tlsAuthLevel: 'EncryptionOnly', ignoreSTARTTLS: true }],
  [undefined, { tlsAuthLevel: 'EncryptionOnly', requireTLS: true }],
  ['tls-domain-with-domain-validation', { tlsDomain: 'example.com' }],
  ['tls-domain-with-domain-validation', { ...hosts, tlsAuthLevel: 'DomainValidation', requireTLS: true }],
  [undefined, { ...hosts, tlsAuthLevel: 'DomainValidation', requireTLS: true, tlsDomain: 'example.com' }],
  [undefined, { tlsAuthLevel: 'DomainValidation', requireTLS: true }],
  ['smart-hosts-or-dns', { smartHosts: ['hub'] }],
  ['smart-hosts-or-dns', { dnsRoutingEnabled: false }],
  [undefined, hosts],
  ['smart-host-auth-needs-smart-hosts', { smartHostAuthMechanism: 'ExchangeServer' }],
  ['smart-host-auth-needs-smart-hosts', { ...hosts, smartHostAuthMechanism: 'BasicAuth' }],
  [
    undefined,
    { ...hosts, smartHostAuthMechanism: 'BasicAuth', authenticationCredential: { userName: 'user', sealed: 'x' } },
  ],
  ['domain-secure-needs-dns', { ...hosts, domainSecureEnabled: true }],
  ['address-spaces', { addressSpaces: [] }],
  ['address-spaces', { addressSpaces: [{ type: 'X400', address: 'c=US', cost: 1 }] }],
];

for (const [rule, values] of send) {
  test(`send connector, ${JSON.stringify(Object.keys(values))}: ${rule ?? 'holds'}`, () => {
    const broken = brokenRules(sendConnector, testSendConnector({ ...all, ...values }));
    assert.deepEqual(
      broken.map((one) => one.rule.name),
      rule === undefined ? [] : [rule],
    );
  });
}

test('the domain * cannot be authoritative', () => {
  assert.equal(brokenRules(acceptedDomain, testAcceptedDomain({ domainName: '*' })).length, 1);
  assert.equal(
    brokenRules(acceptedDomain, testAcceptedDomain({ domainName: '*', domainType: 'InternalRelay' })).length,
    0,
  );
});
