/** A real Active Directory domain controller (Samba) on an address of its own, with Exchange's attributes in its schema. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon } from './program.ts';
import { answersLdap } from './slapd.ts';

/** Why it cannot run here; '' when it can. */
export const sambaMissing = (): string => {
  if (process.getuid?.() !== 0) return 'a Samba domain controller needs root';
  const needed = ['/usr/sbin/samba', '/usr/bin/ldapmodify', '/usr/share/samba/setup/ad-schema'];
  const missing = needed.filter((path) => !existsSync(path));
  return missing.length === 0 ? '' : `${missing.join(', ')} is missing: run 'make peers' as root`;
};

export interface SambaOptions {
  /** Refuse simple binds without TLS, as a controller does by default. Default: false. */
  readonly strongAuth?: boolean;
}

/** Exchange's attributes that Samba's schema lacks: name, syntax, OM syntax, single value. */
const attributes = [
  ['msExchRequireAuthToSendTo', '2.5.5.8', 1, true],
  ['msExchHideFromAddressLists', '2.5.5.8', 1, true],
  ['msExchSafeSendersHash', '2.5.5.10', 4, true],
  ['msExchSafeRecipientsHash', '2.5.5.10', 4, true],
  ['msExchBlockedSendersHash', '2.5.5.10', 4, true],
  ['msExchMessageHygieneFlags', '2.5.5.9', 2, true],
] as const;

export class SambaAd implements AsyncDisposable {
  readonly base = 'DC=corp,DC=example';
  readonly administrator = 'administrator@corp.example';
  readonly password = 'Passw0rd!Edge';
  readonly address: string;
  readonly folder: string;
  readonly #options: SambaOptions;
  #daemon: Daemon | undefined;

  private constructor(folder: string, address: string, options: SambaOptions) {
    this.folder = folder;
    this.address = address;
    this.#options = options;
  }

  /** Provisions a domain and starts its controller: some ten seconds. */
  static async start(options: SambaOptions = {}): Promise<SambaAd> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-samba-'));
    const octets = Array.from({ length: 3 }, () => 1 + Math.floor(Math.random() * 253));
    const controller = new SambaAd(folder, `127.${octets.join('.')}`, options);
    try {
      controller.#certify();
      controller.#provision();
      await controller.run();
      controller.#extendSchema();
    } catch (error) {
      await controller[Symbol.asyncDispose]();
      throw error;
    }
    return controller;
  }

  get url(): string {
    return `ldap://${this.address}`;
  }

  get secureUrl(): string {
    return `ldaps://${this.address}`;
  }

  /** Certificate authority of its TLS certificate. */
  get caFile(): string {
    return join(this.folder, 'ca.pem');
  }

  /** A certificate for its address: the one that Samba makes has its name alone, which nobody here can resolve. */
  #certify(): void {
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', join(this.folder, 'key.pem')];
    const names = [
      '-subj',
      '/CN=dc1.corp.example',
      '-addext',
      `subjectAltName=IP:${this.address},DNS:dc1.corp.example`,
    ];
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...names, '-out', this.caFile], { stdio: 'ignore' });
    chmodSync(join(this.folder, 'key.pem'), 0o600);
  }

  /** Starts the controller on what was provisioned. */
  async run(): Promise<void> {
    const configuration = join(this.folder, 'dc/etc/smb.conf');
    writeFileSync(configuration, this.#configuration());
    this.#daemon = await Daemon.start('/usr/sbin/samba', ['-i', '-M', 'single', '-s', configuration], {
      up: () => answersLdap(this.url),
      upWithinMs: 60_000,
      asked: true,
    });
  }

  async stop(): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
  }

  /** Applies LDIF changes as the administrator. */
  modify(ldif: string): void {
    execFileSync('ldapmodify', ['-x', '-H', this.secureUrl, '-D', this.administrator, '-w', this.password], {
      input: ldif,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, LDAPTLS_REQCERT: 'never' },
    });
  }

  /** Adds an entry; relative names lie in the domain. */
  add(rdn: string, lines: readonly string[]): void {
    this.modify(`dn: ${rdn},${this.base}\nchangetype: add\n${lines.join('\n')}\n`);
  }

  /** Runs samba-tool on its database. */
  tool(...args: string[]): string {
    return execFileSync('samba-tool', [...args, '-s', join(this.folder, 'dc/etc/smb.conf')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #provision(): void {
    const target = join(this.folder, 'dc');
    const args = [
      'domain',
      'provision',
      '--realm=CORP.EXAMPLE',
      '--domain=CORP',
      '--server-role=dc',
      '--dns-backend=NONE',
    ];
    execFileSync(
      'samba-tool',
      [
        ...args,
        `--adminpass=${this.password}`,
        '--host-name=dc1',
        `--host-ip=${this.address}`,
        `--targetdir=${target}`,
        `--option=interfaces=${this.address}/8`,
        '--option=bind interfaces only=yes',
        '--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb',
      ],
      { stdio: 'ignore' },
    );
    for (const name of ['run', 'cache', 'ncalrpc', 'log']) mkdirSync(join(target, name), { recursive: true });
  }

  #configuration(): string {
    const dir = join(this.folder, 'dc');
    const strong = this.#options.strongAuth === true ? 'yes' : 'no';
    return `[global]
  netbios name = DC1
  realm = CORP.EXAMPLE
  workgroup = CORP
  server role = active directory domain controller
  server services = ldap
  interfaces = ${this.address}/8
  bind interfaces only = yes
  private dir = ${dir}/private
  state directory = ${dir}/state
  lock directory = ${dir}
  cache directory = ${dir}/cache
  binddns dir = ${dir}/bind-dns
  pid directory = ${dir}/run
  ncalrpc dir = ${dir}/ncalrpc
  ntp signd socket directory = ${dir}/run
  winbindd socket directory = ${dir}/run
  log file = ${dir}/log/log.samba
  ldap server require strong auth = ${strong}
  tls enabled = yes
  tls keyfile = ${this.folder}/key.pem
  tls certfile = ${this.caFile}
  tls cafile = ${this.caFile}
  dsdb event notification = no
  dsdb:schema update allowed = yes
  vfs objects = dfs_samba4 acl_xattr xattr_tdb
`;
  }

  #extendSchema(): void {
    const schema = `CN=Schema,CN=Configuration,${this.base}`;
    const oid = (index: number): string => `1.3.6.1.4.1.99999.42.9.${100 + index}`;
    const definitions = attributes.map(([name, syntax, omSyntax, single], index) =>
      [
        `dn: CN=${name},${schema}`,
        'changetype: add',
        'objectClass: top',
        'objectClass: attributeSchema',
        `cn: ${name}`,
        `lDAPDisplayName: ${name}`,
        `attributeID: ${oid(index)}`,
        `attributeSyntax: ${syntax}`,
        `oMSyntax: ${omSyntax}`,
        `isSingleValued: ${single ? 'TRUE' : 'FALSE'}`,
        '',
      ].join('\n'),
    );
    const now = 'dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n';
    const names = attributes.map(([name]) => `mayContain: ${name}`).join('\n');
    const classes = ['User', 'Group', 'Contact'].map(
      (name) =>
        `dn: CN=${name === 'Contact' ? 'Contact' : name},${schema}\nchangetype: modify\nadd: mayContain\n${names}\n`,
    );
    this.modify(`${definitions.join('\n')}\n${now}`);
    this.modify(`${classes.join('\n')}\n${now}`);
  }
}
