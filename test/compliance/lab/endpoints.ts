/**
 * The laboratory: endpoints with known faults, each a real server program where one still does that, else the small byte
 * servers beside this file. What the tester must find at each stands in `golden/`.
 */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Endpoint } from '../../../src/compliance/index.ts';
import { program } from '../../lib/program.ts';
import { byteServers } from './byte-servers.ts';
import { type MailServerFault, startMailServer } from './mail-server.ts';
import { realPeers } from './real-peers.ts';
import { embeddedTimestamps, mustStaple } from './staple.ts';

export interface Running extends AsyncDisposable {
  readonly port: number;
}

/** Folder with the chains that certs/make.ts made, PEM. */
export interface LabFiles {
  readonly folder: string;
  readonly readPem: (name: string) => string;
  /** The authority that issued them. */
  readonly issuing: { readonly pem: string; readonly keyPem: string };
}

export interface LabEndpoint {
  readonly protocol: Endpoint['protocol'];
  /** Programs that must be there: names of test/lib/peers.ts. */
  readonly peers?: readonly string[];
  start(files: LabFiles): Promise<Running>;
}

const pem = (name: string): readonly string[] => [
  '-cert',
  `${name}.chain.pem`,
  '-cert_chain',
  `${name}.chain.pem`,
  '-key',
  `${name}.key.pem`,
];

function openssl(certificate: string, ...more: readonly string[]): LabEndpoint {
  return {
    protocol: 'tls',
    peers: ['openssl'],
    start: ({ folder }) =>
      program(
        '/usr/bin/openssl',
        (port) => ['s_server', '-accept', `127.0.0.1:${port}`, '-quiet', ...pem(certificate), ...more],
        folder,
      ),
  };
}

function gnutls(priority: string, ...more: readonly string[]): LabEndpoint {
  return {
    protocol: 'tls',
    peers: ['gnutls-serv'],
    start: ({ folder }) =>
      program(
        '/usr/bin/gnutls-serv',
        (port) => [
          '--quiet',
          '--echo',
          '--port',
          String(port),
          '--x509certfile',
          'good-rsa.chain.pem',
          '--x509keyfile',
          'good-rsa.key.pem',
          '--priority',
          priority,
          ...more,
        ],
        folder,
      ),
  };
}

