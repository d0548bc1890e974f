/** When the authority wants a certificate renewed: ACME Renewal Information, RFC 9773. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import type { Clock } from '../../base/index.ts';
import { extensionOf, type ParsedCertificate } from '../../tls/index.ts';
import type { AcmeService } from './acme-order.ts';
import { agentFor } from './authority-agent.ts';

/** When a certificate is to be renewed. */
export interface RenewalTime {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The authority named it; else it is our own rule. */
  readonly byAuthority: boolean;
  /** Page on which the authority says why; '' for none. */
  readonly explanationUrl: string;
}

type Certificate = Pick<ParsedCertificate, 'der' | 'serialNumber' | 'notBefore' | 'notAfter'>;

interface Window {
  readonly start: number;
  readonly end: number;
  readonly explanationUrl: string;
}

/** What an authority said of one certificate, until it is asked again. */
interface Answer {
  readonly window: Window | undefined;
  /** The directory has renewalInfo. */
  readonly offered: boolean;
  readonly until: number;
}

/** §4.3: an answer holds at least a minute and at most a day; six hours without Retry-After, or where nobody answers. */
const [leastMs, usualMs, mostMs] = [60_000, 6 * 3_600_000, 86_400_000];
const [answerMs, mostOctets, mostAnswers] = [30_000, 65_536, 100];

/** What authorities say of our certificates. Nobody is asked more often than the authority wants. */
export class RenewalTimes {
  readonly #clock: Clock;
  readonly #answers = new Map<string, Answer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** By what was said last, without asking: a moment of the authority's window, else when a third of the lifetime is left. */
  known(certificate: Certificate): RenewalTime {
    const id = renewalIdOf(certificate);
    const window = id === undefined ? undefined : this.#answers.get(id)?.window;
    const { notBefore, notAfter } = certificate;
    const lifetime = notAfter - notBefore;
    if (id === undefined || window === undefined)
      return { at: notAfter - lifetime / 3, byAuthority: false, explanationUrl: '' };
    const { start, end, explanationUrl } = window;
    // A window at the very end leaves no time for a second attempt.
    const at = Math.min(start + shareOf(id) * (end - start), notAfter - lifetime / 10);
    return { at, byAuthority: true, explanationUrl };
  }

  /** The same, asking where it is time to. Never rejects: who does not answer says nothing. */
  async of(
    service: AcmeService,
    certificate: Certificate,
    authorities: readonly string[],
    signal: AbortSignal,
  ): Promise<RenewalTime> {
    await this.#ask(service, certificate, authorities, signal);
    return this.known(certificate);
  }

  /** §5: what newOrder says of the certificate that the new one comes in place of; undefined where the authority does not know of it. */
  async replaces(
    service: AcmeService,
    certificate: Certificate,
    authorities: readonly string[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const answer = await this.#ask(service, certificate, authorities, signal);
    return answer?.offered === true ? renewalIdOf(certificate) : undefined;
  }

  async #ask(
    { directoryUrl }: AcmeService,
    certificate: Certificate,
    authorities: readonly string[],
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    const id = renewalIdOf(certificate);
    if (id === undefined) return undefined;
    const known = this.#answers.get(id);
    if (known !== undefined && this.#clock.monotonic() < known.until) return known;
    const agent = await agentFor(authorities);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    try {
      const { window, offered, forMs } = await askAuthority(directoryUrl, id, { agent, signal: limit });
      return this.#keep(id, { window, offered, until: this.#clock.monotonic() + forMs });
    } catch {
      // What it said before holds on, else our own rule; it is asked again later (§4.3).
      const { window, offered = false } = known ?? {};
      return this.#keep(id, { window, offered, until: this.#clock.monotonic() + usualMs });
    } finally {
      agent.destroy();
    }
  }

  #keep(id: string, answer: Answer): Answer {
    if (this.#answers.size >= mostAnswers) this.#answers.clear();
    this.#answers.set(id, answer);
    return answer;
  }
}

/** §4.1: the issuer's key identifier and the serial number; undefined for a certificate without the former. */
export function renewalIdOf({ der, serialNumber }: Pick<Certificate, 'der' | 'serialNumber'>): string | undefined {
  const value = extensionOf(der, '2.5.29.35');
  // SEQUENCE of which [0], the first where it is there, is the key identifier (RFC 5280 §4.2.1.1).
  const length = value?.[3] ?? 0;
  if (value?.[0] !== 0x30 || value[2] !== 0x80 || length === 0 || value.length < 4 + length) return undefined;
  const serial = Buffer.from(serialNumber.padStart(serialNumber.length + (serialNumber.length % 2), '0'), 'hex');
  // The content of DER's INTEGER: a leading zero where it would be negative.
  const content = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial;
  return `${value.subarray(4, 4 + length).toString('base64url')}.${content.toString('base64url')}`;
}

/** §4.2: a random moment of the window, of 0 to 1; the same each time, so that it need not be kept. */
function shareOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32;
}

interface Way {
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/** Rejects for every answer that is none. */
async function askAuthority(
  directoryUrl: string,
  id: string,
  way: Way,
): Promise<{ readonly window: Window | undefined; readonly offered: boolean; readonly forMs: number }> {
  const { renewalInfo } = (await readJson(directoryUrl, way)).body;
  if (typeof renewalInfo !== 'string') return { window: undefined, offered: false, forMs: usualMs };
  const { body, forMs } = await readJson(`${renewalInfo.replace(/\/$/, '')}/${id}`, way);
  return { window: windowOf(body), offered: true, forMs };
}

/** §4.2. Throws RangeError for a window that is none. */
function windowOf({ suggestedWindow, explanationURL }: Readonly<Record<string, unknown>>): Window {
  const { start, end } = { ...(suggestedWindow as { start?: unknown; end?: unknown } | null) };
  const [from, to] = [Date.parse(String(start)), Date.parse(String(end))];
  if (!(from < to)) throw new RangeError('the window has no time in it');
  const page = typeof explanationURL === 'string' && /^https:\/\/[!-~]{1,500}$/.test(explanationURL);
  return { start: from, end: to, explanationUrl: page ? explanationURL : '' };
}

async function readJson(
  url: string,
  { agent, signal }: Way,
): Promise<{ readonly body: Readonly<Record<string, unknown>>; readonly forMs: number }> {
  const { get } = await import('node:https');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { agent, signal }, resolve).on('error', reject);
  const response = await promise;
  if (response.statusCode !== 200) {
    response.destroy();
    throw new RangeError(`${url} answers ${response.statusCode ?? ''}`);
  }
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > mostOctets) throw new RangeError(`${url} answers at too great a length`);
    chunks.push(chunk);
  }
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
  if (typeof body !== 'object' || body === null) throw new RangeError(`${url} answers with no object`);
  return { body: body as Readonly<Record<string, unknown>>, forMs: pauseOf(response.headers['retry-after']) };
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function pauseOf(text: string | undefined): number {
  if (text === undefined) return usualMs;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? usualMs : Math.min(Math.max(ms, leastMs), mostMs);
}
