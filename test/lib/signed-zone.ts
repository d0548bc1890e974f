/**
 * A small world of DNS for tests: zones signed by ldns-signzone in nsd, and unbound in front of them, which validates with
 * the test's own trust anchors. Everything listens on one loopback address.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DnsClient } from '../../src/dns/index.ts';
import { freePort } from './ports.ts';
import { Daemon } from './program.ts';

export interface ZoneOptions {
  /** 'example.test' */
  readonly name: string;
  /** Lines of the zone file below SOA and NS: 'mx IN A 127.0.0.1'. */
  readonly records: readonly string[];
  /** Default 'signed'. 'expired': signatures that ended yesterday; 'bogus': signed with a key that the anchor does not name. */
  readonly signing?: 'signed' | 'unsigned' | 'expired' | 'bogus';
}

export interface DnsWorld extends AsyncDisposable {
  /** 'address:port' of unbound. */
  readonly resolver: string;
  /** 'address:port' of nsd, which does not validate. */
  readonly authority: string;
  /** A file for /etc/resolv.conf: programs that use the C library ask unbound, and believe its AD bit. Only with `address53`. */
  readonly resolvConf: string;
}

export interface DnsWorldOptions {
  /** An address (127.x.y.z) on whose port 53 unbound listens as well: resolv.conf knows no other port. Needs root. */
  readonly address53?: string;
}

/** Where Debian keeps the two daemons. */
export const dnsPeers = { nsd: '/usr/sbin/nsd', unbound: '/usr/sbin/unbound', signzone: '/usr/bin/ldns-signzone' };

export async function startDns(zones: readonly ZoneOptions[], { address53 }: DnsWorldOptions = {}): Promise<DnsWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-dns-'));
  const [authorityPort, resolverPort] = [await freePort(), await freePort()];
  const anchors = zones.flatMap((zone) => makeZone(folder, zone));
  writeFileSync(join(folder, 'nsd.conf'), nsdConfiguration(folder, authorityPort, zones));
  writeFileSync(join(folder, 'anchors'), `${anchors.join('\n')}\n`);
  const interfaces = [`127.0.0.1@${resolverPort}`, ...(address53 === undefined ? [] : [`${address53}@53`])];
  writeFileSync(join(folder, 'unbound.conf'), unboundConfiguration(folder, interfaces, authorityPort, zones));
  const resolvConf = join(folder, 'resolv.conf');
  writeFileSync(resolvConf, `nameserver ${address53 ?? ''}\noptions trust-ad edns0\n`);
  const resolver = `127.0.0.1:${resolverPort}`;
  const authority = `127.0.0.1:${authorityPort}`;
  const up = zones.find(({ signing }) => signing === undefined || signing === 'signed' || signing === 'unsigned');
  await using started = new AsyncDisposableStack();
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (path: string, file: string, isUp: () => Promise<boolean>): Promise<void> => {
    const daemon = await Daemon.start(path, ['-d', '-c', join(folder, file)], {
      up: isUp,
      upWithinMs: 60_000,
      asked: true,
    });
    started.use(daemon);
  };
  await start(dnsPeers.nsd, 'nsd.conf', () => answers(authority, zones[0]?.name ?? 'test'));
  await start(dnsPeers.unbound, 'unbound.conf', async () => up === undefined || answers(resolver, up.name));
  const running = started.move();
  return { resolver, authority, resolvConf, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function answers(resolver: string, name: string): Promise<boolean> {
  const client = new DnsClient({ resolvers: [resolver], timeoutMs: 500, tries: 1 });
  return client.ask(name, 'TXT').then(
    () => true,
    () => false,
  );
}

/** Writes the zone file, signed as asked; gives its trust anchor. */
function makeZone(folder: string, { name, records, signing = 'signed' }: ZoneOptions): string[] {
  const file = join(folder, `${name}.zone`);
  const head = [
    `$ORIGIN ${name}.`,
    '$TTL 60',
    `@ IN SOA ns hostmaster 1 3600 600 86400 60`,
    '@ IN NS ns',
    'ns IN A 127.0.0.1',
  ];
  writeFileSync(file, `${[...head, ...records].join('\n')}\n`);
  if (signing === 'unsigned') return [];
  const key = generateKey(folder, name);
  const anchorKey = signing === 'bogus' ? generateKey(folder, name) : key;
  const day = (offset: number): string =>
    new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
  const dates = signing === 'expired' ? ['-i', day(-30), '-e', day(-1)] : ['-i', day(-2), '-e', day(30)];
  execFileSync(dnsPeers.signzone, ['-n', ...dates, '-f', `${file}.signed`, file, key], { cwd: folder, stdio: 'pipe' });
  return [readFileSync(join(folder, `${anchorKey}.key`), 'utf8').trim()];
}

function generateKey(folder: string, name: string): string {
  return execFileSync('ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', name], { cwd: folder, encoding: 'utf8' }).trim();
}

function nsdConfiguration(folder: string, port: number, zones: readonly ZoneOptions[]): string {
  const server = [
    'server:',
    `  ip-address: 127.0.0.1@${port}`,
    '  username: ""',
    '  chroot: ""',
    `  zonesdir: "${folder}"`,
    `  database: ""`,
    `  pidfile: "${folder}/nsd.pid"`,
    `  xfrdfile: "${folder}/xfrd.state"`,
    `  xfrdir: "${folder}"`,
    `  zonelistfile: "${folder}/zone.list"`,
    '  server-count: 1',
    'remote-control:',
    '  control-enable: no',
  ];
  const zone = ({ name, signing }: ZoneOptions): string =>
    `zone:\n  name: "${name}"\n  zonefile: "${name}.zone${signing === 'unsigned' ? '' : '.signed'}"`;
  return `${[...server, ...zones.map(zone)].join('\n')}\n`;
}

function unboundConfiguration(
  folder: string,
  interfaces: readonly string[],
  authority: number,
  zones: readonly ZoneOptions[],
): string {
  const server = [
    'server:',
    ...interfaces.map((one) => `  interface: ${one}`),
    '  username: ""',
    '  chroot: ""',
    `  directory: "${folder}"`,
    `  pidfile: "${folder}/unbound.pid"`,
    '  use-syslog: no',
    '  do-daemonize: no',
    '  do-not-query-localhost: no',
    '  module-config: "validator iterator"',
    `  trust-anchor-file: "${folder}/anchors"`,
    '  num-threads: 1',
    ...zones.flatMap(({ name, signing }) => [
      `  local-zone: "${name.split('.').at(-1) ?? ''}." nodefault`,
      ...(signing === 'unsigned' ? [`  domain-insecure: "${name}"`] : []),
    ]),
    'remote-control:',
    '  control-enable: no',
  ];
  const stub = ({ name }: ZoneOptions): string => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${authority}`;
  return `${[...server, ...zones.map(stub)].join('\n')}\n`;
}