/** A bare key beside the chain (RFC 7250). */
function rawKeys(priority: string): LabEndpoint {
  const { start, ...rest } = gnutls(priority, '--rawpkkeyfile', 'good-rsa.key.pem', '--rawpkfile', 'good-rsa.pub.pem');
  return {
    ...rest,
    start: async (files) => {
      const { publicKey } = new X509Certificate(files.readPem('good-rsa.chain.pem'));
      writeFileSync(join(files.folder, 'good-rsa.pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
      return start(files);
    },
  };
}

/** Node's own TLS: OpenSSL 3.5 with hybrid groups. */
function node(options: (files: LabFiles) => TlsOptions): LabEndpoint {
  return {
    protocol: 'tls',
    start: async (files) => {
      const server = createTlsServer({ ...options(files) }, (socket) => socket.on('error', () => undefined).end());
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      return { port, [Symbol.asyncDispose]: async () => void server.close() };
    },
  };
}

const pair = ({ readPem }: LabFiles, name: string): { cert: string; key: string } => ({
  cert: readPem(`${name}.chain.pem`),
  key: readPem(`${name}.key.pem`),
});

function mail(fault: MailServerFault, protocol: Endpoint['protocol'] = 'smtp'): LabEndpoint {
  return { protocol, start: (files) => startMailServer(fault, pair(files, 'good-ec')) };
}

const weak = ['-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'];

export const endpoints: Readonly<Record<string, LabEndpoint>> = {
  'openssl-default': openssl('good-rsa'),
  'openssl-tls13-only': openssl('good-ec', '-tls1_3'),
  'openssl-tls12-modern': openssl(
    'good-ec',
    '-tls1_2',
    '-serverpref',
    '-cipher',
    'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
    '-groups',
    'X25519:P-256',
  ),
  'openssl-weak-first': openssl(
    'good-rsa',
    '-tls1_2',
    '-serverpref',
    '-cipher',
    'ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:AES128-SHA:@SECLEVEL=0',
  ),
  'openssl-tls10-only': openssl('good-rsa', '-tls1', ...weak),
  'openssl-tls11-only': openssl('good-rsa', '-tls1_1', ...weak),
  'openssl-null-and-anonymous': openssl(
    'good-rsa',
    '-tls1_2',
    '-cipher',
    'NULL-SHA256:AECDH-AES128-SHA:ADH-AES128-SHA256:@SECLEVEL=0',
  ),
  'openssl-two-keys': {
    ...openssl(
      'good-rsa',
      '-dcert',
      'good-ec.chain.pem',
      '-dcert_chain',
      'good-ec.chain.pem',
      '-dkey',
      'good-ec.key.pem',
      '-serverpref',
    ),
  },
  'openssl-ed25519': openssl('good-ed25519', '-tls1_3'),
  'openssl-early-data': openssl('good-rsa', '-tls1_3', '-early_data', '-max_early_data', '16384'),
  'openssl-no-tickets': openssl(
    'good-rsa',
    '-no_ticket',
    '-num_tickets',
    '0',
    '-no_etm',
    '-cipher',
    'ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256',
  ),
  'openssl-renegotiation': openssl(
    'good-rsa',
    '-tls1_2',
    '-client_renegotiation',
    '-cipher',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ),
  'openssl-alpn': openssl('good-rsa', '-tls1_3', '-alpn', 'smtp'),
  'openssl-chacha-and-ccm': openssl(
    'good-rsa',
    '-tls1_3',
    '-ciphersuites',
    'TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  ),
  'openssl-brainpool': openssl(
    'good-rsa',
    '-tls1_2',
    '-groups',
    'brainpoolP256r1:P-384',
    '-cipher',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ),
  'gnutls-rc4-3des-null': gnutls('NORMAL:-VERS-ALL:+VERS-TLS1.2:+ARCFOUR-128:+3DES-CBC:+NULL:+SHA1:%COMPAT'),
  'gnutls-anonymous': gnutls('NORMAL:-VERS-ALL:+VERS-TLS1.2:+ANON-ECDH:+ANON-DH'),
  'gnutls-unsafe-renegotiation': gnutls('NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION'),
  'gnutls-raw-keys': rawKeys('NORMAL:+CTYPE-SRV-RAWPK'),
  'gnutls-raw-keys-tls12': rawKeys('NORMAL:-VERS-ALL:+VERS-TLS1.2:+CTYPE-SRV-RAWPK'),
  'openssl-staple': mustStaple('good'),
  'openssl-staple-revoked': mustStaple('revoked'),
  'openssl-staple-by-stranger': mustStaple('by-stranger'),
  'openssl-staple-missing': mustStaple('none'),
  'openssl-timestamps': embeddedTimestamps,
  'node-hybrids-only': node((files) => ({
    ...pair(files, 'good-ec'),
    ecdhCurve: 'X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024',
    minVersion: 'TLSv1.3',
  })),
  'node-hybrid-groups': node((files) => ({
    ...pair(files, 'good-ec'),
    ecdhCurve: 'X25519MLKEM768:X25519:P-256',
    minVersion: 'TLSv1.3',
  })),
  'node-sni': node((files) => ({
    ...pair(files, 'good-rsa'),
    minVersion: 'TLSv1.2',
    ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    SNICallback: (name, done) =>
      done(null, name === 'mail.edge.test' ? undefined : createSecureContext(pair(files, 'good-ec'))),
  })),
  ...Object.fromEntries(
    Object.entries(byteServers).map(([name, start]) => [
      name,
      { protocol: 'tls' as const, start: (files: LabFiles) => start(pair(files, 'good-rsa')) },
    ]),
  ),
  'smtp-good': mail('none'),
  'smtp-no-starttls': mail('no-starttls'),
  'smtp-masked-starttls': mail('masked'),
  'smtp-auth-before-tls': mail('auth-before-tls'),
  'smtp-starttls-parameter': mail('takes-parameter'),
  'smtp-injection': mail('injection'),
  'smtp-keeps-state': mail('keeps-state'),
  'smtp-offers-again': mail('offers-again'),
  'smtp-starttls-454': mail('starttls-454'),
  'smtp-greeting-421': mail('greeting-421'),
  'smtp-requiretls-in-clear': mail('requiretls-in-clear'),
  'smtp-garbage': mail('garbage'),
  'smtp-silent': mail('silent'),
  'smtp-huge-banner': mail('huge-banner'),
  'smtp-rate-limited': mail('rate-limited'),
  'lmtp-good': mail('none', 'lmtp'),
  ...realPeers,
};
