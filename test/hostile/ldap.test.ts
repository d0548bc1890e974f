/**
 * Strangers against the LDAP face of a started appliance: they cost a bounded amount of memory, and those who are meant to be
 * served are served meanwhile. In `make test` a short form; `make hostile` sends 100 MB in each phase and prints the figures.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { element, octets } from '../../src/directory/face/ber/ber-writer.ts';
import { DirectoryClient } from '../../src/directory/index.ts';
import { LdapError } from '../../src/ldap/index.ts';
import { bindOp, message, searchOp } from '../directory-face/raw-client.ts';
import { Appliance, edge } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { Asker } from './lib/asker.ts';
import { addresses, Crowd, saying } from './lib/crowd.ts';
import { full, mib, processesOf, type Row, Siege, timed } from './lib/siege.ts';

const password = 'a long enough password';

let appliance: Appliance;
let sslPort: number;
let siege: Siege;
let asker: Asker;
const accounts = new Map<string, string>();
before(async () => {
  asker = new Asker();
  sslPort = await freePort();
  appliance = await Appliance.prepare({
    workers: 1,
    lines: [`ConfigureAdam.ps1 -SslPort ${sslPort} -Addresses 127.0.0.1`],
  });
  const file = join(appliance.state, '..', 'password');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  for (const [name, role] of [
    ['chief', 'Administrators'],
    ['sync', 'EdgeSync'],
    ['monitor', 'Readers'],
  ] as const) {
    const { status, out, error } = await edge(
      ...['directory', 'account', 'add', name, '--role', role, '--password-file', file],
      ...['--state', appliance.state, '--json'],
    );
    assert.equal(status, 0, error);
    accounts.set(name, (JSON.parse(out) as { dn: string }).dn);
  }
  await appliance.start();
  await served();
  siege = new Siege([(await processesOf(appliance.state)).get('directory') ?? 0], served);
});
after(async () => {
  asker[Symbol.dispose]();
  await appliance[Symbol.asyncDispose]();
});

const nameOf = (account: string): string => accounts.get(account) ?? '';

const clearUrl = (): string => `ldap://127.0.0.1:${appliance.ldapPort}`;

/** Binds as an account, and reads the root DSE. */
const ask = (url: string, account?: string): Promise<number> =>
  asker.ask({ what: 'directory', url, ...(account !== undefined && { bind: { dn: nameOf(account), password } }) });

/** Each way in that must be served: milliseconds to the answer. */
const served = (): Promise<Readonly<Record<string, number>>> =>
  timed({
    'loopback port': () => ask(clearUrl()),
    'loopback port, bound': () => ask(clearUrl(), 'chief'),
    LDAPS: () => ask(`ldaps://127.0.0.1:${sslPort}`),
    EdgeSync: () => ask(`ldaps://127.0.0.1:${sslPort}`, 'sync'),
    'edge status': async () => {
      const { status, error } = await edge('status', '--state', appliance.state);
      assert.equal(status, 0, error);
    },
  });

/** A bind with a name or password of so many octets, whole. */
const longBind = (bytes: number): Buffer => message(1, bindOp(`CN=${'a'.repeat(bytes)}`, 'x'));
/** A message that announces more than comes, as large as a stranger may send. */
const unfinished = (): Buffer => message(1, bindOp(`CN=${'a'.repeat(900)}`, Buffer.alloc(3100))).subarray(0, -1);
/** As many substrings as a stranger may send, over everything. */
function worstFilter(): Buffer {
  const parts = Array.from({ length: 45 }, (_, i) =>
    element(
      0xa4,
      octets(i % 2 === 0 ? 'cn' : 'description'),
      element(0x30, octets('a', 0x81), octets('b', 0x81), octets('c', 0x81)),
    ),
  );
  return message(2, searchOp({ base: '', scope: 2, filter: element(0xa1, ...parts) }));
}

const clear = () => ({ to: appliance.ldapPort, phase: 'clear' }) as const;
const ldaps = () => ({ to: sslPort, phase: 'TLS' }) as const;
/** A message that asks for TLS: RFC 4511 §4.14.1. */
const startTlsRequest = Buffer.concat([
  Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]),
  Buffer.from('1.3.6.1.4.1.1466.20037'),
]);
const upgraded = () => ({ to: appliance.ldapPort, phase: 'TLS', before: saying([startTlsRequest], 'we') }) as const;

