/** Stands before pebble, which knows no RFC 9773, and says when certificates are to be renewed. All else it hands on. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { selfSigned } from './self-signed.ts';

export class RenewalAuthority implements AsyncDisposable {
  /** PEM of the certificate of this web server. */
  readonly authority: string;
  /** What is asked for, one identifier each time. */
  readonly asked: string[] = [];
  /** What new orders say that they replace, '' for nothing: those that were taken, or refused for it. Nonces that pebble rejects do not count. */
  readonly replaced: string[] = [];
  /** The answer: status, and the body as text. */
  answer = { status: 200, text: '' };
  /** Orders that replace something are refused. */
  refusesReplaced = false;
  readonly #folder = mkdtempSync(join(tmpdir(), 'edge-renewal-'));
  readonly #server: Server;
  readonly #behind: URL;
  readonly #trusted: string;

  /** `behind`: directory of pebble, and PEM of its certificate. */
  constructor(behind: { readonly directoryUrl: string; readonly authority: string }) {
    const { key, cert } = selfSigned(this.#folder, 'localhost');
    this.authority = cert;
    this.#behind = new URL(behind.directoryUrl);
    this.#trusted = behind.authority;
    this.#server = createServer({ key, cert }, (asked, answer) => void this.#take(asked, answer));
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get #origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get directoryUrl(): string {
    return `${this.#origin}/dir`;
  }

  async #take(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { url = '', method = 'GET' } = asked;
    if (url.startsWith('/renewal/')) {
      this.asked.push(url.slice('/renewal/'.length));
      answer.writeHead(this.answer.status, { 'Retry-After': '60' }).end(this.answer.text);
      return;
    }
    const body = await buffer(asked);
    let replaces = '';
    if (url === '/order-plz') {
      const { payload } = JSON.parse(body.toString()) as { payload: string };
      ({ replaces = '' } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { replaces?: string });
      if (replaces !== '' && this.refusesReplaced) {
        this.replaced.push(replaces);
        answer.writeHead(409, { 'Content-Type': 'application/problem+json' });
        answer.end(
          JSON.stringify({ type: 'urn:ietf:params:acme:error:alreadyReplaced', status: 409, detail: 'it was' }),
        );
        return;
      }
    }
    // With the Host that the client named, from which pebble makes its addresses.
    const sent = request({
      host: 'localhost',
      port: this.#behind.port,
      ca: this.#trusted,
      method,
      path: url,
      headers: asked.headers,
    });
    sent.end(body);
    const [got] = (await once(sent, 'response')) as [IncomingMessage];
    const text = await buffer(got);
    if (url === '/order-plz' && got.statusCode === 201) this.replaced.push(replaces);
    const { 'content-length': _length, ...headers } = got.headers;
    answer.writeHead(got.statusCode ?? 500, headers);
    if (url !== '/dir') answer.end(text);
    else
      answer.end(
        JSON.stringify({ ...(JSON.parse(text.toString()) as object), renewalInfo: `${this.#origin}/renewal` }),
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.#folder, { recursive: true });
  }
}
