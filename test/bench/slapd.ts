/** OpenLDAP's slapd with back-mdb, durable (no dbnosync), with the indexes that the product's schema asks for. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import type { LdapPeer } from './ldap-load.ts';

const configuration = (folder: string): string => `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.99999.42.9.1 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.99999.42.9.2 NAME 'mailRecipient' SUP top AUXILIARY MAY ( proxyAddresses ) )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
loglevel none
sizelimit unlimited
threads 8
database mdb
suffix "dc=bench,dc=test"
rootdn "cn=admin,dc=bench,dc=test"
rootpw secret
directory ${folder}/db
maxsize 2147483648
index objectClass,uid,cn,sn,ou,dc,mail,proxyAddresses,entryUUID,entryCSN eq
`;

/** Why it cannot run here; '' when it can. */
export const slapdMissing = (): string => (existsSync('/usr/sbin/slapd') ? '' : 'slapd is not installed (make peers)');

/** Its name and version. */
export const slapdVersion = (): string =>
  /slapd [\d.]+/.exec(spawnSync('/usr/sbin/slapd', ['-VV'], { encoding: 'utf8' }).stderr)?.[0] ?? 'slapd';

export class Slapd implements AsyncDisposable, LdapPeer {
  readonly bindDn = 'cn=admin,dc=bench,dc=test';
  readonly password = 'secret';
  readonly port: number;
  readonly folder: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  static async prepare(): Promise<Slapd> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-bench-slapd-'));
    mkdirSync(join(folder, 'db'));
    writeFileSync(join(folder, 'slapd.conf'), configuration(folder));
    return new Slapd(folder, await freePort());
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** `slapadd -q` on the stopped server; resolves with the seconds it took. */
  import(file: string): number {
    const start = performance.now();
    execFileSync('slapadd', ['-q', '-f', join(this.folder, 'slapd.conf'), '-l', file], { stdio: 'ignore' });
    return (performance.now() - start) / 1000;
  }

  async start(): Promise<void> {
    const url = `ldap://127.0.0.1:${this.port}`;
    this.#child = spawn('/usr/sbin/slapd', ['-d', '0', '-f', join(this.folder, 'slapd.conf'), '-h', url], {
      stdio: 'ignore',
    });
    await eventually('slapd answers', () => {
      try {
        execFileSync('ldapsearch', ['-x', '-H', url, '-s', 'base', '-b', '', '1.1'], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
