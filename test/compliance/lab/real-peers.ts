/** Mail and directory servers as Debian has them: Postfix, Exim, Dovecot, slapd, and NSS's selfserv. */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEximServer } from '../../lib/exim.ts';
import { freePort } from '../../lib/ports.ts';
import { Postfix } from '../../lib/postfix.ts';
import { program } from '../../lib/program.ts';
import type { LabEndpoint, LabFiles, Running } from './endpoints.ts';

const run = promisify(execFile);

/** A folder of an endpoint's own with copies of a chain and its key; it goes with the endpoint. */
function ownFolder({ folder }: LabFiles, chain: string, owner?: number): string {
  const own = mkdtempSync(join(tmpdir(), 'edge-lab-'));
  chmodSync(own, 0o755);
  for (const kind of ['chain', 'key']) {
    const path = join(own, `${kind}.pem`);
    copyFileSync(join(folder, `${chain}.${kind}.pem`), path);
    chmodSync(path, 0o600);
    if (owner !== undefined) chownSync(path, owner, owner);
  }
  return own;
}

/** The endpoint, and its folder behind it. */
function within(folder: string, running: Running): Running {
  return {
    port: running.port,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function inFolder(folder: string, start: () => Promise<Running>): Promise<Running> {
  try {
    return within(folder, await start());
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Debian's settings but for the certificate. */
const postfix: LabEndpoint = {
  protocol: 'smtp',
  peers: ['postfix', 'root'],
  start: async (files) => {
    const own = ownFolder(files, 'good-rsa');
    return inFolder(own, async () => {
      const server = await Postfix.start({
        port: await freePort(),
        settings: {
          smtpd_tls_security_level: 'may',
          smtpd_tls_cert_file: join(own, 'chain.pem'),
          smtpd_tls_key_file: join(own, 'key.pem'),
        },
      });
      return { port: server.port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
    });
  },
};

/** Exim of Debian speaks TLS by GnuTLS. */
const exim: LabEndpoint = {
  protocol: 'smtp',
  peers: ['exim', 'root'],
  start: async (files) => {
    const own = ownFolder(files, 'good-ec');
    return inFolder(own, async () => startEximServer(await freePort(), own));
  },
};

function dovecot(protocol: 'lmtp' | 'tls'): LabEndpoint {
  return {
    protocol,
    peers: ['dovecot', 'root'],
    start: async (files) => {
      const own = ownFolder(files, 'good-rsa');
      return inFolder(own, () =>
        program(
          '/usr/sbin/dovecot',
          (port) => {
            writeFileSync(join(own, 'dovecot.conf'), dovecotConfiguration(own, port, protocol === 'tls'));
            return ['-F', '-c', join(own, 'dovecot.conf')];
          },
          own,
        ),
      );
    },
  };
}

const dovecotConfiguration = (folder: string, port: number, implicit: boolean): string => `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = lmtp
hostname = dovecot.test
login_greeting = ready
ssl = yes
ssl_cert = <${folder}/chain.pem
ssl_key = <${folder}/key.pem
mail_location = maildir:~/Maildir
passdb {
  driver = static
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
    ssl = ${implicit ? 'yes' : 'no'}
  }
}
`;

/** slapd of Debian speaks TLS by GnuTLS. */
function slapd(protocol: 'tls' | 'ldap'): LabEndpoint {
  return {
    protocol,
    peers: ['slapd'],
    start: async (files) => {
      const own = ownFolder(files, 'good-rsa');
      return inFolder(own, () =>
        program(
          '/usr/sbin/slapd',
          (port) => {
            const lines = ['pidfile slapd.pid', 'TLSCertificateFile chain.pem', 'TLSCertificateKeyFile key.pem'];
            writeFileSync(
              join(own, 'slapd.conf'),
              `${lines.join('\n').replaceAll(/(\w+\.pem|slapd\.pid)/g, `${own}/$1`)}\n`,
            );
            return [
              '-d',
              '0',
              '-f',
              'slapd.conf',
              '-h',
              `${protocol === 'tls' ? 'ldaps' : 'ldap'}://127.0.0.1:${port}`,
            ];
          },
          own,
        ),
      );
    },
  };
}

/** NSS still speaks SSL 3.0. */
function nss(...more: readonly string[]): LabEndpoint {
  return {
    protocol: 'tls',
    peers: ['selfserv', 'openssl'],
    start: async (files) => {
      const own = ownFolder(files, 'good-rsa');
      return inFolder(own, async () => {
        mkdirSync(join(own, 'db'));
        const database = ['-d', 'sql:db'];
        const options = { cwd: own };
        const pkcs12 = [
          '-in',
          'chain.pem',
          '-inkey',
          'key.pem',
          '-name',
          'lab',
          '-passout',
          'pass:x',
          '-out',
          'lab.p12',
        ];
        await run('certutil', ['-N', ...database, '--empty-password'], options);
        await run('openssl', ['pkcs12', '-export', ...pkcs12], options);
        await run('pk12util', ['-i', 'lab.p12', ...database, '-W', 'x', '-K', ''], options);
        return program('selfserv', (port) => ['-n', 'lab', '-p', String(port), ...database, '-D', ...more], own);
      });
    },
  };
}

export const realPeers: Readonly<Record<string, LabEndpoint>> = {
  'postfix-default': postfix,
  'exim-default': exim,
  'dovecot-lmtp': dovecot('lmtp'),
  'dovecot-tls': dovecot('tls'),
  'slapd-ldaps': slapd('tls'),
  'slapd-starttls': slapd('ldap'),
  'nss-ssl3': nss('-V', 'ssl3:tls1.2'),
  'nss-tls13': nss('-V', 'tls1.3:tls1.3', '-u', '-Z'),
};
