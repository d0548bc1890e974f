/** The program of the administrator that answers ACME challenges: http-01 on the web server, dns-01 in the zone. RFC 8555 §8.3, §8.4. */
import { spawn } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { printable } from '../../base/index.ts';
import { CertificateError } from '../certificate-error.ts';

export type ChallengeType = 'Http01' | 'Dns01';

export interface HookCall {
  readonly action: 'add' | 'remove';
  readonly type: 'http-01' | 'dns-01';
  readonly domain: string;
  /** http-01: the file is /.well-known/acme-challenge/TOKEN. */
  readonly token: string;
  /** Content of the file, or text of the TXT record _acme-challenge.DOMAIN. */
  readonly answer: string;
}

/** The system's administrator names it, never a cmdlet: it runs as the account of the service. */
export const hookVariable = 'EDGE_ACME_HOOK';
const [timeoutMs, mostOutput] = [5 * 60_000, 4_000];

/**
 * Runs `HOOK add|remove http-01|dns-01 NAME ANSWER`, where NAME is DOMAIN/TOKEN or _acme-challenge.DOMAIN, and waits for its
 * end: 'add' ends when the answer can be seen. Rejects with CertificateError when it fails or lasts too long.
 */
export async function runHook(
  hook: string,
  { action, type, domain, token, answer }: HookCall,
  signal: AbortSignal,
): Promise<void> {
  if (!isAbsolute(hook))
    throw new CertificateError(`no program answers challenges: set ${hookVariable} for the service`);
  const name = type === 'http-01' ? `${domain}/${token}` : `_acme-challenge.${domain}`;
  const child = spawn(hook, [action, type, name, answer], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    timeout: timeoutMs,
    signal,
  });
  let said = '';
  child.stderr.on('data', (octets: Buffer) => {
    said = (said + octets.toString('utf8')).slice(-mostOutput);
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new CertificateError(
          `${hook} ${action} ${type} ${name} ${why}${said === '' ? '' : `: ${printable(said, 300)}`}`,
        ),
      );
    child.once('error', (error) => fail(`could not be run (${error.message})`));
    child.once('close', (code, killed) => (code === 0 ? resolve() : fail(`ended with ${killed ?? code ?? ''}`)));
  });
}
