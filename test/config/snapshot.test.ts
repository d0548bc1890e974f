import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { keyDigest } from '../../src/base/index.ts';
import { internalServersPath, type Snapshot, SnapshotBuilder, SnapshotHolder } from '../../src/config/index.ts';
import { entryFrom, MutableEntry } from '../../src/ldap/index.ts';
import { configurationDn, ListSource, seedEntries, withGuid } from './lib/seeded.ts';

const place = { configurationDn, serverName: 'EDGE1', role: 'EdgeTransport' } as const;
const connectorDn = 'CN=Default internal receive connector';

function seeded(): { source: ListSource; builder: SnapshotBuilder } {
  const source = new ListSource(seedEntries('edge'));
  return { source, builder: new SnapshotBuilder(source, place) };
}

test('what did not change is the same object in the next snapshot', () => {
  const { source, builder } = seeded();
  const before = builder.build();
  source.touch(',CN=Servers,', (entry) => entry.set('msExchTransportMessageRetryInterval', ['60']));
  const after = builder.build();
  assert.equal(after.usn, 2);
  assert.equal(after.receiveConnectors[0], before.receiveConnectors[0]);
  assert.equal(after.organization, before.organization);
  assert.ok(Object.isFrozen(after) && Object.isFrozen(after.receiveConnectors[0]));
});

test('an entry that does not decode is reported, and its last good state stays in force until it is mended', () => {
  const { source, builder } = seeded();
  source.touch(connectorDn, (entry) => entry.set('msExchSmtpReceiveMaxHopCount', ['7']));
  const good = builder.build().receiveConnectors[0];
  source.touch(connectorDn, (entry) => {
    entry.set('msExchSmtpReceiveMaxHopCount', ['many']).set('msExchSmtpReceiveBindings', ['0.0.0.0']);
  });
  const broken = builder.build();
  assert.equal(broken.receiveConnectors[0], good);
  assert.deepEqual(
    broken.problems.map(({ dn, attribute, reason }) => [dn === good?.dn, attribute, reason]),
    [
      [true, 'msExchSmtpReceiveBindings', "'0.0.0.0' is not an endpoint such as 0.0.0.0:25 or [::]:25"],
      [true, 'msExchSmtpReceiveMaxHopCount', "'many' is not an integer"],
    ],
  );
  source.touch(',CN=Servers,', (entry) => entry.set('description', ['another change']));
  assert.deepEqual(builder.build().problems, broken.problems, 'still reported');
  source.touch(connectorDn, (entry) => {
    entry.set('msExchSmtpReceiveMaxHopCount', ['8']).set('msExchSmtpReceiveBindings', ['0.0.0.0:25']);
  });
  const mended = builder.build();
  assert.deepEqual(mended.problems, []);
  assert.equal(mended.receiveConnectors[0]?.maxHopCount, 8);
});

test('the last good state follows the object, not its name', () => {
  const { source, builder } = seeded();
  const good = builder.build().receiveConnectors[0];
  source.touch(connectorDn, (entry) => {
    entry.dn = entry.dn.replace(connectorDn, 'CN=Renamed');
    entry.set('cn', ['Renamed']).set('msExchSmtpReceiveMaxHopCount', ['x']);
  });
  assert.equal(builder.build().receiveConnectors[0], good);
});

test('an entry that was never good is left out', () => {
  const { source, builder } = seeded();
  source.touch(connectorDn, (entry) => entry.set('nTSecurityDescriptor', ['rubbish']));
  const snapshot = builder.build();
  assert.deepEqual(snapshot.receiveConnectors, []);
  assert.equal(snapshot.problems[0]?.attribute, 'nTSecurityDescriptor');
});

test('a state that breaks a rule is reported; the one before stays, or it is used when there was none', () => {
  const broken = ['msExchSmtpReceiveConnectionInactivityTimeout', ['300']] as const;
  const first = seeded();
  first.source.touch(connectorDn, (entry) => entry.set(...broken));
  assert.equal(first.builder.build().receiveConnectors[0]?.connectionInactivityTimeout, 300);
  const later = seeded();
  later.builder.build();
  later.source.touch(connectorDn, (entry) => entry.set(...broken));
  const snapshot = later.builder.build();
  assert.equal(snapshot.receiveConnectors[0]?.connectionInactivityTimeout, 60);
  assert.match(snapshot.problems[0]?.reason ?? '', /must be less than ConnectionTimeout/);
  assert.equal(snapshot.problems[0]?.attribute, broken[0]);
});

