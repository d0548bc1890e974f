/** Fetches OCSP responses (RFC 6960 appendix A) and CRLs (RFC 5280 §4.2.1.13) over plain http: what comes is signed itself. */
import type { IncomingMessage } from 'node:http';
import type { IpRange } from '../../base/index.ts';
import { type DnsAsker, fixedLookup, strangerAddresses } from '../../dns/index.ts';

export interface RevocationFetchParts {
  readonly dns: DnsAsker;
  /** Addresses inside where authorities of one's own answer. */
  readonly allowed: () => readonly IpRange[];
}

/** What is taken at the most, in octets. */
const mostOctets = { ocsp: 64 * 1024, crl: 8 * 1024 ** 2 } as const;
/** RFC 6960 A.1: longer questions are sent by POST. */
const longestGet = 255;

export class RevocationFetch {
  readonly #parts: RevocationFetchParts;

  constructor(parts: RevocationFetchParts) {
    this.#parts = parts;
  }

  /** Rejects with an Error that says what happened. */
  ocsp(url: string, question: Buffer, signal: AbortSignal): Promise<Buffer> {
    const asked = `${url.replace(/\/$/, '')}/${encodeURIComponent(question.toString('base64'))}`;
    return asked.length <= longestGet
      ? this.#fetch(asked, undefined, mostOctets.ocsp, signal)
      : this.#fetch(url, question, mostOctets.ocsp, signal);
  }

  /** DER; PEM, which some authorities give all the same, is opened. */
  async crl(url: string, signal: AbortSignal): Promise<Buffer> {
    const data = await this.#fetch(url, undefined, mostOctets.crl, signal);
    const [, base64] = /^-----BEGIN X509 CRL-----([^-]+)-----END/.exec(data.toString('latin1', 0, data.length)) ?? [];
    return base64 === undefined ? data : Buffer.from(base64, 'base64');
  }

  async #fetch(text: string, body: Buffer | undefined, most: number, signal: AbortSignal): Promise<Buffer> {
    const url = new URL(text);
    if (url.protocol !== 'http:') throw new RangeError(`${url.protocol} is not asked`);
    const port = url.port === '' ? 80 : Number(url.port);
    const where = { host: url.hostname, port, allowed: this.#parts.allowed() };
    const addresses = await strangerAddresses(this.#parts.dns, where, signal);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // By import, Node would load HTTP/2 and fetch with it: 7 MB in each process, asked for or not.
    const { request } = process.getBuiltinModule('node:http');
    const call = request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      path: `${url.pathname}${url.search}`,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        host: url.host,
        'user-agent': 'Edge',
        ...(body !== undefined && { 'content-type': 'application/ocsp-request', 'content-length': body.length }),
      },
      agent: false,
      signal,
      lookup: fixedLookup(addresses),
    });
    call.on('response', resolve);
    call.on('error', reject);
    call.end(body);
    const response = await promise;
    try {
      return await contentOf(response, most);
    } finally {
      response.destroy();
    }
  }
}

async function contentOf(response: IncomingMessage, most: number): Promise<Buffer> {
  // A redirect could lead anywhere.
  if (response.statusCode !== 200) throw new RangeError(`it answered ${response.statusCode ?? 0}`);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw new RangeError(`its answer is larger than ${most} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
