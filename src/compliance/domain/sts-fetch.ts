import { request } from 'node:https';
import { maxPolicyBytes } from '../../tls/index.ts';
import type { Lookup } from './targets.ts';

export type FetchedPolicy =
  | { readonly kind: 'fetched'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface StsFetchOptions {
  readonly lookup: Lookup;
  /** Trusted roots, PEM. */
  readonly anchors: readonly string[];
  /** Default 443. */
  readonly port?: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Fetches https://mta-sts.<domain>/.well-known/mta-sts.txt by the rules of RFC 8461 §3.3: a valid certificate of that
 * name, status 200, no redirect, text/plain, at most 64 KiB.
 */
export async function fetchStsPolicy(domain: string, options: StsFetchOptions): Promise<FetchedPolicy> {
  const host = `mta-sts.${domain}`;
  let address: string | undefined;
  try {
    const { records } = await options.lookup.ask(host, 'A', options.signal);
    const found = records.length > 0 ? records : (await options.lookup.ask(host, 'AAAA', options.signal)).records;
    address = found[0] === undefined ? undefined : String(found[0].data);
  } catch (error) {
    return { kind: 'failed', reason: `${host}: ${(error as Error).message}` };
  }
  if (address === undefined) return { kind: 'failed', reason: `${host} has no address` };
  return get(host, address, options);
}

function get(
  host: string,
  address: string,
  { anchors, port = 443, timeoutMs, signal }: StsFetchOptions,
): Promise<FetchedPolicy> {
  const { promise, resolve } = Promise.withResolvers<FetchedPolicy>();
  const fail = (reason: string): void => resolve({ kind: 'failed', reason });
  const asked = request({
    host: address,
    port,
    servername: host,
    path: '/.well-known/mta-sts.txt',
    headers: { host },
    ca: [...anchors],
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  asked.on('error', (error: NodeJS.ErrnoException) =>
    fail(
      error.name === 'TimeoutError' || error.name === 'AbortError'
        ? `no answer within ${timeoutMs / 1000} s`
        : error.message,
    ),
  );
  asked.on('response', (response) => {
    const type = response.headers['content-type'] ?? '';
    const parts: Buffer[] = [];
    let bytes = 0;
    const refuse = (reason: string): void => {
      fail(reason);
      response.destroy();
    };
    if (response.statusCode !== 200) return refuse(`status ${response.statusCode}, redirects are not followed`);
    if (!/^text\/plain\s*(;|$)/i.test(type))
      return refuse(`content type ${type === '' ? 'absent' : type}, text/plain must be`);
    response.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxPolicyBytes) refuse(`more than ${maxPolicyBytes} octets`);
      else parts.push(part);
    });
    response.on('end', () => resolve({ kind: 'fetched', text: Buffer.concat(parts).toString('utf8') }));
    response.on('error', (error) => fail(error.message));
  });
  asked.end();
  return promise;
}
