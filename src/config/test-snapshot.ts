import { type ReceiveConnector, receiveConnector } from './connectors/receive-connector.ts';
import { type SendConnector, sendConnector } from './connectors/send-connector.ts';
import type { Snapshot, SnapshotSource } from './contract.ts';
import { type AcceptedDomain, acceptedDomain } from './organization/accepted-domain.ts';
import { recipientFilterConfig } from './organization/recipient-filter-config.ts';
import { remoteDomain } from './organization/remote-domain.ts';
import { transportConfig } from './organization/transport-config.ts';
import { defaultsOf } from './properties/object-table.ts';
import { transportService } from './servers/transport-service.ts';

/** A snapshot with the defaults of an Edge server and no connector or domain, for tests, which connect faster than the default allows; `overrides` replaces parts. */
export function testSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    usn: 1,
    server: {
      ...defaultsOf(transportService, 'EdgeTransport', 'EDGE1'),
      fqdn: 'edge1.example.net',
      maxConnectionRatePerMinute: 1_000_000,
    },
    organization: { ...defaultsOf(transportConfig), maxReceiveSize: Infinity, maxSendSize: Infinity },
    receiveConnectors: [],
    sendConnectors: [],
    acceptedDomains: [],
    remoteDomains: [{ ...defaultsOf(remoteDomain, 'EdgeTransport', 'Default'), domainName: '*' }],
    recipientFilter: defaultsOf(recipientFilterConfig),
    internalServers: [],
    problems: [],
    ...overrides,
  };
}

/** A receive connector with the defaults of an Edge server, for tests, which send faster than the default allows. */
export function testReceiveConnector(overrides: Partial<ReceiveConnector> = {}): ReceiveConnector {
  return { ...defaultsOf(receiveConnector), messageRateLimit: Infinity, ...overrides };
}

/** A send connector with its defaults, for tests. */
export function testSendConnector(overrides: Partial<SendConnector> = {}): SendConnector {
  return { ...defaultsOf(sendConnector), ...overrides };
}

/** An accepted domain with its defaults, for tests. */
export function testAcceptedDomain(overrides: Partial<AcceptedDomain> = {}): AcceptedDomain {
  return { ...defaultsOf(acceptedDomain), ...overrides };
}

/** A source whose snapshot a test changes by hand. */
export function testSnapshotSource(first: Snapshot = testSnapshot()): SnapshotSource & { set(next: Snapshot): void } {
  const listeners = new Set<(snapshot: Snapshot) => void>();
  let current = first;
  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    set(next) {
      current = next;
      for (const listener of listeners) listener(next);
    },
  };
}