/** The rows of the full form repeat in other phases what the short one does in one. */
const attacks: Readonly<Record<string, Row>> = {
  '5 addresses that only connect, in clear': () => ({
    ...clear(),
    from: addresses(1, 5),
    connections: full ? 500 : 100,
  }),
  '30 that send the worst filters': () => ({
    ...clear(),
    from: addresses(3, 30),
    connections: 30,
    payload: worstFilter,
  }),
  '60 connections with bind names of 63 KB': () => ({
    ...clear(),
    from: addresses(4, 60),
    connections: 60,
    payload: () => longBind(63 * 1024),
  }),
  'bind names as long as they may be, with wrong passwords': () => ({
    ...clear(),
    from: addresses(5, 60),
    connections: 60,
    payload: () => longBind(1000),
  }),
  'octet by octet, messages that never end': () => ({
    ...clear(),
    from: addresses(6, 20),
    connections: 100,
    payload: unfinished,
    pieceBytes: 1,
    totalBytes: full ? 1_500_000 : 100_000,
  }),
  'octets that are no TLS, at LDAPS': () => ({
    ...ldaps(),
    phase: 'clear',
    from: addresses(7, 60),
    connections: 100,
    // A record of a handshake that announces a ClientHello of 64 KB: RFC 8446 §4, §5.1.
    payload: () => Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]), Buffer.alloc(16_000)]),
  }),
  'octet by octet behind StartTLS': () => ({
    ...upgraded(),
    from: addresses(8, 20),
    connections: 40,
    payload: unfinished,
    pieceBytes: 1,
    totalBytes: full ? 1_500_000 : 50_000,
  }),
  'what a reader sends after its bind, in messages that never end': () => ({
    ...clear(),
    from: addresses(9, 20),
    connections: 40,
    greeting: message(1, bindOp(nameOf('monitor'), password)),
    payload: () => message(2, searchOp({ base: '', filter: octets('a'.repeat(9 * mib), 0x87) })).subarray(0, -1),
    pieceBytes: 65_536,
  }),
  ...(full && {
    '5 addresses that only connect, at LDAPS': () => ({
      ...ldaps(),
      phase: 'clear',
      from: addresses(2, 5),
      connections: 500,
    }),
    'messages that never end, in clear': () => ({
      ...clear(),
      from: addresses(10, 60),
      connections: 200,
      payload: unfinished,
    }),
    'messages that never end, at LDAPS': () => ({
      ...ldaps(),
      from: addresses(11, 60),
      connections: 100,
      payload: unfinished,
    }),
    'messages that never end, behind StartTLS': () => ({
      ...upgraded(),
      from: addresses(12, 60),
      connections: 100,
      payload: unfinished,
    }),
    'octets that are no LDAP': () => ({
      ...clear(),
      from: addresses(13, 60),
      connections: 60,
      payload: () => Buffer.alloc(65_536, 0x41),
    }),
    'the worst filters of readers': () => ({
      ...clear(),
      from: addresses(14, 20),
      connections: 20,
      greeting: message(1, bindOp(nameOf('monitor'), password)),
      payload: worstFilter,
    }),
  }),
};

for (const [name, attack] of Object.entries(attacks)) {
  test(`${name}: bounded memory, others are served`, { timeout: 600_000 }, (t) => siege.endures(t, attack));
}

test('10 addresses that guess do not lock an administrator out elsewhere', { timeout: 600_000 }, async () => {
  const url = clearUrl();
  using crowd = new Crowd({
    ...clear(),
    from: addresses(20, 10),
    connections: 10,
    payload: () => message(1, bindOp(nameOf('chief'), 'a guess')),
    totalBytes: 100_000,
    limitMs: full ? 30_000 : 5_000,
  });
  const guessed = crowd.run();
  await ask(url, 'chief');
  await guessed;
  await ask(url, 'chief');
  // The guessers themselves learn nothing more, and a wrong password is a wrong one from here as well.
  await using client = new DirectoryClient({ url, bind: { dn: nameOf('chief'), password: 'another guess' } });
  await assert.rejects(client.connect(), (error) => error instanceof LdapError && error.code === 'invalidCredentials');
});
