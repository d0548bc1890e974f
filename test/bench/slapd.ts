/** OpenLDAP's slapd with back-mdb, durable (no dbnosync), with the indexes that the product's schema asks for. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lib/ports.ts';
import { SlapdProcess } from '../lib/slapd.ts';
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
  readonly #process = new SlapdProcess();

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
    return this.#process.pid;
  }

  /** `slapadd -q` on the stopped server; resolves with the seconds it took. */
  import(file: string): number {
    const start = performance.now();
    execFileSync('slapadd', ['-q', '-f', join(this.folder, 'slapd.conf'), '-l', file], { stdio: 'ignore' });
    return (performance.now() - start) / 1000;
  }

  start(): Promise<void> {
    return this.#process.start(join(this.folder, 'slapd.conf'), `ldap://127.0.0.1:${this.port}`);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
