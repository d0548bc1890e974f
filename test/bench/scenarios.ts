/** The loads that relays are compared with, and the configuration that makes an appliance relay to the sink. */
import type { Load } from './drive.ts';

export interface Scenario {
  readonly name: string;
  readonly load: Omit<Load, 'seconds'>;
  /** What the figure is: messages or megabytes per second. */
  readonly figure: 'deliveredPerSecond' | 'deliveredMegabytesPerSecond';
  /** The ratio to Postfix that the product promises. */
  readonly goal: number;
  /** Goal for the ratio of CPU seconds, where there is one. */
  readonly cpuGoal?: number;
  /** Goal for the ratio of the 99th percentile of the time to 250, where there is one. */
  readonly latencyGoal?: number;
}

export const perSecond = 'deliveredPerSecond';
export const scenarios: readonly Scenario[] = [
  {
    name: '1 session, new connection per message',
    load: { sessions: 1, perConnection: 1, size: 4096, recipients: 1 },
    figure: perSecond,
    goal: 1.2,
  },
  {
    name: '20 sessions, new connection per message',
    load: { sessions: 20, perConnection: 1, size: 4096, recipients: 1 },
    figure: perSecond,
    goal: 3,
  },
  {
    name: '100 sessions, new connection per message',
    load: { sessions: 100, perConnection: 1, size: 4096, recipients: 1 },
    figure: perSecond,
    goal: 3,
  },
  {
    name: '20 sessions, connections kept',
    load: { sessions: 20, perConnection: Infinity, size: 4096, recipients: 1 },
    figure: perSecond,
    goal: 6,
    cpuGoal: 0.15,
  },
  {
    name: '100 sessions, connections kept',
    load: { sessions: 100, perConnection: Infinity, size: 4096, recipients: 1 },
    figure: perSecond,
    goal: 6,
    latencyGoal: 0.5,
  },
  {
    name: '20 sessions kept, 20 recipients',
    load: { sessions: 20, perConnection: Infinity, size: 4096, recipients: 20 },
    figure: perSecond,
    goal: 6,
  },
  {
    name: '4 sessions kept, 10 MB',
    load: { sessions: 4, perConnection: Infinity, size: 10_000_000, recipients: 1 },
    figure: 'deliveredMegabytesPerSecond',
    goal: 1.5,
  },
];

/** Management-shell lines for an appliance that takes mail for rcpt.test and relays it to the sink. */
export const relayLines = (sinkPort: number): string[] => [
  'Set-ReceiveConnector "Default internal receive connector $server" -MaxMessageSize 100MB -MaxInboundConnection Unlimited',
  'New-AcceptedDomain -Name Bench -DomainName rcpt.test -DomainType Authoritative',
  `New-SendConnector -Name Bench -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${sinkPort} -MaxMessageSize Unlimited`,
];
