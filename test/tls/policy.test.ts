import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeTls,
  judgePeer,
  type PeerIdentity,
  type SendTlsPolicy,
  type SendTlsSettings,
  sendTlsPolicy,
} from '../../src/tls/index.ts';

const off: SendTlsSettings = { requireTls: false, ignoreStartTls: false };
const policies: readonly [Partial<SendTlsSettings>, SendTlsPolicy][] = [
  [{}, { level: 'opportunistic' }],
  [{ ignoreStartTls: true }, { level: 'none' }],
  [{ requireTls: true }, { level: 'encryption' }],
  [{ requireTls: true, ignoreStartTls: true }, { level: 'encryption' }],
  [{ tlsAuthLevel: 'EncryptionOnly' }, { level: 'encryption' }],
  [{ tlsAuthLevel: 'CertificateValidation' }, { level: 'certificate' }],
  [{ requireTls: true, tlsAuthLevel: 'CertificateValidation' }, { level: 'certificate' }],
  [{ tlsAuthLevel: 'DomainValidation' }, { level: 'domain', names: ['contoso.com'] }],
  [
    { tlsAuthLevel: 'DomainValidation', tlsDomain: 'mx.contoso.com' },
    { level: 'domain', names: ['mx.contoso.com'] },
  ],
  [{ tlsAuthLevel: '', tlsDomain: '' }, { level: 'opportunistic' }],
];
for (const [settings, policy] of policies) {
  test(`policy of ${JSON.stringify(settings)}`, () =>
    assert.deepEqual(sendTlsPolicy({ ...off, ...settings }, 'contoso.com'), policy));
}

const certificate = { dnsNames: ['mail.contoso.com', '*.mx.contoso.com'], commonName: 'x' };
const peers = {
  clear: { encrypted: false, chainError: '' },
  nameless: { encrypted: true, chainError: '' },
  untrusted: { encrypted: true, chainError: 'SELF_SIGNED_CERT_IN_CHAIN', certificate },
  trusted: { encrypted: true, chainError: '', certificate },
} satisfies Record<string, PeerIdentity>;
const named = (...names: string[]): SendTlsPolicy => ({ level: 'domain', names });

// The whole truth table: policy, peer, acceptable, level reached.
const verdicts: readonly [SendTlsPolicy, keyof typeof peers, boolean, string][] = [
  [{ level: 'none' }, 'clear', true, 'none'],
  [{ level: 'none' }, 'trusted', true, 'certificate'],
  [{ level: 'opportunistic' }, 'clear', true, 'none'],
  [{ level: 'opportunistic' }, 'nameless', true, 'encryption'],
  [{ level: 'opportunistic' }, 'untrusted', true, 'encryption'],
  [{ level: 'opportunistic' }, 'trusted', true, 'certificate'],
  [{ level: 'encryption' }, 'clear', false, 'none'],
  [{ level: 'encryption' }, 'nameless', true, 'encryption'],
  [{ level: 'encryption' }, 'untrusted', true, 'encryption'],
  [{ level: 'encryption' }, 'trusted', true, 'certificate'],
  [{ level: 'certificate' }, 'clear', false, 'none'],
  [{ level: 'certificate' }, 'nameless', false, 'encryption'],
  [{ level: 'certificate' }, 'untrusted', false, 'encryption'],
  [{ level: 'certificate' }, 'trusted', true, 'certificate'],
  [named('mail.contoso.com'), 'clear', false, 'none'],
  [named('mail.contoso.com'), 'untrusted', false, 'encryption'],
  [named('mail.contoso.com'), 'trusted', true, 'domain'],
  [named('a.mx.contoso.com'), 'trusted', true, 'domain'],
  [named('contoso.com'), 'trusted', false, 'certificate'],
  [named('contoso.com', 'mail.contoso.com'), 'trusted', true, 'domain'],
  [named('*.contoso.com'), 'trusted', true, 'domain'],
  [named('*.mx.contoso.com'), 'trusted', true, 'domain'],
  [named('*.fabrikam.com'), 'trusted', false, 'certificate'],
  [named(), 'trusted', false, 'certificate'],
];
for (const [policy, peer, acceptable, reached] of verdicts) {
  test(`${JSON.stringify(policy)} with a ${peer} peer: ${reached}, ${acceptable ? 'sent' : 'not sent'}`, () => {
    const verdict = judgePeer(policy, peers[peer], 0);
    assert.deepEqual({ acceptable: verdict.acceptable, reached: verdict.reached }, { acceptable, reached });
    assert.notEqual(verdict.reason, '');
  });
}

test('a connection in words', () => {
  const modern = describeTls({
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    standardName: 'TLS_AES_256_GCM_SHA384',
    keyExchange: { type: 'ECDH', name: 'X25519', size: 253 },
  });
  assert.equal(modern.received, 'version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384');
  assert.deepEqual([modern.bits, modern.keyExchange, modern.forwardSecret], [256, 'ECDH X25519', true]);
  const old = describeTls({ protocol: 'TLSv1.2', cipher: 'AES128-SHA', standardName: 'TLS_RSA_WITH_AES_128_CBC_SHA' });
  assert.deepEqual([old.protocol, old.bits, old.keyExchange, old.forwardSecret], ['TLS1_2', 128, 'RSA', false]);
  const dhe = describeTls({ protocol: 'TLSv1.2', cipher: 'ECDHE-RSA-CHACHA20-POLY1305', keyExchange: {} });
  assert.deepEqual([dhe.bits, dhe.keyExchange, dhe.forwardSecret], [256, 'ECDHE', true]);
  assert.equal(
    describeTls({ protocol: 'TLSv1', cipher: 'DES-CBC3-SHA', standardName: 'TLS_RSA_WITH_3DES_EDE_CBC_SHA' }).protocol,
    'TLS1_0',
  );
  assert.match(modern.text, /TLS1_3 .* 256 bits/);
});
