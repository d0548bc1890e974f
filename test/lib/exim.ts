/** Exim as a client that sends by BDAT. It is unpacked, not installed (it conflicts with postfix), and needs root. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

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
/usr/sbin/exim4 -C "$PWD/exim.conf" -oi -odf "$@" <message
cat mainlog`;

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
    const args = ['-m', 'sh', '-c', script, 'sh', folder, '-f', 'sender@example.org', ...recipients];
    const { stdout } = await run('unshare', args, {
      timeout: 60_000,
      maxBuffer: 10 * 1024 ** 2,
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
