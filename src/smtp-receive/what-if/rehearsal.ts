import type { Clock } from '../../base/index.ts';
import type { AcceptedDomainTable, InternalServer, ReceiveConnector } from '../../config/index.ts';
import type { DecisionEvent } from '../../logs/index.ts';
import { formatDate } from '../../mail/index.ts';
import { AgentChain } from '../../pipeline/index.ts';
import { replies, SmtpError } from '../../smtp/index.ts';
import { ConnectorProfile } from '../connector/connector-profile.ts';
import { HeldOctets } from '../content/held-octets.ts';
import { MinuteRates } from '../limits/minute-rates.ts';
import { unshared } from '../limits/shared-numbers.ts';
import type { ShownChain } from '../rights/client-certificate.ts';
import type { Principal } from '../rights/principal.ts';
import type { CertificatePicker } from '../session/contract.ts';
import type { OrganizationLimits } from '../session/session-parts.ts';
import { Session } from '../session.ts';

/** Who would connect, and to which connector. */
export interface RehearsalQuestion {
  /** With a rate that no single session reaches: what others have sent is not known. */
  readonly connector: ReceiveConnector;
  readonly serverFqdn: string;
  readonly secureDomains: readonly string[];
  readonly internalServers: readonly InternalServer[];
  readonly domains: AcceptedDomainTable;
  readonly limits: OrganizationLimits;
  readonly localAddress: string;
  readonly remoteAddress: string;
}

export interface RehearsalParts {
  readonly clock: Clock;
  readonly certificates: CertificatePicker;
}

/** One command and what came back. */
export interface CommandAnswer {
  readonly command: string;
  /** All lines, joined with line feeds, as they would go out. */
  readonly reply: string;
  /** Why it was refused; '' when it was not. */
  readonly reason: string;
}

/** One session without a socket and without a queue: it answers as the real one does, up to the content of the message. */
export class Rehearsal {
  readonly #session: Session;
  readonly #events: DecisionEvent[] = [];
  #said = '';

  constructor(question: RehearsalQuestion, { clock, certificates }: RehearsalParts) {
    const { connector, serverFqdn, secureDomains, internalServers, domains, limits, localAddress, remoteAddress } =
      question;
    const open = { ...connector, messageRateLimit: Infinity };
    const profile = new ConnectorProfile(open, serverFqdn, secureDomains, internalServers);
    const origin = {
      limits,
      externalAddress: null,
      ownServers: [],
      id: '',
      profile,
      domains,
      localAddress,
      remoteAddress,
      local: localAddress,
      remote: remoteAddress,
    };
    const nothingTaken = (): never => {
      throw new SmtpError(replies.insufficientResources(''), 'nothing is sent in a test');
    };
    this.#session = new Session(
      origin,
      {
        sink: {
          accepting: { ok: true },
          begin: () => ({ recipient: () => undefined, content: nothingTaken, abort() {} }),
        },
        journal: { emit: (event) => void this.#events.push(event) },
        clock,
        certificates,
        agents: new AgentChain(),
        heldOctets: new HeldOctets(0),
        rates: new MinuteRates(unshared, clock),
        // Somebody to ask, so that AUTH is offered as it would be; nobody is ever asked.
        logons: {
          check: () => Promise.resolve({ kind: 'unavailable' }),
          checkCertificate: () => Promise.resolve({ kind: 'unavailable' }),
        },
        draining: () => false,
        onFault: (error) => {
          throw error;
        },
      },
      {
        write: (text) => {
          this.#said += text;
        },
        startContent() {},
        startChunk() {},
        limitLine() {},
        startTls() {},
        close() {},
        handOver() {},
      },
    );
  }

  get principal(): Principal {
    return this.#session.principal;
  }

  get ended(): boolean {
    return this.#session.ended;
  }

  get secure(): boolean {
    return this.#session.tls !== undefined;
  }

  /** Why no certificate was found, when one was looked for last; undefined: one was, or none was looked for. */
  get withoutCertificate(): string | undefined {
    const last = this.#events.findLast((event) => event.kind === 'certificate-chosen');
    return last?.kind === 'certificate-chosen' && last.thumbprint === '' ? last.reason : undefined;
  }

  async greeting(at: number): Promise<CommandAnswer> {
    return this.#answer('', () => this.#session.greet(formatDate(at)));
  }

  async say(command: string): Promise<CommandAnswer> {
    return this.#answer(command, () => this.#session.takeLine(command));
  }

  /** The handshake is done, and the client showed these certificates. */
  secured(shown: ShownChain): void {
    this.#session.secured(
      { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', standardName: 'TLS_AES_256_GCM_SHA384' },
      shown,
    );
  }

  /** The session has logged on. */
  become(principal: Principal): void {
    this.#session.become(principal);
  }

  async #answer(command: string, step: () => void | Promise<void>): Promise<CommandAnswer> {
    this.#said = '';
    const before = this.#events.length;
    await step();
    const refused = this.#events.slice(before).find((event) => event.kind === 'command-refused');
    return {
      command,
      reply: this.#said.trimEnd().replaceAll('\r\n', '\n'),
      reason: refused?.kind === 'command-refused' ? refused.reason : '',
    };
  }
}
