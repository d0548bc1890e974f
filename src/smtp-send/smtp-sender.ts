import { networkInterfaces } from 'node:os';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock, SessionIds } from '../base/index.ts';
import type { Snapshot, SnapshotSource } from '../config/index.ts';
import type { Journal } from '../logs/index.ts';
import type { ConnectionResult, Deliverer, DeliveryWork } from '../queue/index.ts';
import { ConnectionLost, type LossKind } from './connection-lost.ts';
import { ConnectionOpener, type OpenConnection } from './connection-opener.ts';
import { Courier } from './courier.ts';
import { HostMemory } from './host-memory.ts';
import { type PhaseTimeouts, rfcTimeouts } from './phase-timeouts.ts';
import type { MailResolver } from './resolver.ts';
import { routeOf, type SendRoute } from './send-route.ts';
import { SessionLog } from './session-log.ts';
import { NoTarget, type Random, type Self, type Target, TargetFinder } from './target-finder.ts';

/** What the sender is made of. */
export interface SenderParts {
  readonly snapshots: SnapshotSource;
  readonly resolver: MailResolver;
  readonly journal: Journal;
  readonly sessions: SessionIds;
  readonly clock: Clock;
}

export interface SenderOptions {
  /** Deadlines that differ from RFC 5321's, in milliseconds. */
  readonly timeouts?: Partial<PhaseTimeouts>;
  /** How long a connection without work is kept, in milliseconds. Default 5,000. */
  readonly idleMs?: number;
  /** Trusted authorities, client certificate. Default: the authorities of Node, no client certificate. */
  readonly secureContext?: SecureContext;
  /** Chooses among equals. Default Math.random. */
  readonly random?: Random;
}

/** How long a host that could not be reached is tried after the others, in milliseconds. */
const unreachableSpanMs = 60_000;
/** Targets tried in one delivery at most: with a deadline for each, a delivery must end some time. */
const mostTargets = 10;

/** Delivers over SMTP to smart hosts or to the mail exchangers of a domain. */
export class SmtpSender implements Deliverer {
  readonly #parts: SenderParts;
  readonly #timeouts: PhaseTimeouts;
  readonly #idleMs: number;
  readonly #random: Random;
  readonly #opener: ConnectionOpener;
  readonly #unreachable: HostMemory;

  constructor(parts: SenderParts, options: SenderOptions = {}) {
    this.#parts = parts;
    this.#timeouts = { ...rfcTimeouts, ...options.timeouts };
    this.#idleMs = options.idleMs ?? 5_000;
    this.#random = options.random ?? Math.random;
    this.#unreachable = new HostMemory(parts.clock, unreachableSpanMs);
    this.#opener = new ConnectionOpener(parts.clock, {
      secureContext: options.secureContext ?? createSecureContext(),
      // Judged after the handshake, by the level that the connector demands.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
  }

