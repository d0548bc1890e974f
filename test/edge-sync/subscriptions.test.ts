/** Two appliances of one site, two servers inside, and what an account of EdgeSync may do on an edge. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SecretBox } from '../../src/certificates/secrets/index.ts';
import { credentialPurpose } from '../../src/config/index.ts';
import { DirectoryClient } from '../../src/directory/index.ts';
import { connectorsDn, internalServersDn, placeOf, recipientsDn } from '../../src/edge-sync/edge/place.ts';
import { type Credential, newCredential } from '../../src/edge-sync/inside/credential.ts';
import type { Subscription } from '../../src/edge-sync/inside/inside-state.ts';
import { connectEdge, LdapEdge } from '../../src/edge-sync/inside/ldap-edge.ts';
import { RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';
import { LdapError } from '../../src/ldap/index.ts';
import { parseCsvLine } from '../../src/logs/index.ts';
import { processTree } from '../bench/accounting.ts';
import { Appliance, edge as command } from '../lib/appliance.ts';
import { ended, Inside } from '../lib/inside.ts';
import { needs } from '../lib/peers.ts';
import { personLdif, SlapdSource, slapdMissing } from '../lib/slapd-source.ts';
import { Client } from '../smtp-receive/receiving.ts';

const missing = slapdMissing();
const skip = missing === '' || process.env['CI'] === 'true' ? needs('root') : { skip: missing };

const ldapi = ({ state }: Appliance): string => `ldapi://${encodeURIComponent(join(state, 'run/ldapi'))}`;

describe('two appliances of one site', skip, () => {
  let slapd: SlapdSource;
  let edges: readonly Appliance[] = [];
  let one: Appliance;
  let inside: Inside;
  let other: Inside;

  const init = (state: Inside, server: string): Promise<string> =>
    state.done(
      'init',
      ...['--source', slapd.url, '--bind-dn', slapd.bindDn, '--password-file', state.file('password', 'secret\n')],
      ...['--domain', 'corp.example', '--domain', 'shared.example:InternalRelay', '--server', server],
      ...[
        '--log-level',
        'High',
        '--smart-host',
        '[10.0.0.5]',
        '--internal-server',
        `hub1.corp.example=${state.file('hub1.pem', hub.certificate)}`,
        '--internal-server',
        `hub1.corp.example=${state.file('next.pem', nextHub.certificate)}`,
      ],
    );
  /** What an internal server proves itself by: the certificate that it has, and the one that it is about to have. */
  const hub = newCredential('x', 'hub1', 0, Date.now());
  const nextHub = newCredential('x', 'hub1', 1, Date.now());
  /** As the administrator of the machine sees them. */
  const hashesIn = async (appliance: Appliance): Promise<string[]> => {
    await using client = new DirectoryClient({ url: ldapi(appliance), bind: 'external' });
    const search = { base: recipientsDn, scope: 'one', attributes: ['edgeHashedAddress'] } as const;
    const entries = await client.searchAll(search);
    return entries.flatMap((entry) => entry.buffers('edgeHashedAddress')).map((hash) => hash.toString('hex'));
  };
  const hashesOn = async (appliance: Appliance): Promise<number> => (await hashesIn(appliance)).length;
  const subscriptionOf = (state: Inside, name: string): Subscription =>
    JSON.parse(readFileSync(join(state.state, 'edge-sync/edges', `${name}.json`), 'utf8')) as Subscription;

  before(async () => {
    [inside, other] = [new Inside(), new Inside()];
    const people = Array.from({ length: 50 }, (_, i) => personLdif(`user${i}`, [`SMTP:user${i}@corp.example`]));
    [slapd, ...edges] = await Promise.all([
      SlapdSource.start(people),
      Appliance.start({ workers: 1, hostName: 'edge1.corp.example' }),
      Appliance.start({ workers: 1, hostName: 'edge2.corp.example' }),
    ]);
    [one] = edges as [Appliance];
    await init(inside, 'HUB1');
    for (const appliance of edges) await inside.subscribe(appliance);
    await inside.done('apply');
  });
  after(async () => {
    await inside?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
    for (const appliance of edges) await appliance[Symbol.asyncDispose]();
    await slapd?.[Symbol.asyncDispose]();
  });

  test('both have every recipient, the domains and the connectors of the site', async () => {
    for (const appliance of edges) {
      assert.equal(await hashesOn(appliance), 50, appliance.name);
      const shown = await appliance.shell(
        'Get-AcceptedDomain | Format-Table DomainName,DomainType,AddressBookEnabled',
        'Get-SendConnector | Format-List Name,AddressSpaces,SmartHosts,DNSRoutingEnabled,Enabled',
      );
      assert.match(shown, /corp\.example +Authoritative +True/);
      assert.match(shown, /shared\.example +InternalRelay +False/);
      assert.match(shown, /EdgeSync - Inbound to Main\s+AddressSpaces +: \{SMTP:--;1\}/);
      assert.match(shown, /EdgeSync - Main to Internet\s+AddressSpaces +: \{SMTP:\*;100\}/);
      assert.match(await appliance.shell('Get-EdgeSubscription'), new RegExp(`${appliance.name} +Main`));
    }
  });

  test('names and certificates of internal servers stand on every edge, which takes their mail by direct trust', async () => {
    const pinned = [hub, nextHub].map(({ certificate }) => new X509Certificate(certificate).raw);
    for (const appliance of edges) {
      const client = new DirectoryClient({ url: ldapi(appliance), bind: 'external' });
      const { configurationDn } = subscriptionOf(inside, appliance.name);
      const entry = await client.get(`CN=hub1,${internalServersDn({ configurationDn })}`);
      assert.deepEqual(entry?.values('networkAddress'), ['ncacn_ip_tcp:hub1.corp.example']);
      assert.deepEqual(
        entry?.buffers('msExchServerInternalTLSCert').toSorted(Buffer.compare),
        pinned.toSorted(Buffer.compare),
      );
      await client.close();
      const relayReply = async ({ key, certificate: cert }: Credential): Promise<string> => {
        const sender = new Client(connect(appliance.port, '127.0.0.1'));
        await sender.reply();
        await sender.ask('EHLO hub1.corp.example');
        await sender.ask('STARTTLS');
        await sender.secure('', { key, cert });
        await sender.ask('EHLO hub1.corp.example');
        assert.match(await sender.ask('MAIL FROM:<user1@corp.example>'), /^250 /);
        const reply = await sender.ask('RCPT TO:<a@far.example>');
        sender.socket.destroy();
        return reply;
      };
      assert.match(await relayReply(hub), /^250 /);
      assert.match(await relayReply(nextHub), /^250 /);
      assert.match(await relayReply(newCredential('x', 'hub1', 0, Date.now())), /^550 5\.7\.54 /);
      const { out } = await command('status', '--state', appliance.state);
      assert.match(out, /^ {2}trust {2}hub1\.corp\.example by key \S{43} or key \S{43}$/m);
    }
  });

  test("EdgeSync's log says what each run did, in Exchange's form, and holds no address", () => {
    const folder = join(inside.state, 'logs/EdgeSync');
    const text = readdirSync(folder)
      .filter((name) => /^EDGESYNC\d{10}-\d+\.LOG$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
    assert.match(text, /^#Software: Microsoft Exchange Server\r\n/);
    assert.match(text, /#Fields: date-time,session-id,sequence-number,edge-server,level,event,information\r\n/);
    const rows = text.split('\r\n').flatMap((line) => (/^\d/.test(line) ? [parseCsvLine(line)] : []));
    const events = (edge: string, event: string): string[] =>
      rows.flatMap((row) => (row[3] === edge && row[5] === event ? [row[6] ?? ''] : []));
    for (const { name } of edges) {
      assert.match(events(name, 'SourceRead')[0] ?? '', /^\d+ objects, 50 changed recipients$/);
      assert.equal(events(name, 'RecipientAdded').length, 50);
      assert.equal(events(name, 'ConfigurationAdded').length, 5);
      assert.match(events(name, 'Synchronized')[0] ?? '', /^50 recipients written \(50 added, 0 updated, 0 deleted\)/);
    }
    assert.equal(new Set(rows.map(([, session]) => session)).size, 1);
    assert.doesNotMatch(text, /user\d+@/);
  });

  test('the logon of a connector comes sealed, is kept with the own key of the edge, and outlives rekey', async () => {
    const connector = 'EdgeSync - Main to Internet';
    const logon = (password: string) =>
      inside.done('logon', connector, '--user', 'corp', '--password-file', inside.file('logon', `${password}\n`));
    const kept = async (): Promise<string> => {
      const client = new DirectoryClient({ url: ldapi(one), bind: 'external' });
      const { configurationDn } = subscriptionOf(inside, one.name);
      try {
        const [text = ''] =
          (await client.get(`CN=${connector},${connectorsDn({ configurationDn })}`))?.values(
            'msExchSmtpOutboundSecurityCredential',
          ) ?? [];
        if (text === '') return '';
        const box = new SecretBox(join(one.state, 'certificates'));
        return box.unseal(text.split(' ')[0] ?? '', credentialPurpose({ userName: 'corp' }));
      } finally {
        await client.close();
      }
    };
    const comes = async (password: string): Promise<void> => {
      const end = performance.now() + 60_000;
      while ((await kept()) !== password) {
        assert.ok(performance.now() < end, `the connector has not the logon ${password}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await logon('first, Ünïcode');
    assert.equal((await inside.apply()).edges[0]?.configuration, 1);
    await comes('first, Ünïcode');
    assert.equal((await inside.apply()).edges[0]?.configuration, 0, 'it is written once');
    const shown = await one.shell(`Get-SendConnector '${connector}' | Format-List AuthenticationCredential`);
    assert.match(shown, /PSCredential/);
    await inside.done('rekey', one.name);
    await comes('first, Ünïcode');
    await logon('second');
    assert.equal((await inside.apply()).status, 0);
    await comes('second');
    const { out } = await command('directory', 'export', '--state', one.state);
    for (const password of ['first, Ünïcode', 'second'])
      assert.ok(!out.includes(password) && !out.includes(Buffer.from(password).toString('base64')));
    await inside.done('logon', connector, '--remove');
    await inside.done('apply');
    await comes('');
  });

  test('edge status says when an appliance was synchronised last, and that validation is off', async () => {
    const { out } = await command('status', '--state', one.state);
    assert.match(out, /sync {3}site Main, last synchronization \d+ s ago \(50 recipients, 50 addresses\)/);
    assert.match(out, /sync {3}recipient validation is off: Set-RecipientFilterConfig/);
  });

  test('their hashes of one address differ: each subscription has a key of its own', async () => {
    const [first, second] = await Promise.all(edges.map(async (appliance) => new Set(await hashesIn(appliance))));
    assert.equal(first?.size, 50);
    assert.ok([...(second ?? [])].every((hash) => first?.has(hash) === false));
  });

  describe('the rights of an account of EdgeSync are a closed list', () => {
    let client: DirectoryClient;
    let configurationDn: string;

    before(async () => {
      const subscription = subscriptionOf(inside, one.name);
      const { certificate, key } = subscription.credential;
      ({ client } = await connectEdge({ ...subscription, certificate, key }, 'external'));
      ({ configurationDn } = subscription);
    });
    after(async () => client?.close());

    const attempt = async (work: Promise<unknown>): Promise<string> => {
      try {
        await work;
        return 'done';
      } catch (error) {
        assert.ok(error instanceof LdapError, String(error));
        return error.code;
      }
    };
    const values = (record: Record<string, string>) =>
      Object.entries(record).map(([attribute, value]) => ({ attribute, values: [Buffer.from(value)] }));
    const replace = (dn: string, attribute: string, value: string): Promise<unknown> =>
      client.modify(dn, [{ operation: 'replace', attribute, values: [Buffer.from(value)] }]);
    const place = () => placeOf(subscriptionOf(inside, one.name));

    test('roles, rules, accounts, servers and receive connectors cannot be written', async () => {
      const { serverDn } = place();
      const own = `CN=${subscriptionOf(inside, one.name).credential.user},CN=Services,${configurationDn}`;
      const tries: Record<string, () => Promise<unknown>> = {
        'join a role': () =>
          client.modify(`CN=Administrators,CN=Roles,${configurationDn}`, [
            { operation: 'add', attribute: 'member', values: [Buffer.from(own)] },
          ]),
        'a rule of the naming context': () =>
          replace(configurationDn, 'edgeAccessRule', 'allow read,write to authenticated'),
        'a rule of its recipients': () =>
          replace(
            'CN=Recipients,OU=MSExchangeGateway',
            'edgeAccessRule',
            'allow read,write,delete below to authenticated',
          ),
        'a rule of its subscription': () =>
          replace(`CN=EdgeSync,${serverDn}`, 'edgeAccessRule', 'allow read,write to authenticated'),
        'an account': () =>
          client.add(
            `CN=evil,CN=Services,${configurationDn}`,
            values({ objectClass: 'edgeAccount', sn: 'x', userPassword: 'x' }),
          ),
        'its own certificate': () => replace(own, 'userCertificate', 'x'),
        'the life of its account': () => replace(own, 'edgeAccountExpires', '20990101000000Z'),
        'the server': () => replace(serverDn, 'networkAddress', 'evil.example'),
        'the end of the server': () => client.delete(serverDn),
        'a receive connector': () =>
          client.add(
            `CN=Evil,CN=SMTP Receive Connectors,CN=Protocols,${serverDn}`,
            values({ objectClass: 'msExchSmtpReceiveConnector', msExchSmtpReceiveBindings: '0.0.0.0:2525' }),
          ),
        'an entry of another class among the recipients': () =>
          client.add('CN=evil,CN=Recipients,OU=MSExchangeGateway', values({ objectClass: 'edgeAccount', sn: 'x' })),
        'an account among the accepted domains': () =>
          client.add(
            `CN=evil,CN=Accepted Domains,CN=Transport Settings,CN=First Organization,CN=Microsoft Exchange,CN=Services,${configurationDn}`,
            values({ objectClass: 'edgeAccount', sn: 'x' }),
          ),
        'the sizes of messages': () =>
          replace(
            `CN=Transport Settings,CN=First Organization,CN=Microsoft Exchange,CN=Services,${configurationDn}`,
            'delivContLength',
            '1',
          ),
        'a server of its own name': () =>
          client.add(serverDn.replace(/^CN=[^,]+/, 'CN=EVIL'), values({ objectClass: 'edgeInternalServer' })),
        'another class among the internal servers': () =>
          client.add(
            `CN=evil,${internalServersDn({ configurationDn })}`,
            values({ objectClass: 'edgeAccount', sn: 'x' }),
          ),
        'who holds the lease': () => replace(`CN=Lease,CN=EdgeSync,${serverDn}`, 'modifiersName', 'CN=x'),
        'the end of the subscription': () => client.delete(`CN=EdgeSync,${serverDn}`),
      };
      for (const [what, work] of Object.entries(tries)) {
        const code = await attempt(work());
        assert.match(code, /insufficientAccessRights|noSuchObject|objectClassViolation|constraintViolation/, what);
      }
    });

    test('accounts, passwords, the key of the hashes and other configuration cannot be read', async () => {
      const { serverDn } = place();
      const organization = `CN=First Organization,CN=Microsoft Exchange,CN=Services,${configurationDn}`;
      const bases = [
        configurationDn,
        `CN=Roles,${configurationDn}`,
        `CN=Services,${configurationDn}`,
        organization,
        `CN=Transport Settings,${organization}`,
        `CN=Accepted Domains,CN=Transport Settings,${organization}`,
        serverDn,
        `CN=SMTP Receive Connectors,CN=Protocols,${serverDn}`,
        `CN=EdgeSync,${serverDn}`,
        'OU=MSExchangeGateway',
        'CN=Recipients,OU=MSExchangeGateway',
      ];
      const seen = new Set<string>();
      for (const at of bases) {
        try {
          for await (const entry of client.search({ base: at, attributes: ['*', '+'] })) {
            seen.add(entry.dn);
            for (const attribute of ['userPassword', 'userCertificate', 'edgeAccessRule', 'member'])
              assert.deepEqual(entry.values(attribute), [], `${attribute} of ${entry.dn}`);
          }
        } catch (error) {
          assert.ok(error instanceof LdapError, String(error));
        }
      }
      assert.ok(seen.size > 50);
      const others = [...seen].filter((dn) => /CN=Roles|Receive Connectors|CN=ESRA/i.test(dn));
      assert.deepEqual(others, []);
    });

    test('an account of another name is not made, whoever asks for it', async () => {
      const { serverDn } = place();
      for (const user of ['ESRA.EDGE1.HUB2.0', 'ESRA.EDGE2.HUB1.7', 'admin', 'ESRA.EDGE1.HUB1.1,CN=Roles']) {
        const request = JSON.stringify({
          user,
          certificate: subscriptionOf(inside, one.name).certificate,
          expires: Date.now() + 1e9,
        });
        await replace(`CN=EdgeSync,${serverDn}`, 'edgeSyncCredential', request);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
      const dump = await command('directory', 'export', '--state', one.state);
      const accounts = [...dump.out.matchAll(/^dn: CN=(ESRA[^,]*|admin),/gm)].map(([, name]) => name);
      assert.deepEqual(accounts.toSorted(), ['ESRA.EDGE1.HUB1.0', 'ESRA.EDGE1.HUB1.1'], 'the second by rekey');
    });
  });

  test('another server waits while one holds the lease, and says who does; the edge is of the one that subscribed it last', async () => {
    await init(other, 'HUB2');
    await other.subscribe(one);
    const subscription = subscriptionOf(inside, one.name);
    const { certificate, key } = subscription.credential;
    const { client } = await connectEdge({ ...subscription, certificate, key }, 'external');
    const hasher = new RecipientHasher(Buffer.alloc(32));
    const held = new LdapEdge({ client, place: placeOf(subscription), hasher });
    await held.lease();
    const waits = await other.apply();
    assert.equal(waits.status, 1);
    assert.match(waits.edges[0]?.stopped ?? '', /HUB1 holds the lease of this edge/);
    await held.release();
    await client.close();
    const taken = await other.apply();
    assert.equal(taken.edges[0]?.stopped, undefined, 'hashes of a key that is not in force are no loss');
    const { status, edges: results } = await inside.apply();
    assert.equal(status, 1);
    assert.match(results.find(({ edge }) => edge === one.name)?.stopped ?? '', /subscribed by another server since/);
    await inside.subscribe(one);
    assert.equal((await inside.apply()).status, 0);
  });

  test('an edge of another site has its connectors and, with a mapping of its own, other recipients', async () => {
    const [, two] = edges as [Appliance, Appliance];
    await inside.subscribe(two, 'Branch');
    const wrong = await inside.sync('mapping', two.name, '--filter', '(uid=');
    assert.notEqual(wrong.status, 0);
    const said = await inside.done('mapping', two.name, '--filter', '(|(uid=user1)(uid=user2))');
    assert.match(said, /EDGE2: a mapping of its own\n {2}filter {2}\(\|\(uid=user1\)\(uid=user2\)\)\n/);
    assert.match(said, /user0,.*: it does not match the filter/i);
    const { status, edges: results } = await inside.apply('--force');
    assert.equal(status, 0);
    assert.equal(results.length, 2);
    assert.equal(await hashesOn(two), 2);
    assert.equal(await hashesOn(one), 50);
    assert.match(await two.shell('Get-SendConnector | Format-List Name'), /EdgeSync - Inbound to Branch/);
    assert.match(await one.shell('Get-SendConnector | Format-List Name'), /EdgeSync - Inbound to Main/);
    const preview = (address: string) => inside.done('preview', address);
    assert.match(await preview('user1@corp.example'), /accepted as user1@corp\.example\n.*accepted .*\(EDGE2\)/);
    assert.match(await preview('user3@corp.example'), /accepted .*\n.*not replicated: it does not match.*\(EDGE2\)/);
    assert.equal((await inside.sync('plan')).status, 0);
    await inside.done('mapping', two.name, '--reset');
    assert.equal((await inside.apply()).status, 0);
    assert.equal(await hashesOn(two), 50);
  });

  test('killed at any instant on either side, the next run ends in the same state', async () => {
    const random = (most: number): number => Math.floor(Math.random() * most);
    for (let round = 0; round < 4; round++) {
      const changes = Array.from({ length: 20 }, (_, i) =>
        personLdif(`r${round}n${i}`, [`SMTP:r${round}n${i}@corp.example`]),
      );
      slapd.modify(changes.map((text) => text.replace('\n', '\nchangetype: add\n')).join('\n'));
      const run = await inside.start('run', '--interval', '1');
      await new Promise((resolve) => setTimeout(resolve, random(1500)));
      if (round % 2 === 0) await ended(run, 'SIGKILL');
      else {
        for (const pid of processTree(one.pid).pids) {
          if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('bin/directory.ts')) process.kill(pid, 'SIGKILL');
        }
        await ended(run);
      }
    }
    const end = performance.now() + 120_000;
    while ((await inside.apply()).status !== 0) assert.ok(performance.now() < end, 'the edges did not come back');
    for (const appliance of edges) assert.equal(await hashesOn(appliance), 50 + 4 * 20, appliance.name);
    const { status, edges: results } = await inside.apply('--full');
    assert.equal(status, 0);
    assert.deepEqual(
      results.map(({ recipients }) => recipients?.written),
      [0, 0],
    );
  });
});
