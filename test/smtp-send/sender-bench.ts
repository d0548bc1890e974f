/** A sender with everything around it that a test may want to look at. */
import { parseIpRange, SessionIds } from '../../src/base/index.ts';
import {
  type SendConnector,
  type Snapshot,
  testSendConnector,
  testSnapshot,
  testSnapshotSource,
} from '../../src/config/index.ts';
import type { DecisionEvent, EventKind, EventOf } from '../../src/logs/index.ts';
import {
  type AddressAnswer,
  DnsError,
  type MailResolver,
  type MxAnswer,
  type MxRecord,
  type PhaseTimeouts,
  type SenderOptions,
  type SenderParts,
  SmtpSender,
} from '../../src/smtp-send/index.ts';
import { turningClock } from '../lib/turning-clock.ts';

/** Every wait of the client is over quickly: hostile peers hang. */
export const quick: PhaseTimeouts = {
  connectMs: 2_000,
  greetingMs: 150,
  helloMs: 150,
  mailMs: 150,
  rcptMs: 150,
  dataMs: 150,
  blockMs: 150,
  finalMs: 150,
  quitMs: 100,
  openingMs: 5_000,
  messageMs: 5_000,
};

/** A DNS of constants. A missing name does not exist. */
export class TableResolver implements MailResolver {
  readonly asked: string[] = [];
  readonly #table: Readonly<Record<string, readonly (MxRecord | string)[] | DnsError>>;

  constructor(table: Readonly<Record<string, readonly (MxRecord | string)[] | DnsError>>) {
    this.#table = table;
  }

  async mx(domain: string): Promise<MxAnswer> {
    this.asked.push(`MX ${domain}`);
    return { records: this.#entry(domain).filter((record) => typeof record !== 'string'), secure: false };
  }

  async addresses(host: string): Promise<AddressAnswer> {
    this.asked.push(`A ${host}`);
    const addresses = this.#entry(host).filter((record) => typeof record === 'string');
    if (addresses.length === 0) throw new DnsError('no-record', `${host} has no address`);
    return { addresses, secure: false, aliases: [] };
  }

  hostAddresses(host: string): Promise<AddressAnswer> {
    return this.addresses(host);
  }

  #entry(name: string): readonly (MxRecord | string)[] {
    const entry = this.#table[name];
    if (entry === undefined) throw new DnsError('no-such-domain', `${name} does not exist`);
    if (entry instanceof DnsError) throw entry;
    return entry;
  }
}

export interface SenderBench {
  readonly sender: SmtpSender;
  readonly events: DecisionEvent[];
  /** What is in force; `set` changes it. */
  readonly snapshots: ReturnType<typeof testSnapshotSource>;
  readonly of: <K extends EventKind>(kind: K) => EventOf<K>[];
}

/** A sender over one connector called 'Outbound' to these smart hosts. */
export function senderBench(
  connector: Partial<SendConnector>,
  options: SenderOptions &
    Pick<SenderParts, 'certificates' | 'forms' | 'outcomes' | 'secrets' | 'dns' | 'authorities' | 'revocation'> & {
      resolver?: MailResolver;
      snapshot?: Partial<Snapshot>;
    } = {},
): SenderBench {
  const events: DecisionEvent[] = [];
  const targetIPRanges = [parseIpRange('127.0.0.0/8')];
  const sendConnectors = [
    testSendConnector({ name: 'Outbound', dnsRoutingEnabled: false, targetIPRanges, ...connector }),
  ];
  const snapshots = testSnapshotSource(testSnapshot({ sendConnectors, ...options.snapshot }));
  const sender = new SmtpSender(
    {
      snapshots,
      resolver: options.resolver ?? new TableResolver({}),
      ...(options.dns !== undefined && { dns: options.dns }),
      ...(options.forms !== undefined && { forms: options.forms }),
      ...(options.certificates !== undefined && { certificates: options.certificates }),
      ...(options.outcomes !== undefined && { outcomes: options.outcomes }),
      ...(options.authorities !== undefined && { authorities: options.authorities }),
      ...(options.revocation !== undefined && { revocation: options.revocation }),
      ...(options.secrets !== undefined && { secrets: options.secrets }),
      journal: { emit: (event) => void events.push(event) },
      sessions: new SessionIds(),
      clock: turningClock,
    },
    { timeouts: quick, idleMs: 50, ...options },
  );
  return {
    sender,
    events,
    snapshots,
    of: <K extends EventKind>(kind: K) => events.filter((event) => event.kind === kind) as unknown as EventOf<K>[],
  };
}
