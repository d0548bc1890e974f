/** Fetches an MTA-STS policy: RFC 8461 §3.3. */
import type { IncomingMessage } from 'node:http';
import type { PeerCertificate, SecureContext } from 'node:tls';
import { fixedLookup } from '../../dns/index.ts';
import { matchesHost, maxPolicyBytes, parseStsPolicy, type StsPolicy } from '../../tls/index.ts';

/** Why there is no policy; `failure` is the result type of RFC 8460 §4.3. */
export class StsFetchError extends Error {
  override readonly name = 'StsFetchError';
  readonly failure: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';

  constructor(failure: StsFetchError['failure'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

export interface StsFetchOptions {
  /** Addresses of the policy host that may be connected to. Rejects when there is none. */
  readonly addresses: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** Authorities; default: those of the system. */
  readonly secureContext?: SecureContext;
  /** Default 443. */
  readonly port?: number;
  /** For everything together, in milliseconds. Default 60,000, as §3.3 suggests. */
  readonly timeoutMs?: number;
}

/** Throws StsFetchError. */
export async function fetchStsPolicy(
  domain: string,
  options: StsFetchOptions,
  signal: AbortSignal,
): Promise<StsPolicy> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs ?? 60_000)]);
  const text = await read(`mta-sts.${domain}`, options, limit);
  try {
    return parseStsPolicy(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new StsFetchError('sts-policy-invalid', `the policy of ${domain} is invalid: ${cause.message}`, { cause });
  }
}

async function read(host: string, options: StsFetchOptions, signal: AbortSignal): Promise<string> {
  let addresses: readonly string[];
  try {
    addresses = await options.addresses(host, signal);
  } catch (cause) {
    throw new StsFetchError('sts-policy-fetch-error', `${host} has no address that may be asked`, { cause });
  }
  // Loaded by the first fetch: most workers never need it.
  const { request } = await import('node:https');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const call = request({
    host,
    port: options.port ?? 443,
    path: '/.well-known/mta-sts.txt',
    method: 'GET',
    headers: { 'user-agent': 'Edge', accept: 'text/plain' },
    agent: false,
    signal,
    servername: host,
    lookup: fixedLookup(addresses),
    ...(options.secureContext && { secureContext: options.secureContext }),
    // RFC 6125 §6.4.4 by way of §3.3: by the subject's alternative names alone.
    checkServerIdentity: (_host, certificate) => wrongName(host, certificate),
  });
  call.on('response', resolve);
  call.on('error', (cause: NodeJS.ErrnoException) => reject(fetchFailure(host, cause)));
  call.end();
  const response = await promise;
  try {
    return await textOf(host, response);
  } finally {
    response.destroy();
  }
}

async function textOf(host: string, response: IncomingMessage): Promise<string> {
  const { statusCode = 0, headers } = response;
  // §3.3: redirects are not followed, and nothing but 200 counts.
  if (statusCode !== 200) throw new StsFetchError('sts-policy-fetch-error', `${host} answered ${statusCode}`);
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'text/plain')
    throw new StsFetchError('sts-policy-invalid', `${host} gave ${type || 'no type'}, not text/plain`);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxPolicyBytes) {
        throw new StsFetchError('sts-policy-invalid', `the policy at ${host} is larger than ${maxPolicyBytes} octets`);
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof StsFetchError) throw cause;
    throw new StsFetchError('sts-policy-fetch-error', `${host} did not send the whole policy`, { cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function wrongName(host: string, { subjectaltname = '' }: PeerCertificate): Error | undefined {
  const dnsNames = subjectaltname.split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
  return matchesHost({ dnsNames, commonName: '' }, host) ? undefined : new Error('its certificate has another name');
}

const certificateFault = /^(?:CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|INVALID_)/;

function fetchFailure(host: string, cause: NodeJS.ErrnoException): StsFetchError {
  const { code = '', message } = cause;
  if (certificateFault.test(code) || /certificate/.test(message)) {
    return new StsFetchError('sts-webpki-invalid', `the certificate of ${host} does not do: ${message}`, { cause });
  }
  return new StsFetchError('sts-policy-fetch-error', `${host} could not be asked: ${code || message}`, { cause });
}
