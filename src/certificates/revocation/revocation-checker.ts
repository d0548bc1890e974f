import { createHash, X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/index.ts';
import {
  findInCrl,
  ocspRequest,
  type RevocationAnswer,
  type RevocationList,
  type RevocationVerdict,
  readCertificate,
  readCrl,
  readOcspResponse,
} from '../../tls/index.ts';
import type { RevocationFetch } from './revocation-fetch.ts';

/** What the checker fetches by; RevocationFetch has this shape. */
export type RevocationSources = Pick<RevocationFetch, 'ocsp' | 'crl'>;

export interface RevocationOptions {
  /** For all certificates of a chain together, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number;
}

/** One link of a chain. */
interface Link {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
}

/** Answers are kept at the most so long, in milliseconds: a revocation is noticed within a day, whatever nextUpdate says. */
const longestSpanMs = 24 * 60 * 60_000;
/** At the least: a responder that gives short-lived answers is not asked for each session. */
const shortestSpanMs = 60_000;
/** Who did not answer is asked again after this time, in milliseconds. */
const askAgainMs = 2 * 60_000;
/**
 * Its issuer lets it run out instead of revoking it (RFC 9608 for the short-lived ones): waiting for an answer would be
 * waiting for ever.
 */
const notRevocable = {
  state: 'good',
  reason: 'it names no place where to ask: its issuer does not revoke it',
} as const;
/** Bounds on what is kept: verdicts, and octets of lists. */
const mostAnswers = 10_000;
const mostListOctets = 32 * 1024 ** 2;
/** Places of one certificate that are tried. */
const mostPlaces = 4;
/** Certificates that are asked about at a time: a flood of clients must not make a flood of questions. */
const mostAtATime = 50;

/** Asks issuers whether certificates were revoked: by OCSP first, then by CRL; never longer than the deadline, answers are kept. */
export class RevocationChecker {
  readonly #sources: RevocationSources;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  /** Their `until` is monotonic here, as that of the lists. */
  readonly #answers = new Map<string, RevocationAnswer>();
  readonly #asking = new Map<string, Promise<RevocationAnswer>>();
  readonly #lists = new Map<string, RevocationList>();
  #listOctets = 0;

  constructor(sources: RevocationSources, clock: Clock, { deadlineMs = 10_000 }: RevocationOptions = {}) {
    this.#sources = sources;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * `path`: DER from the leaf to the trusted anchor, which nobody vouches for. One that is revoked decides; else one that is
   * unknown. Never rejects.
   */
  async check(path: readonly Buffer[]): Promise<RevocationVerdict> {
    const links = linksOf(path);
    if (links === undefined) return { state: 'unknown', reason: 'the chain does not read' };
    const answers = await Promise.all(links.map((link, place) => this.#answerFor(link, place)));
    const decisive =
      answers.find(({ state }) => state === 'revoked') ??
      answers.find(({ state }) => state === 'unknown') ??
      answers[0];
    return decisive === undefined
      ? { state: 'good', reason: 'the certificate itself is trusted here' }
      : { state: decisive.state, reason: decisive.reason };
  }

  async #answerFor(link: Link, place: number): Promise<RevocationVerdict> {
    const key = keyOf(link);
    const kept = this.#answers.get(key);
    if (kept !== undefined && kept.until > this.#clock.monotonic()) return told(kept, link, place);
    const known = this.#asking.get(key);
    if (known === undefined && this.#asking.size >= mostAtATime)
      return { state: 'unknown', reason: `${mostAtATime} certificates are being asked about already` };
    const asking = known ?? this.#ask(link).finally(() => this.#asking.delete(key));
    if (known === undefined) this.#asking.set(key, asking);
    const answer = await asking;
    this.#keep(key, answer);
    return told(answer, link, place);
  }

  #keep(key: string, answer: RevocationAnswer): void {
    this.#answers.delete(key);
    this.#answers.set(key, { ...answer, until: this.#lasting(answer.until) });
    if (this.#answers.size <= mostAnswers) return;
    const oldest = this.#answers.keys().next();
    if (oldest.done !== true) this.#answers.delete(oldest.value);
  }

  /** Never rejects. */
  async #ask({ certificate, issuer }: Link): Promise<RevocationAnswer> {
    const now = this.#clock.now();
    const { ocspUrls, crlUrls, revocable } = readCertificate(certificate.raw);
    if (!revocable) return { ...notRevocable, until: now + longestSpanMs };
    const signal = AbortSignal.timeout(this.#deadlineMs);
    const faults: string[] = [];
    const tries = [
      ...ocspUrls
        .slice(0, mostPlaces)
        .map((url) => [url, () => this.#byOcsp(url, { certificate, issuer }, signal)] as const),
      ...crlUrls
        .slice(0, mostPlaces)
        .map((url) => [url, () => this.#byCrl(url, { certificate, issuer }, crlUrls, signal)] as const),
    ];
    for (const [url, attempt] of tries) {
      try {
        const answer = await attempt();
        const until = Math.min(Math.max(answer.until, now + shortestSpanMs), now + longestSpanMs);
        return { state: answer.state, reason: `${answer.reason} (${url})`, until };
      } catch (error) {
        faults.push(`${url}: ${signal.aborted ? 'no answer in time' : faultText(error)}`);
        if (signal.aborted) break;
      }
    }
    const reason = tries.length === 0 ? 'it names no place that is asked (http: alone)' : faults.join('; ');
    return { state: 'unknown', reason, until: now + askAgainMs };
  }

  async #byOcsp(url: string, link: Link, signal: AbortSignal): Promise<RevocationAnswer> {
    const response = await this.#sources.ocsp(url, ocspRequest(link), signal);
    return readOcspResponse(response, link, this.#clock.now());
  }

  async #byCrl(url: string, link: Link, urls: readonly string[], signal: AbortSignal): Promise<RevocationAnswer> {
    const { certificate, issuer } = link;
    // The same list may be asked for with another issuer of that name: each key has its own.
    const key = `${issuer.fingerprint256} ${url}`;
    const kept = this.#lists.get(key);
    if (kept !== undefined && kept.until > this.#clock.monotonic()) return findInCrl(kept, certificate);
    const der = await this.#sources.crl(url, signal);
    const list = readCrl(der, { issuer, urls, now: this.#clock.now() });
    this.#keepList(key, { ...list, until: this.#lasting(list.until) });
    return findInCrl(list, certificate);
  }

  /** The monotonic time until which something is kept: a clock that was ahead must not make an answer last for days. */
  #lasting(until: number): number {
    return this.#clock.monotonic() + Math.min(until - this.#clock.now(), longestSpanMs);
  }

  #keepList(key: string, list: RevocationList): void {
    this.#listOctets += list.entries.length - (this.#lists.get(key)?.entries.length ?? 0);
    this.#lists.delete(key);
    this.#lists.set(key, list);
    for (const [oldest, { entries }] of this.#lists) {
      if (this.#listOctets <= mostListOctets) break;
      this.#lists.delete(oldest);
      this.#listOctets -= entries.length;
    }
  }
}

/** Undefined for a chain that OpenSSL does not read. */
function linksOf(path: readonly Buffer[]): readonly Link[] | undefined {
  try {
    const certificates = path.map((der) => new X509Certificate(der));
    return certificates.slice(0, -1).flatMap((certificate, i) => {
      const issuer = certificates[i + 1];
      return issuer === undefined ? [] : [{ certificate, issuer }];
    });
  } catch {
    return undefined;
  }
}

function keyOf({ certificate, issuer }: Link): string {
  return createHash('sha256').update(certificate.raw).update(issuer.raw).digest('base64');
}

/** An issuer in the chain is named: the leaf is what everybody means. */
function told({ state, reason }: RevocationVerdict, { certificate }: Link, place: number): RevocationVerdict {
  if (place === 0) return { state, reason };
  return { state, reason: `issuer ${readCertificate(certificate.raw).subjectText}: ${reason}` };
}

function faultText(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
