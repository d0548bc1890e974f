/** Exim as a client that sends by BDAT, and as a server. It is unpacked, not installed (it conflicts with postfix), and needs root. */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from './program.ts';

const root = '/var/cache/edge-peers';
const run = promisify(execFile);

// Exim resolves its account when it starts: the namespace of the mounts gives it one that the system does not have.
const script = `set -eu
cd "$1"
cp /etc/passwd passwd; cp /etc/group group
echo 'Debian-exim:x:65533:65533::/nonexistent:/bin/false' >>passwd
echo 'Debian-exim:x:65533:' >>group
chmod 644 passwd group exim.conf
mount --bind passwd /etc/passwd
mount --bind group /etc/group
mkdir spool
chown 65533:65533 . spool
shift
# Its library is found by the cache alone: it runs with more rights than its caller.
/sbin/ldconfig -X -C "$PWD/ld.so.cache" ${root}/usr/lib/*-linux-gnu
mount --bind ld.so.cache /etc/ld.so.cache
# It runs itself again to deliver, by the name that was compiled in.
mount --bind ${root}/usr/sbin /usr/sbin
`;
const sends = `${script}/usr/sbin/exim4 -C "$PWD/exim.conf" -oi -odf "$@" <message
cat mainlog`;
const serves = `${script}exec /usr/sbin/exim4 -C "$PWD/exim.conf" -bdf`;
const relays = `${script}mount --bind hosts /etc/hosts
exec /usr/sbin/exim4 -C "$PWD/exim.conf" -bdf -q1s`;

function configuration(folder: string, port: number): string {
  return `spool_directory = ${folder}/spool
log_file_path = ${folder}/%slog
log_selector = +smtp_confirmation
primary_hostname = exim.example.org
keep_environment =
begin routers
all:
  driver = manualroute
  transport = smtp
  route_list = * 127.0.0.1 byname
  self = send
begin transports
smtp:
  driver = smtp
  port = ${port}
  hosts_try_chunking = *
  allow_localhost
begin retry
* * F,1h,1m
`;
}

/** Hands a message to Exim, which sends it to 127.0.0.1 at once; gives its log. Lines of `message` end with LF. */
export async function eximSends(port: number, message: string | Buffer, ...recipients: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-exim-'));
  try {
    await writeFile(join(folder, 'exim.conf'), configuration(folder, port));
    await writeFile(join(folder, 'message'), message);
    const args = ['-m', 'sh', '-c', sends, 'sh', folder, '-f', 'sender@example.org', ...recipients];
    const { stdout } = await run('unshare', args, {
      timeout: 60_000,
      maxBuffer: 10 * 1024 ** 2,
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface EximRoute {
  readonly domain: string;
  readonly address: string;
  /** What the certificate must hold. */
  readonly host: string;
}

/** How Exim sends: TLS where it is offered, or TLS with a certificate that holds. */
export type EximPolicy = 'opportunistic' | 'verified';

/** An Exim that takes mail for the domains and sends it to their addresses; it tries again after a second. */
export async function startEximRelay(
  port: number,
  folder: string,
  sending: {
    readonly to: number;
    readonly policy: EximPolicy;
    readonly rootPem: string;
    readonly routes: readonly EximRoute[];
  },
): Promise<AsyncDisposable & { readonly port: number }> {
  const { to, policy, rootPem, routes } = sending;
  const verified = [
    'hosts_require_tls = *',
    'tls_verify_hosts = *',
    `tls_verify_certificates = ${folder}/root.pem`,
    'tls_require_ciphers = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1',
  ];
  const lines = [
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/%slog`,
    'primary_hostname = exim.test',
    'local_interfaces = 127.0.0.1',
    `daemon_smtp_ports = ${port}`,
    'acl_smtp_rcpt = accept',
    'acl_smtp_data = accept',
    'host_lookup =',
    'rfc1413_hosts =',
    'keep_environment =',
    'begin routers',
    ...routes.map(
      ({ domain, host }, i) =>
        `r${i}:\n  driver = manualroute\n  domains = ${domain}\n  transport = t${i}\n  route_list = * ${host} byname\n  self = send`,
    ),
    'begin transports',
    ...routes.map(
      ({ host }, i) =>
        `t${i}:\n  driver = smtp\n  port = ${to}\n  allow_localhost\n  tls_sni = ${host}\n${(policy === 'verified' ? verified : ['tls_tempfail_tryclear = true']).map((line) => `  ${line}\n`).join('')}`,
    ),
    'begin retry',
    '* * F,1h,1s',
  ];
  await writeFile(join(folder, 'exim.conf'), `${lines.join('\n')}\n`);
  await writeFile(join(folder, 'root.pem'), rootPem, { mode: 0o644 });
  await writeFile(join(folder, 'hosts'), routes.map(({ host, address }) => `${address} ${host}\n`).join(''));
  return program('unshare', () => ['-m', 'sh', '-c', relays, 'sh', folder], folder, port);
}

/** An Exim that takes no mail, with STARTTLS by `chain.pem` and `key.pem` of its folder. Resolves when it listens. */
export async function startEximServer(
  port: number,
  folder: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const lines = [
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/%slog`,
    'primary_hostname = exim.test',
    `local_interfaces = 127.0.0.1`,
    `daemon_smtp_ports = ${port}`,
    'tls_advertise_hosts = *',
    `tls_certificate = ${folder}/chain.pem`,
    `tls_privatekey = ${folder}/key.pem`,
    // A tester comes often.
    'smtp_accept_max = 500',
    'smtp_banner = exim.test ESMTP',
    'host_lookup =',
    'rfc1413_hosts =',
    'keep_environment =',
  ];
  await writeFile(join(folder, 'exim.conf'), `${lines.join('\n')}\n`);
  for (const name of ['chain.pem', 'key.pem']) await chown(join(folder, name), 65_533, 65_533);
  return program('unshare', () => ['-m', 'sh', '-c', serves, 'sh', folder], folder, port);
}
