import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Clock, FaultReport } from '../base/index.ts';
import { type DnsAsker, DnsFailure, txtTexts } from '../dns/index.ts';
import { utcDay } from './day-counts.ts';
import { mailAddressOf, mergeCounts, reportDestinations, reportText } from './report.ts';
import type { ReportFiles, ReportRecord, Submission } from './report-files.ts';
import { reportMail, type SigningKey, signedMail } from './report-mail.ts';
import { postReport, type WebAddresses } from './report-post.ts';

const minuteMs = 60_000;
/** After midnight the other workers write what they counted last. */
const settleMs = 10 * minuteMs;
/** RFC 8460 §4.1: a delay of up to four hours, so that not everybody reports at midnight. */
const jitterMs = 4 * 60 * minuteMs;
const retryMs = 60 * minuteMs;

/** A time that none of these intervals can have made comes from a clock that was ahead. */
const isDue = ({ due }: ReportRecord, now: number): boolean => due <= now || due > now + Math.max(jitterMs, retryMs);
/** Then it is given up: §4.1 asks for a day. */
const mostAttempts = 24;

export interface CourierSettings {
  /** Sender and contact; undefined: no reports. */
  readonly contact: string | undefined;
  readonly selector: string;
  readonly fqdn: string;
}

export interface CourierParts {
  readonly files: ReportFiles;
  readonly dns: DnsAsker;
  readonly webAddresses: WebAddresses;
  /** Puts a message into the queue; it may go in spite of the TLS policy of the domain. */
  readonly submit: (content: Buffer, from: string, to: string) => Promise<void>;
  /** PEM of the key that signs. */
  readonly signingKey: () => Promise<string>;
  readonly settings: () => CourierSettings;
  readonly faults: FaultReport;
  readonly clock: Clock;
  /** 0 to 1; default Math.random. */
  readonly random?: () => number;
}

const fault = 'TLS reports';

/** Makes one report for each UTC day and domain of what all workers counted, and sends it. One worker of a server has it. */
export class ReportCourier implements AsyncDisposable {
  readonly #parts: CourierParts;
  readonly #stopped = new AbortController();
  #timer: { cancel(): void } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#stopped.signal.aborted) return;
    this.#timer = this.#parts.clock.after(minuteMs, () => {
      this.#running = this.look().finally(() => this.start());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#timer?.cancel();
    await this.#running;
  }

  /** Does what is due now. Never rejects. */
  async look(): Promise<void> {
    const { files, clock, faults } = this.#parts;
    try {
      await this.#makeReports();
      for (const record of files.waiting())
        if (isDue(record, clock.now()) && !this.#stopped.signal.aborted) await this.#send(record);
      await files.sweep(clock.now());
      faults.end(fault);
    } catch (error) {
      faults.begin(fault, `TLS reports cannot be made or sent: ${(error as Error).message}`);
    }
  }

  async #makeReports(): Promise<void> {
    const { files, clock, settings, random = Math.random } = this.#parts;
    const { contact, fqdn } = settings();
    const over = utcDay(clock.now() - settleMs);
    for (const [day, names] of await files.countedDays()) {
      if (day >= over) continue;
      for (const [domain, counts] of mergeCounts(files.readCounts(names))) {
        if (contact === undefined) continue;
        const id = `${day}T${randomUUID()}@${fqdn}`;
        const organization = domainOf(contact);
        const report = reportText({ organization, contact, id, domain, day }, counts);
        const due = clock.now() + Math.floor(random() * jitterMs);
        await files.add({ domain, day, id, report, due, attempts: 0, submissions: [] });
      }
      await files.forget(names);
    }
  }

  async #send(record: ReportRecord): Promise<void> {
    const { files, clock } = this.#parts;
    const attempts = record.attempts + 1;
    const uris = await this.#destinations(record.domain);
    const submissions: Submission[] = [];
    for (const uri of uris ?? []) {
      const before = record.submissions.find((one) => one.uri === uri && one.fault === '');
      submissions.push(before ?? { uri, fault: await this.#submit(uri, record) });
    }
    const open = uris === undefined || submissions.some((one) => one.fault !== '');
    if (open && attempts < mostAttempts) {
      return files.update({ ...record, attempts, submissions, due: clock.now() + retryMs });
    }
    await files.finish({ ...record, attempts, submissions, sentAt: clock.now() });
  }

  /** Undefined: the DNS gave no answer. */
  async #destinations(domain: string): Promise<readonly string[] | undefined> {
    try {
      return reportDestinations(
        txtTexts(await this.#parts.dns.ask(`_smtp._tls.${domain}`, 'TXT', this.#stopped.signal)),
      );
    } catch (error) {
      if (error instanceof DnsFailure || this.#stopped.signal.aborted) return undefined;
      throw error;
    }
  }

  async #submit(uri: string, record: ReportRecord): Promise<string> {
    const report = gzipSync(record.report);
    if (/^https:/i.test(uri)) return postReport(uri, report, this.#parts.webAddresses, this.#stopped.signal);
    const to = mailAddressOf(uri);
    if (to === undefined) return 'it is no mail address';
    try {
      await this.#mail(to, report, record);
      return '';
    } catch (error) {
      return `the mail could not be made: ${(error as Error).message}`;
    }
  }

  async #mail(to: string, report: Buffer, { domain, day, id }: ReportRecord): Promise<void> {
    const { settings, signingKey, submit, clock } = this.#parts;
    const { contact, selector } = settings();
    if (contact === undefined) throw new Error('TlsReportContact is not set');
    const begin = Date.parse(`${day}T00:00:00Z`) / 1_000;
    const fileName = `${domainOf(contact)}!${domain}!${begin}!${begin + 86_399}.json.gz`;
    const text = reportMail({ from: contact, to, domain, day, id, fileName, report, now: clock.now() });
    const key: SigningKey = { domain: domainOf(contact), selector, privateKey: await signingKey() };
    await submit(await signedMail(text, key), contact, to);
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
