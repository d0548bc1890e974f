/** OpenLDAP's slapd as a source of recipients, with Exchange's `proxyAddresses` and some of its settings of recipients. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { SlapdProcess } from './slapd.ts';

/** Why it cannot run here; '' when it can. */
export const slapdMissing = (): string =>
  existsSync('/usr/sbin/slapd') && existsSync('/usr/bin/ldapmodify') ? '' : "slapd is not installed: run 'make peers'";

export interface SlapdSourceOptions {
  /** Offer content synchronization (RFC 4533). Default: true. */
  readonly contentSync?: boolean;
  /** What the account of the synchronization may read at once. Default: unlimited. */
  readonly sizeLimit?: number;
  /** Octets that the database may take; a copy of it is as large. Default: 64 MiB. */
  readonly maxBytes?: number;
  /** PEM: it offers LDAPS as well, on `securePort`. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

const configuration = (
  folder: string,
  { contentSync = true, sizeLimit, maxBytes = 64 * 1024 ** 2, tls }: SlapdSourceOptions,
): string => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.99999.42.9.1 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.42.9.3 NAME 'msExchSafeSendersHash' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.42.9.4 NAME 'msExchBlockedSendersHash' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.42.9.5 NAME 'msExchMessageHygieneSCLRejectThreshold' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.42.9.2 NAME 'mailRecipient' SUP top AUXILIARY MAY ( proxyAddresses $ msExchSafeSendersHash $ msExchBlockedSendersHash $ msExchMessageHygieneSCLRejectThreshold ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
loglevel none
${tls === undefined ? '' : `TLSCertificateFile ${folder}/cert.pem\nTLSCertificateKeyFile ${folder}/key.pem`}
sizelimit 500
database mdb
suffix "dc=corp,dc=example"
rootdn "cn=admin,dc=corp,dc=example"
rootpw secret
directory ${folder}/db
maxsize ${maxBytes}
dbnosync
access to * by * read
limits dn.exact="cn=sync,dc=corp,dc=example" size=${sizeLimit ?? 'unlimited'} time=unlimited
index objectClass,uid,cn,ou,mail,proxyAddresses,entryUUID,entryCSN,modifyTimestamp eq
${contentSync ? 'overlay syncprov\nsyncprov-sessionlog 1000\n' : ''}
`;

export class SlapdSource implements AsyncDisposable {
  readonly base = 'dc=corp,dc=example';
  readonly bindDn = 'cn=sync,dc=corp,dc=example';
  readonly password = 'secret';
  readonly port: number;
  readonly securePort: number;
  readonly folder: string;
  readonly #process = new SlapdProcess();
  #offersTls = false;

  private constructor(folder: string, [port, securePort]: readonly [number, number]) {
    this.folder = folder;
    this.port = port;
    this.securePort = securePort;
  }

  /** Fills the database with its own bulk tool: `ldif` gives the entries below the base. */
  static async start(ldif: Iterable<string>, options: SlapdSourceOptions = {}): Promise<SlapdSource> {
    const source = new SlapdSource(mkdtempSync(join(tmpdir(), 'edge-slapd-')), [await freePort(), await freePort()]);
    mkdirSync(join(source.folder, 'db'));
    source.configure(options);
    const first = [
      `dn: ${source.base}\nobjectClass: dcObject\nobjectClass: organization\no: Corp\ndc: corp\n`,
      `dn: ou=People,${source.base}\nobjectClass: organizationalUnit\nou: People\n`,
      `dn: ${source.bindDn}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: sync\nuserPassword: secret\n`,
    ];
    const file = join(source.folder, 'content.ldif');
    writeFileSync(file, [...first, ...ldif].join('\n'));
    execFileSync('slapadd', ['-q', '-f', source.#configuration, '-l', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    await source.run();
    return source;
  }

  get #configuration(): string {
    return join(this.folder, 'slapd.conf');
  }

  get url(): string {
    return `ldap://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** In force at the next `run`. */
  configure(options: SlapdSourceOptions): void {
    const { tls } = options;
    this.#offersTls = tls !== undefined;
    for (const [name, pem] of Object.entries(tls ?? {}))
      writeFileSync(join(this.folder, `${name}.pem`), pem, { mode: 0o600 });
    writeFileSync(this.#configuration, configuration(this.folder, options));
  }

  run(): Promise<void> {
    const urls = [this.url, ...(this.#offersTls ? [`ldaps://127.0.0.1:${this.securePort}`] : [])];
    return this.#process.start(this.#configuration, urls.join(' '));
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  /** Copies the stopped database; `restore` puts it back. */
  backup(): void {
    cpSync(join(this.folder, 'db'), join(this.folder, 'backup'), { recursive: true });
  }

  restore(): void {
    rmSync(join(this.folder, 'db'), { recursive: true });
    cpSync(join(this.folder, 'backup'), join(this.folder, 'db'), { recursive: true });
  }

  /** Applies LDIF changes as the administrator. */
  modify(ldif: string): void {
    execFileSync('ldapmodify', ['-x', '-H', this.url, '-D', `cn=admin,${this.base}`, '-w', 'secret'], {
      input: ldif,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** LDIF of a person below ou=People. */
export function personLdif(uid: string, addresses: readonly string[]): string {
  const lines = addresses.map((address) => `proxyAddresses: ${address}`).join('\n');
  return `dn: uid=${uid},ou=People,dc=corp,dc=example\nobjectClass: inetOrgPerson\nobjectClass: mailRecipient\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n${lines}\n`;
}
