/** A session without a socket gives the answers of the real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { AcceptedDomainTable, ace, type ReceiveConnector, wellKnownSids } from '../../src/config/index.ts';
import { anonymous } from '../../src/smtp-receive/rights/principal.ts';
import { decisionOf, organizationLimits, Rehearsal } from '../../src/smtp-receive/what-if/index.ts';
import { anonymousAcl, internetSnapshot, noCertificates, Receiving } from './receiving.ts';

const lines = [
  'NOOP',
  'MAIL FROM:<a@example.org>',
  'EHLO client.example.org',
  'STARTTLS',
  'MAIL FROM:<a@example.org> SIZE=99999999',
  'MAIL FROM:<a b@example.org>',
  'MAIL FROM:<a@example.test>',
  'RCPT TO:<user@example.test>',
  'RCPT TO:<user@far.example>',
  'RCPT TO:<user@host>',
  'RCPT TO:<user>',
  'RSET',
  'MAIL FROM:<scanner>',
  'AUTH LOGIN',
  'BDAT',
  'NONSENSE',
  'RSET',
  'QUIT',
];
const connectors: readonly Partial<ReceiveConnector>[] = [
  {},
  { acl: [] },
  { requireTLS: true },
  { requireEHLODomain: true, maxMessageSize: 65_536, rejectSingleLabelRecipientDomains: true },
  { acl: anonymousAcl.filter(({ right }) => right !== 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender') },
  { acl: [...anonymousAcl, ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Accept-Any-Recipient')] },
  { authMechanism: ['Tls', 'BasicAuth', 'BasicAuthRequireTLS'], chunkingEnabled: false, smtpUtf8Enabled: false },
  { enhancedStatusCodesEnabled: false, banner: '220 hello' },
  { defaultDomain: 'example.test' },
];

for (const [number, overrides] of connectors.entries()) {
  test(`connector ${number}: every line gets the reply of the real session`, async () => {
    const snapshot = internetSnapshot(overrides);
    const nobody = () => Promise.resolve({ kind: 'unavailable' } as const);
    const logons = { check: nobody, checkCertificate: nobody };
    await using edge = await Receiving.start({ snapshot, logons });
    const client = await edge.connect();
    const [connector] = snapshot.receiveConnectors;
    assert.ok(connector !== undefined);
    const rehearsal = new Rehearsal(
      {
        connector,
        serverFqdn: snapshot.server.fqdn,
        secureDomains: [],
        internalServers: [],
        limits: organizationLimits(snapshot.organization),
        domains: new AcceptedDomainTable(snapshot.acceptedDomains),
        localAddress: '127.0.0.1',
        remoteAddress: '127.0.0.1',
      },
      { clock: systemClock, certificates: noCertificates },
    );
    const withoutDate = (text: string): string => text.replace(/ready at .*/, 'ready at');
    assert.equal(withoutDate((await rehearsal.greeting(0)).reply), withoutDate(await client.reply()));
    for (const line of lines) {
      const { reply } = await rehearsal.say(line);
      assert.equal(reply, rehearsal.ended && reply === '' ? '' : await client.ask(line), line);
      if (reply.startsWith('334')) assert.equal((await rehearsal.say('*')).reply, await client.ask('*'));
    }
  });
}

test('every right is told with the entry that decides: explicit denial, explicit grant, inherited denial, inherited grant', () => {
  const any = 'ms-Exch-SMTP-Accept-Any-Recipient';
  const grant = ace(wellKnownSids.anonymous, any);
  const deny = ace(wellKnownSids.anonymous, any, true);
  const inherited = (one: typeof grant): typeof grant => ({ ...one, inherited: true });
  const rows: readonly [acl: readonly (typeof grant)[], granted: boolean, by: RegExp][] = [
    [[grant, deny], false, /^Deny .* NT AUTHORITY\\ANONYMOUS LOGON$/],
    [[inherited(deny), grant], true, /^Allow .* NT AUTHORITY\\ANONYMOUS LOGON$/],
    [[inherited(grant), inherited(deny)], false, /^Deny .*\(inherited\)$/],
    [[inherited(grant)], true, /^Allow .*\(inherited\)$/],
    [[ace(wellKnownSids.anonymous, 'All')], true, /^Allow All/],
    [[], false, /no entry/],
  ];
  for (const [acl, granted, by] of rows) {
    const found = decisionOf({ acl }, anonymous).find(({ right }) => right === any);
    assert.equal(found?.granted, granted);
    assert.match(found?.by ?? '', by);
  }
});
