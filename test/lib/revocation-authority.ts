/** An authority made and run by openssl: it issues, revokes, signs CRLs and answers OCSP questions. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { Daemon } from './program.ts';

export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface IssueWish {
  readonly name: string;
  readonly ocspUrl?: string;
  readonly crlUrl?: string;
  readonly purpose?: string;
  /** Reason of the revocation, as openssl spells it. */
  readonly revoked?: string;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class RevocationAuthority implements AsyncDisposable {
  readonly folder = mkdtempSync(`${tmpdir()}/edge-revocation-`);
  #serial = 0x1000;
  #daemons: Daemon[] = [];
  #servers: Server[] = [];
  /** Requests that the web server saw: 'GET /crl'. */
  readonly asked: string[] = [];

  constructor(name = 'Revocation Test CA') {
    this.#openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '30',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    this.#openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', 'leaf.key');
    writeFileSync(`${this.folder}/index.txt`, '');
    writeFileSync(`${this.folder}/index.txt.attr`, 'unique_subject = no\n');
    writeFileSync(
      `${this.folder}/ca.cnf`,
      `[ca]\ndefault_ca=one\n[one]\ndatabase=${this.folder}/index.txt\ncertificate=${this.folder}/ca.pem\nprivate_key=${this.folder}/ca.key\ndefault_md=sha256\nunique_subject=no\n`,
    );
  }

  get certPem(): string {
    return this.#read('ca.pem');
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }

  #read(file: string): string {
    return readFileSync(`${this.folder}/${file}`, 'utf8');
  }

  issue({ name, ocspUrl, crlUrl, purpose = 'serverAuth,clientAuth', revoked }: IssueWish): Issued {
    const serial = (++this.#serial).toString(16).toUpperCase();
    const extensions = [
      `subjectAltName=DNS:${name}`,
      `extendedKeyUsage=${purpose}`,
      'keyUsage=digitalSignature',
      ...(ocspUrl === undefined ? [] : [`authorityInfoAccess=OCSP;URI:${ocspUrl}`]),
      ...(crlUrl === undefined ? [] : [`crlDistributionPoints=URI:${crlUrl}`]),
    ].flatMap((line) => ['-addext', line]);
    this.#openssl(
      ...[
        'req',
        '-x509',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-key',
        'leaf.key',
        '-days',
        '20',
        '-subj',
        `/CN=${name}`,
      ],
      ...['-set_serial', `0x${serial}`, ...extensions, '-out', `${serial}.pem`],
    );
    const state =
      revoked === undefined ? ['V', '400101000000Z', ''] : ['R', '400101000000Z', `260102000000Z,${revoked}`];
    appendFileSync(`${this.folder}/index.txt`, `${[...state, serial, 'unknown', `/CN=${name}`].join('\t')}\n`);
    return { certPem: this.#read(`${serial}.pem`), keyPem: this.#read('leaf.key') };
  }

  /** DER of a CRL of what is revoked now. */
  crl(...options: string[]): Buffer {
    const days = options.length === 0 ? ['-crldays', '1'] : options;
    this.#openssl('ca', '-config', 'ca.cnf', '-gencrl', ...days, '-out', 'crl.pem');
    this.#openssl('crl', '-in', 'crl.pem', '-outform', 'DER', '-out', 'crl.der');
    return readFileSync(`${this.folder}/crl.der`);
  }

  /** Starts `openssl ocsp`; `signer`: who signs. Resolves to its address. */
  async respond(signer: Issued | 'issuer', port: number): Promise<void> {
    if (signer !== 'issuer') writeFileSync(`${this.folder}/signer.pem`, signer.certPem + signer.keyPem);
    const [cert, key] = signer === 'issuer' ? ['ca.pem', 'ca.key'] : ['signer.pem', 'signer.pem'];
    const args = [
      ...['ocsp', '-port', String(port), '-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', cert, '-rkey', key],
      ...['-ndays', '1', '-ignore_err'],
    ];
    const up = (said: string): boolean => said.includes('waiting for OCSP client connections');
    this.#daemons.push(await Daemon.start('openssl', args, { cwd: this.folder, up }));
  }

  /** Serves octets, or what `answer` says, at any path. */
  async serve(answer: (path: string) => Buffer | number | undefined): Promise<string> {
    const server = createServer((request, response) => {
      this.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      const body = answer(request.url ?? '');
      // Undefined: it never answers.
      if (body === undefined) return;
      if (typeof body === 'number') response.writeHead(body, { location: 'http://127.0.0.1:1/' }).end();
      else response.end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon[Symbol.asyncDispose]();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
    rmSync(this.folder, { recursive: true });
  }
}

/** Not by a connection: one that closes without a word makes openssl spin. */
