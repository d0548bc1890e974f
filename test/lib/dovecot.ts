/** A Dovecot of one's own with nothing but LMTP, in a temporary folder. Needs root, as Dovecot does to change users. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './program.ts';

const program = '/usr/sbin/dovecot';
/** Says why no Dovecot can run here; false when one can. */
export const dovecotMissing =
  !existsSync(program) || !existsSync('/usr/lib/dovecot/lmtp')
    ? 'the Debian packages dovecot-core and dovecot-lmtpd are not installed'
    : process.getuid?.() !== 0
      ? 'Dovecot needs root to change users'
      : false;

/** Dovecot with nothing but LMTP, in a folder of its own. Users: ann and bob. */
export class Dovecot implements AsyncDisposable {
  readonly folder: string;
  readonly #daemon: Daemon;

  private constructor(folder: string, daemon: Daemon) {
    this.folder = folder;
    this.#daemon = daemon;
  }

  get socket(): string {
    return join(this.folder, 'lmtp');
  }

  static async start(): Promise<Dovecot> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-dovecot-'));
    execFileSync('chmod', ['755', folder]);
    const [uid, gid] = [65_534, 65_534];
    mkdirSync(join(folder, 'mail'));
    chownSync(join(folder, 'mail'), uid, gid);
    const users = ['ann', 'bob'].map((name) => `${name}@x.test:{PLAIN}x:${uid}:${gid}::${folder}/mail/${name}::\n`);
    writeFileSync(join(folder, 'users'), users.join(''));
    writeFileSync(
      join(folder, 'dovecot.conf'),
      `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = lmtp
ssl = no
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = passwd-file
  args = ${folder}/users
}
service lmtp {
  unix_listener ${folder}/lmtp {
    mode = 0666
  }
}
protocol lmtp {
  postmaster_address = postmaster@x.test
}
`,
    );
    try {
      const daemon = await Daemon.start(program, ['-F', '-c', join(folder, 'dovecot.conf')], {
        up: () => greets(join(folder, 'lmtp')),
        asked: true,
      });
      return new Dovecot(folder, daemon);
    } catch (cause) {
      const log = existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '';
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`Dovecot did not start: ${log}`, { cause });
    }
  }

  mail(user: string): string[] {
    const folder = join(this.folder, 'mail', user, 'Maildir', 'new');
    return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')) : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function greets(path: string): Promise<boolean> {
  const socket = connect(path);
  const up = await Promise.race([once(socket, 'data').then(() => true), once(socket, 'error').then(() => false)]).catch(
    () => false,
  );
  socket.destroy();
  return up;
}
