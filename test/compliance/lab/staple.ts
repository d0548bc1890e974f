/** Certificates that demand a staple, with a good one, a bad one and none: made by openssl, as an authority would. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../../lib/program.ts';
import type { LabEndpoint, LabFiles } from './endpoints.ts';

const run = promisify(execFile);

/** A leaf with `tlsfeature` (RFC 7633) and, when it is asked for, the answer of its authority's responder. */
export function mustStaple(status: 'good' | 'revoked' | 'by-stranger' | 'none'): LabEndpoint {
  return withLeaf('tlsfeature=status_request', status);
}

/** A leaf with two signed certificate timestamps in it (RFC 6962 §3.3), of logs that nobody knows. */
export const embeddedTimestamps: LabEndpoint = withLeaf(
  '1.3.6.1.4.1.11129.2.4.2=DER:040c000a0003aabbcc0003ddeeff',
  'none',
);

function withLeaf(extension: string, status: 'good' | 'revoked' | 'by-stranger' | 'none'): LabEndpoint {
  return {
    protocol: 'tls',
    peers: ['openssl'],
    start: async ({ issuing }: LabFiles) => {
      const folder = mkdtempSync(join(tmpdir(), 'edge-staple-'));
      try {
        await makeLeaf(folder, issuing, extension);
        if (status !== 'none') await makeStaple(folder, status);
        const staple = status === 'none' ? [] : ['-status_file', 'staple.der'];
        const files = ['-cert', 'leaf.pem', '-key', 'leaf.key', '-cert_chain', 'issuing.pem'];
        const running = await program(
          '/usr/bin/openssl',
          (port) => ['s_server', '-accept', `127.0.0.1:${port}`, '-quiet', ...files, ...staple],
          folder,
        );
        return {
          port: running.port,
          async [Symbol.asyncDispose]() {
            await running[Symbol.asyncDispose]();
            rmSync(folder, { recursive: true, force: true });
          },
        };
      } catch (error) {
        rmSync(folder, { recursive: true, force: true });
        throw error;
      }
    },
  };
}

const openssl = (folder: string, ...args: readonly string[]): Promise<unknown> => run('openssl', args, { cwd: folder });

async function makeLeaf(folder: string, { pem, keyPem }: LabFiles['issuing'], extension: string): Promise<void> {
  writeFileSync(join(folder, 'issuing.pem'), pem);
  writeFileSync(join(folder, 'issuing.key'), keyPem);
  const uses = [extension, 'subjectAltName=DNS:mail.edge.test', 'extendedKeyUsage=serverAuth'];
  writeFileSync(join(folder, 'extensions'), `${uses.join('\n')}\n`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'leaf.key'];
  await openssl(folder, 'req', '-new', ...key, '-subj', '/CN=mail.edge.test', '-out', 'leaf.csr');
  const by = ['-CA', 'issuing.pem', '-CAkey', 'issuing.key', '-set_serial', '0x1234', '-days', '30'];
  await openssl(folder, 'x509', '-req', '-in', 'leaf.csr', ...by, '-extfile', 'extensions', '-out', 'leaf.pem');
}

/** The index is that of `openssl ca`: status, end, date of revocation, serial number, file, subject. */
async function makeStaple(folder: string, status: 'good' | 'revoked' | 'by-stranger'): Promise<void> {
  const { validTo } = new X509Certificate(readFileSync(join(folder, 'leaf.pem')));
  const until = `${new Date(validTo).toISOString().replace(/\D/g, '').slice(2, 14)}Z`;
  const state = status !== 'revoked' ? `V\t${until}\t` : `R\t${until}\t250101000000Z`;
  writeFileSync(join(folder, 'index.txt'), `${state}\t1234\tunknown\t/CN=mail.edge.test\n`);
  const question = ['-issuer', 'issuing.pem', '-cert', 'leaf.pem', '-reqout', 'question.der'];
  await openssl(folder, 'ocsp', ...question);
  // Of the same name as the authority: only its signature tells them apart.
  const by = status === 'by-stranger' ? 'stranger' : 'issuing';
  if (by === 'stranger') {
    const { subject } = new X509Certificate(readFileSync(join(folder, 'issuing.pem')));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'stranger.key'];
    await openssl(folder, 'req', '-x509', ...key, '-subj', `/${subject.replaceAll('\n', '/')}`, '-out', 'stranger.pem');
  }
  const signer = ['-rsigner', `${by}.pem`, '-rkey', `${by}.key`, '-CA', 'issuing.pem', '-ndays', '7'];
  await openssl(folder, 'ocsp', '-index', 'index.txt', ...signer, '-reqin', 'question.der', '-respout', 'staple.der');
}
