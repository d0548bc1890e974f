/** Takes TLS reports of others out of the mail that is received: what comes to one address is read, kept, and delivered as any mail. */
import type { Clock } from '../base/index.ts';
import type { DnsAsker } from '../dns/index.ts';
import type { AgentAction, ContentReader, EndOfDataArgs, MessageChanges, ReceiveAgent } from '../pipeline/index.ts';
import { readReceivedReport } from './received-report.ts';
import type { KeptReport } from './report-files.ts';
import { judgeSignature } from './report-signature.ts';

export interface ReportAgentParts {
  readonly clock: Clock;
  /** Tells the keys of those who sign. */
  readonly dns: DnsAsker;
  /** Keeps a report that was read. */
  readonly keep: (report: KeptReport) => Promise<void>;
  /** Hears of a report that could not be kept. */
  readonly failed: (error: unknown) => void;
}

/** Behind everything that may refuse the message. */
const priority = 30;
/** Octets of a mail, and of a report when it is unpacked: large domains send some KB. */
const mostMailOctets = 1024 ** 2;
const mostOctets = 4 * 1024 ** 2;
/** Octets of all mails that are being read; what comes beyond is delivered unread. */
const mostHeld = 8 * 1024 ** 2;

const pass: AgentAction<MessageChanges> = { kind: 'continue' };

/** `mailbox`: the address that `_smtp._tls` records name. */
export function tlsReportAgent(mailbox: string, parts: ReportAgentParts): ReceiveAgent {
  const wanted = mailbox.toLowerCase();
  const held = { octets: 0 };
  return {
    name: 'TLS Report Agent',
    priority,
    readContent: ({ envelope, header }) =>
      envelope.recipients.some(({ address }) => address.toLowerCase() === wanted)
        ? new ReportReader(header, held, parts)
        : undefined,
  };
}

class ReportReader implements ContentReader {
  readonly #held: { octets: number };
  readonly #parts: ReportAgentParts;
  #chunks: Buffer[] = [];
  #octets = 0;
  #tooLarge = false;

  constructor(header: Buffer, held: { octets: number }, parts: ReportAgentParts) {
    this.#held = held;
    this.#parts = parts;
    this.write(header);
  }

  write(chunk: Buffer): void {
    if (this.#tooLarge) return;
    this.#octets += chunk.length;
    this.#held.octets += chunk.length;
    this.#chunks.push(Buffer.from(chunk));
    if (this.#octets <= mostMailOctets && this.#held.octets <= mostHeld) return;
    this.#tooLarge = true;
    this.abort();
  }

  async end({ envelope }: EndOfDataArgs): Promise<AgentAction<MessageChanges>> {
    try {
      if (!this.#tooLarge) await this.#read(Buffer.concat(this.#chunks), envelope.from);
    } catch (error) {
      // Other mail comes to the address as well: it is no report, and goes its way.
      if (!(error instanceof RangeError)) this.#parts.failed(error);
    } finally {
      this.abort();
    }
    return pass;
  }

  async #read(mail: Buffer, from: string): Promise<void> {
    const report = readReceivedReport(mail, mostOctets);
    const { clock, dns, keep } = this.#parts;
    await keep({ receivedAt: clock.now(), from, report, signature: await judgeSignature(mail, dns) });
  }

  abort(): void {
    this.#held.octets -= this.#octets;
    this.#octets = 0;
    this.#chunks = [];
  }
}
