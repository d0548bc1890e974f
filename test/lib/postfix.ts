/** A Postfix of one's own, in a temporary folder, for tests and benchmarks. Needs root, as Postfix does. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './program.ts';

export interface PostfixOptions {
  readonly port: number;
  /** Lines for main.cf beyond the basic ones. */
  readonly settings: Readonly<Record<string, string>>;
  /** Lines for master.cf beyond the basic ones. */
  readonly services?: readonly string[];
  /** Put over /etc/resolv.conf, for this instance alone. */
  readonly resolvConf?: string;
}

/** Before a command: runs it where `file` is /etc/resolv.conf (a mount namespace of its own; needs root). */
export function withResolvConf(file: string): string[] {
  return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
}

const basic = (folder: string): Record<string, string> => ({
  compatibility_level: '3.6',
  queue_directory: join(folder, 'spool'),
  data_directory: join(folder, 'data'),
  command_directory: '/usr/sbin',
  daemon_directory: '/usr/lib/postfix/sbin',
  mail_owner: 'postfix',
  setgid_group: 'postdrop',
  myhostname: 'postfix.test',
  mydestination: '',
  local_recipient_maps: '',
  alias_maps: '',
  inet_interfaces: '127.0.0.1',
  inet_protocols: 'ipv4',
  mynetworks: '127.0.0.0/8',
  smtpd_peername_lookup: 'no',
  message_size_limit: '104857600',
  mailbox_size_limit: '0',
  maillog_file: join(folder, 'maillog'),
  maillog_file_prefixes: folder,
  smtp_tls_security_level: 'none',
  smtpd_tls_security_level: 'none',
  smtpd_recipient_restrictions: 'permit_mynetworks, reject',
  smtpd_relay_restrictions: 'permit_mynetworks, reject',
});

const services = (port: number): string => `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

/** Says why no Postfix can run here; '' when one can. */
export function postfixMissing(): string {
  if (!existsSync('/usr/lib/postfix/sbin/master')) return 'Postfix is not installed (make peers)';
  return process.getuid?.() === 0 ? '' : 'Postfix needs root';
}

export class Postfix implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #master: Daemon;

  private constructor(folder: string, port: number, master: Daemon) {
    this.folder = folder;
    this.port = port;
    this.#master = master;
  }

  /** Starts an instance; resolves when it answers. */
  static async start({ port, settings, services: more = [], resolvConf }: PostfixOptions): Promise<Postfix> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-postfix-'));
    chmodSync(folder, 0o755);
    const conf = join(folder, 'conf');
    for (const name of ['conf', 'spool', 'data']) mkdirSync(join(folder, name));
    execFileSync('chown', ['postfix', join(folder, 'data')]);
    const lines = Object.entries({ ...basic(folder), ...settings }).map(([name, value]) => `${name} = ${value}\n`);
    writeFileSync(join(conf, 'main.cf'), lines.join(''));
    writeFileSync(join(conf, 'master.cf'), services(port) + more.map((line) => `${line}\n`).join(''));
    const around = resolvConf === undefined ? [] : withResolvConf(resolvConf);
    try {
      return new Postfix(folder, port, await startPostfix(conf, () => answers(port), around));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    return this.#master.pid;
  }

  get log(): string {
    return existsSync(join(this.folder, 'maillog')) ? readFileSync(join(this.folder, 'maillog'), 'utf8') : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#master[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The master of a configuration, in the foreground; `around` stands before the command. */
export function startPostfix(
  conf: string,
  up: () => Promise<boolean>,
  around: readonly string[] = [],
): Promise<Daemon> {
  // Makes the folders of the queue.
  execFileSync('postfix', ['-c', conf, 'check'], { stdio: 'ignore' });
  const [command = '', ...args] = [...around, '/usr/lib/postfix/sbin/master', '-c', conf, '-s'];
  return Daemon.start(command, args, { up, asked: true });
}

function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).then((value) => {
    socket.destroy();
    return value as boolean;
  });
}
