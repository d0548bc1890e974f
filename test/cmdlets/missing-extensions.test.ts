/** What EHLO lacks, and the line that brings it: held against a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { parseIpRange, systemClock } from '../../src/base/index.ts';
import { missingExtensions, withoutStartTls } from '../../src/cmdlets/mail-flow/missing-extensions.ts';
import {
  AcceptedDomainTable,
  brokenRules,
  propertyName,
  type ReceiveConnector,
  receiveConnector,
  testReceiveConnector,
} from '../../src/config/index.ts';
import { organizationLimits, Rehearsal } from '../../src/smtp-receive/what-if/index.ts';
import { internetSnapshot, noCertificates } from '../smtp-receive/receiving.ts';

const event = { purpose: 'STARTTLS', wanted: '', thumbprint: 'AB', subject: '', reason: '', passedOver: [] };
const context = createSecureContext();
const oneCertificate = { pick: () => ({ context, event }) };

interface Place {
  readonly connector: ReceiveConnector;
  readonly hasCertificate: boolean;
  readonly secure: boolean;
}

/** What EHLO says there, and what is said about it. */
async function answer({ connector, hasCertificate, secure }: Place) {
  const { server, organization } = internetSnapshot({});
  const session = new Rehearsal(
    {
      connector,
      serverFqdn: server.fqdn,
      secureDomains: [],
      internalServers: [],
      domains: new AcceptedDomainTable([]),
      limits: organizationLimits(organization),
      localAddress: '127.0.0.1',
      remoteAddress: '127.0.0.1',
    },
    { clock: systemClock, certificates: hasCertificate ? oneCertificate : noCertificates },
  );
  await session.greeting(0);
  if (secure) session.secured({ certificates: [], opensslError: '' });
  const { reply } = await session.say('EHLO client.example');
  const { withoutCertificate } = session;
  const state = { connector, fqdn: server.fqdn, secure: session.secure, withoutCertificate };
  const started = (await session.say('STARTTLS')).reply.slice(0, 3);
  return { reply, missing: missingExtensions(reply, state), started, why: withoutStartTls(state) };
}

/** The connector after a line of Set-ReceiveConnector. */
function changed(connector: ReceiveConnector, line: string): ReceiveConnector {
  const after: Record<string, unknown> = { ...connector };
  for (const [, name = '', value = ''] of line.matchAll(/ -(\w+) (\S+)/g)) {
    const [field, row] =
      Object.entries(receiveConnector.properties).find(([one, of]) => propertyName(one, of) === name) ??
      assert.fail(line);
    after[field] = row.syntax.parse(value === '$null' ? null : value);
  }
  return after as unknown as ReceiveConnector;
}

const plain: Partial<ReceiveConnector> = {
  name: 'R',
  remoteIPRanges: [parseIpRange('127.0.0.0/8')],
  permissionGroups: ['ExchangeServers'],
};
const off: Partial<ReceiveConnector> = {
  sizeEnabled: 'Disabled',
  pipeliningEnabled: false,
  deliveryStatusNotificationEnabled: false,
  enhancedStatusCodesEnabled: false,
  eightBitMimeEnabled: false,
  binaryMimeEnabled: false,
  chunkingEnabled: false,
  smtpUtf8Enabled: false,
};
const switches: readonly Partial<ReceiveConnector>[] = [
  {},
  off,
  { binaryMimeEnabled: false },
  { limitsEnabled: true },
  { externalAuthEnabled: true },
  { sizeEnabled: 'EnabledWithoutValue' },
];
const mechanisms: readonly ReceiveConnector['authMechanism'][] = [
  [],
  ['Tls'],
  ['Tls', 'ExchangeServer'],
  ['BasicAuth'],
  ['Tls', 'BasicAuth', 'BasicAuthRequireTLS'],
  ['Tls', 'ExternalAuthoritative'],
  ['Integrated'],
];
const known =
  'SIZE PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS AUTH 8BITMIME BINARYMIME CHUNKING SMTPUTF8 REQUIRETLS LIMITS';

for (const authMechanism of mechanisms)
  for (const secure of [false, true])
    for (const hasCertificate of [true, false])
      test(`${authMechanism.join()}, ${secure ? 'inside TLS' : 'in clear'}, certificate ${hasCertificate}`, async () => {
        for (const own of switches) {
          const connector = { ...testReceiveConnector({ ...plain, authMechanism, ...own }), identity: "EDGE1\\R's" };
          const place = { connector, hasCertificate, secure };
          const { reply, missing, started, why } = await answer(place);
          const offered = reply.split('\n').map((line) => line.slice(4).split(' ')[0]);
          // Each is offered or explained, never both; inside TLS nobody looks for STARTTLS.
          for (const name of known.split(' ')) {
            const count = missing.filter((one) => one.name === name).length;
            assert.equal(count, offered.includes(name) || (name === 'STARTTLS' && secure) ? 0 : 1, `${name}: ${reply}`);
          }
          assert.equal(offered.includes('STARTTLS'), started === '220');
          if (!secure && started !== '220')
            assert.deepEqual(
              { name: 'STARTTLS', ...why },
              missing.find(({ name }) => name === 'STARTTLS'),
            );
          for (const { name, reason, remedy } of missing) {
            assert.notEqual(reason, '', name);
            if (!remedy.startsWith('Set-')) continue;
            assert.ok(remedy.startsWith("Set-ReceiveConnector 'EDGE1\\R''s' -"), remedy);
            const after = changed(connector, remedy);
            assert.deepEqual(brokenRules(receiveConnector, after), [], remedy);
            // Logging on is offered behind STARTTLS, by the line too.
            const then = await answer({
              ...place,
              connector: after,
              hasCertificate: true,
              secure: secure || name === 'AUTH',
            });
            assert.match(then.reply, new RegExp(`^250[ -]${name}\\b`, 'm'), remedy);
          }
        }
      });

test('without a certificate the line that makes or frees one is told', async () => {
  const of = async (own: Partial<ReceiveConnector>) => {
    const connector = testReceiveConnector({ name: 'R', ...own });
    const { why } = await answer({ connector, hasCertificate: false, secure: false });
    return why;
  };
  assert.equal(
    (await of({})).remedy,
    `New-ExchangeCertificate -DomainName ${internetSnapshot({}).server.fqdn} -Services SMTP -Force`,
  );
  const named = await of({ tlsCertificateName: '<I>CN=a<S>CN=b' });
  assert.match(named.remedy, /-TlsCertificateName \$null$/);
  assert.match(named.reason, /^no certificate fits: ./);
});
