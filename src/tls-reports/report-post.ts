/** Sends a TLS report over HTTPS: RFC 8460 §5.4. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { fixedLookup } from '../dns/index.ts';

/** For everything together, in milliseconds. */
const timeoutMs = 60_000;

/** Addresses of a stranger's web server that may be asked; rejects when there is none. */
export type WebAddresses = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Resolves with what was wrong; '' when the report was taken. Never rejects for what the network does. */
export async function postReport(
  uri: string,
  report: Buffer,
  addresses: WebAddresses,
  signal: AbortSignal,
): Promise<string> {
  try {
    const url = new URL(uri);
    if (url.protocol !== 'https:') return 'it is no https: address';
    // An address would pass by the look-up, and with it by the check of where it leads.
    if (isIP(url.hostname) !== 0 || url.hostname.startsWith('[')) return 'it names an address instead of a host';
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const allowed = await addresses(url.hostname, limit);
    const { request } = await import('node:https');
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const call = request(url, {
      method: 'POST',
      headers: { 'user-agent': 'Edge', 'content-type': 'application/tlsrpt+gzip', 'content-length': report.length },
      agent: false,
      signal: limit,
      lookup: fixedLookup(allowed),
      // §3: errors of the certificate may be passed over, a report of broken TLS would never arrive otherwise.
      rejectUnauthorized: false,
    });
    call.on('response', resolve);
    call.on('error', reject);
    call.end(report);
    const response = await promise;
    response.destroy();
    const { statusCode = 0 } = response;
    // Redirects are not followed: they could lead anywhere.
    return statusCode >= 200 && statusCode < 300 ? '' : `it answered ${statusCode}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