test('a deleted object goes, and its problem with it', () => {
  const { source, builder } = seeded();
  builder.build();
  source.touch(connectorDn, (entry) => entry.set('msExchSmtpReceiveMaxHopCount', ['x']));
  builder.build();
  source.entries.splice(
    source.entries.findIndex(({ dn }) => dn.startsWith(connectorDn)),
    1,
  );
  const snapshot = builder.build();
  assert.deepEqual([snapshot.receiveConnectors.length, snapshot.problems.length], [0, 0]);
});

test('receive connectors of other servers are not ours', () => {
  const { source, builder } = seeded();
  const mine = source.entries.find(({ dn }) => dn.startsWith(connectorDn)) ?? assert.fail();
  const attributes = Object.fromEntries(mine.toAttributes().map(({ attribute, values }) => [attribute, values]));
  source.entries.push(withGuid(entryFrom(mine.dn.replaceAll('EDGE1', 'EDGE10'), attributes), 900));
  assert.deepEqual(
    builder.build().receiveConnectors.map(({ dn }) => dn),
    [mine.dn],
  );
});

test('without a server object there are defaults and a problem', () => {
  const source = new ListSource([]);
  const snapshot = new SnapshotBuilder(source, place).build();
  assert.deepEqual([snapshot.server.name, snapshot.server.messageRetryInterval], ['EDGE1', 900]);
  assert.match(snapshot.problems[0]?.reason ?? '', /no server object 'EDGE1'/);
});

test('the holder swaps once for each change and tells who listens', () => {
  const { source, builder } = seeded();
  const holder = new SnapshotHolder(builder);
  const seen: Snapshot[] = [];
  const listener = (snapshot: Snapshot) => seen.push(snapshot);
  const first = holder.onChange(listener);
  holder.onChange(listener);
  assert.equal(holder.refresh(), false);
  source.touch(connectorDn, (entry) => entry.set('msExchSmtpReceiveMaxHopCount', ['9']));
  assert.equal(holder.refresh(), true);
  assert.deepEqual([seen.length, seen[0]], [2, holder.current]);
  first[Symbol.dispose]();
  source.touch(connectorDn, (entry) => entry.set('msExchSmtpReceiveMaxHopCount', ['10']));
  holder.refresh();
  assert.equal(seen.length, 3);
});

function selfSigned(): X509Certificate {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  return new X509Certificate(
    execFileSync('openssl', ['req', '-x509', '-subj', '/CN=hub1', ...kind], { stdio: 'pipe' }),
  );
}

test('certificates of internal servers become keys; what is none is reported, and what stands elsewhere trusts nobody', () => {
  const { source, builder } = seeded();
  const before = builder.build();
  assert.deepEqual([before.internalServers, before.problems], [[], []]);
  const [old, renewed] = [selfSigned(), selfSigned()];
  const server = (dn: string, values: readonly Buffer[], number: number): MutableEntry =>
    withGuid(
      new MutableEntry(`${dn},${configurationDn}`)
        .set('objectClass', ['top', 'edgeInternalServer'])
        .set('cn', ['hub1'])
        .set('networkAddress', ['netbios:HUB1', 'ncacn_ip_tcp:HUB1.corp.example'])
        .set('msExchServerInternalTLSCert', values),
      number,
    );
  const noCertificate = Buffer.from([0x30, 0xff, 0xfe]);
  const own = server(`CN=hub1,${internalServersPath}`, [old.raw, noCertificate, renewed.raw], 9001);
  source.entries.push(own, server('CN=hub1,CN=Services', [old.raw], 9002));
  const built = builder.build();
  const keys = [keyDigest(old), keyDigest(renewed)];
  assert.deepEqual(built.internalServers, [{ name: 'hub1.corp.example', keys }]);
  const attribute = 'msExchServerInternalTLSCert';
  assert.deepEqual(
    built.problems.map((problem) => [problem.dn, problem.attribute]),
    [[own.dn, attribute]],
  );
  source.touch(',CN=Servers,', (entry) => entry.set('description', ['another change']));
  assert.equal(builder.build().internalServers[0], built.internalServers[0]);
  source.touch(`CN=hub1,${internalServersPath}`, (entry) => entry.set(attribute, [renewed.raw]));
  const after = builder.build();
  assert.deepEqual([after.internalServers[0]?.keys, after.problems], [[keyDigest(renewed)], []]);
});