  async deliver(work: DeliveryWork): Promise<ConnectionResult> {
    const { current } = this.#parts.snapshots;
    const route = routeOf(work.hop, current, this.#timeouts);
    if (route === undefined) {
      return { kind: 'failed', reply: `451 4.4.4 The send connector '${work.hop.connector}' is not there or disabled` };
    }
    const log = new SessionLog(this.#parts.journal, this.#parts.clock, this.#parts.sessions.next());
    try {
      return await this.#deliver(work, route, current, log);
    } catch (error) {
      if (!(error instanceof NoTarget)) throw error;
      log.tell('connection-failed', { hop: work.hop.key, host: work.hop.domain, reason: error.reply });
      if (!error.permanent) return { kind: 'failed', reply: error.reply };
      if (route.downgradeDnsFailures) return { kind: 'failed', reply: error.reply.replace(/^5\d\d 5/, '451 4') };
      await failAll(work, error.reply);
      return { kind: 'done' };
    }
  }

  async #deliver(work: DeliveryWork, route: SendRoute, snapshot: Snapshot, log: SessionLog): Promise<ConnectionResult> {
    const failures: string[] = [];
    for await (const target of this.#targets(route, work, snapshot)) {
      const opened = await this.#open(target, route, work, log);
      if (!(opened instanceof ConnectionLost)) return this.#carry(opened, target, route, work, log);
      if (opened.kind === 'aborted') return { kind: 'failed', reply: '451 4.3.2 The service is stopping' };
      failures.push(failureReply(target, opened, failures.length));
    }
    return { kind: 'failed', reply: failures.at(-1) ?? '451 4.4.4 There is no host to send to' };
  }

  /** Hosts that were out of reach a moment ago come last. */
  async *#targets(route: SendRoute, work: DeliveryWork, snapshot: Snapshot): AsyncGenerator<Target, void> {
    const self = selfOf(snapshot, route.helloName);
    const finder = new TargetFinder({ resolver: this.#parts.resolver, self, random: this.#random }, work.signal);
    const found =
      route.smartHosts === undefined
        ? finder.exchangers(work.hop.domain, route.port)
        : finder.smartHosts(route.smartHosts, route.port);
    const later: Target[] = [];
    let count = 0;
    for await (const target of found) {
      if (this.#unreachable.has(keyOf(target))) later.push(target);
      else if (count++ < mostTargets) yield target;
    }
    for (const target of later) if (count++ < mostTargets) yield target;
  }

  async #open(
    target: Target,
    route: SendRoute,
    work: DeliveryWork,
    log: SessionLog,
  ): Promise<OpenConnection | ConnectionLost> {
    try {
      const opened = await this.#opener.open(target, route, log, work.signal);
      this.#unreachable.forget(keyOf(target));
      return opened;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      if (error.kind === 'aborted') return error;
      this.#unreachable.remember(keyOf(target));
      const reason = error.reply === undefined ? error.message : `${error.message}: "${error.reply}"`;
      log.tell('connection-failed', { hop: work.hop.key, host: describe(target), reason });
      return error;
    }
  }

  async #carry(
    opened: OpenConnection,
    target: Target,
    route: SendRoute,
    work: DeliveryWork,
    log: SessionLog,
  ): Promise<ConnectionResult> {
    const { connection, local, remote } = opened;
    const { key } = work.hop;
    log.tell('connection-opened', { hop: key, host: target.host, remote, local });
    const courier = new Courier(connection, {
      idleMs: this.#idleMs,
      maxMessages: route.maxMessages,
      remote: describe(target),
    });
    const { messages, tried, bytes, loss } = await courier.carry(work);
    opened.ended(loss?.message ?? '');
    log.tell('connection-closed', { hop: key, host: target.host, messages, bytes });
    if (loss === undefined || messages > 0 || !tried || loss.kind === 'aborted') return { kind: 'done' };
    log.tell('connection-failed', { hop: key, host: describe(target), reason: loss.message });
    return { kind: 'failed', reply: failureReply(target, loss, 0) };
  }
}

/** No host will ever take what waits for this next hop. */
async function failAll(work: DeliveryWork, reply: string): Promise<void> {
  for (let item = await work.next(0); item !== undefined; item = await work.next(0)) {
    item.settle(
      item.recipients.map(() => ({ kind: 'failed', reply })),
      '',
    );
  }
}

function keyOf({ address, port }: Target): string {
  return `${address}:${port}`;
}

/** 'host [ip]:port' */
function describe({ host, address, port }: Target): string {
  return host.startsWith('[') ? `${host}:${port}` : `${host} [${address}]:${port}`;
}

/** Status codes of connections that came to nothing. */
const lossCodes: Readonly<Record<LossKind, string>> = {
  closed: '441 4.4.1',
  timeout: '441 4.4.1',
  tls: '451 4.7.5',
  refused: '451 4.4.0',
  protocol: '451 4.5.0',
  aborted: '451 4.4.2',
};

/** LastError of the queue, in Exchange's spirit: which host, what it said, whether others were tried. */
function failureReply(target: Target, loss: ConnectionLost, before: number): string {
  const others = before === 0 ? '' : ` (${before} other host${before === 1 ? '' : 's'} failed before)`;
  const words = loss.reply === undefined ? '' : `"${loss.reply}"`;
  if (loss.kind === 'refused')
    return `${lossCodes.refused} The next hop ${describe(target)} answered: ${words}${others}`;
  const why = words === '' ? loss.message : `${loss.message}: ${words}`;
  return `${lossCodes[loss.kind]} No usable connection to the next hop ${describe(target)}: ${why}${others}`;
}

/** Our names, and the endpoints where our own receive connectors listen. */
function selfOf({ server, receiveConnectors }: Snapshot, helloName: string): Self {
  const names = new Set([server.fqdn.toLowerCase(), helloName.toLowerCase()]);
  const bindings = receiveConnectors.filter(({ enabled }) => enabled).flatMap((connector) => connector.bindings);
  return {
    isName: (host) => names.has(host.toLowerCase()),
    isEndpoint: (address, port) =>
      bindings.some((binding) => {
        if (binding.port !== port) return false;
        return binding.address === address || (isWildcard(binding.address) && isLocal(address));
      }),
  };
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function isLocal(address: string): boolean {
  if (address.startsWith('127.') || address === '::1') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address));
}
