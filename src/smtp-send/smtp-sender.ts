import { type SecureContext, TLSSocket } from 'node:tls';
import type { Clock, SessionIds } from '../base/index.ts';
import type { Snapshot, SnapshotSource } from '../config/index.ts';
import { TargetCheck, type TargetRules } from '../dns/index.ts';
import type { Journal } from '../logs/index.ts';
import type { ConnectionResult, Deliverer, DeliveryWork } from '../queue/index.ts';
import { startTlsOf, type TlsOutcomes } from '../tls/index.ts';
import { ConnectionLost } from './connection/connection-lost.ts';
import type { OpenConnection } from './connection/connection-opener.ts';
import { HostMemory } from './connection/host-memory.ts';
import { type ClientCertificates, OwnIdentity, type Secrets } from './connection/own-identity.ts';
import { type PeerAuthorities, PeerTrust, type RevocationAsker } from './connection/peer-trust.ts';
import { type PhaseTimeouts, rfcTimeouts, within } from './connection/phase-timeouts.ts';
import { routeOf, type SendRoute } from './connection/send-route.ts';
import { SessionLog } from './connection/session-log.ts';
import type { TlsTrouble } from './connection/tls-troubles.ts';
import { conversionFacts } from './content/fitted-item.ts';
import { Courier, type FormOf } from './courier.ts';
import { type DnsTeller, LoggedResolver } from './dns/logged-resolver.ts';
import { LookupBudget } from './dns/lookup-budget.ts';
import type { MailResolver } from './dns/resolver.ts';
import { NoTarget, type Random, type Target, TargetFinder } from './dns/target-finder.ts';
import { DirectTrust } from './policies/direct-trust.ts';
import { connectorPolicies, type TargetPolicies } from './policies/policy-source.ts';
import type { SendingDns } from './policies/sending-dns.ts';
import { TargetDialer } from './target-dialer.ts';
import { describeTarget, failureReply, lacksRequireTls, takesNoMail } from './transaction/failure-reply.ts';

/** What the sender is made of. */
export interface SenderParts {
  readonly snapshots: SnapshotSource;
  readonly resolver: MailResolver;
  /** For connectors with DANE or MTA-STS; absent: the connector's word alone counts. */
  readonly dns?: SendingDns;
  /** Where questions of that side are told; undefined: nowhere. */
  readonly dnsLog?: (side: 'external' | 'internal') => DnsTeller | undefined;
  /** The forms of content that remote domains ask for now; undefined: none asks for any. */
  readonly forms?: () => FormOf | undefined;
  /** DNS servers that an administrator named for external or for internal lookups; undefined: those of the machine. */
  readonly namedDns?: (external: boolean) => SendingDns | undefined;
  /** Certificates that connectors may show; absent: none. */
  readonly certificates?: ClientCertificates;
  /** Whom next hops' certificates may come from; absent: Node's authorities. */
  readonly authorities?: PeerAuthorities;
  /** Absent: no issuer is asked, and TlsRevocation Require defers. */
  readonly revocation?: RevocationAsker;
  /** Opens sealed passwords; absent: none opens. */
  readonly secrets?: Secrets;
  /** Counts how TLS went, for the reports to recipients' domains; absent: nobody does. */
  readonly outcomes?: TlsOutcomes;
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
/** Targets tried in one delivery at most. */
const mostTargets = 10;

/** Delivers over SMTP to smart hosts or to the mail exchangers of a domain. */
export class SmtpSender implements Deliverer {
  readonly #parts: SenderParts;
  readonly #timeouts: PhaseTimeouts;
  readonly #idleMs: number;
  readonly #random: Random;
  readonly #dialer: TargetDialer;
  readonly #unreachable: HostMemory;

  constructor(parts: SenderParts, options: SenderOptions = {}) {
    this.#parts = parts;
    this.#timeouts = { ...rfcTimeouts, ...options.timeouts };
    this.#idleMs = options.idleMs ?? 5_000;
    this.#random = options.random ?? Math.random;
    this.#unreachable = new HostMemory(parts.clock, unreachableSpanMs);
    this.#dialer = new TargetDialer(
      parts.clock,
      new PeerTrust({
        authorities: parts.authorities,
        revocation: parts.revocation,
        secureContext: options.secureContext,
      }),
      new DirectTrust(policiesBySide(parts)),
      new OwnIdentity(parts.certificates, parts.secrets),
      parts.outcomes,
    );
  }

  /** Destinations that TLS keeps mail from. */
  get tlsTroubles(): readonly TlsTrouble[] {
    return this.#dialer.troubles.current;
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
    const { clock } = this.#parts;
    const until = clock.monotonic() + route.timeouts.openingMs;
    const failures: { readonly reply: string; readonly final: boolean; readonly untrusted: boolean }[] = [];
    for await (const target of this.#targets(route, work, snapshot)) {
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) break;
      const opened = await this.#open(target, { ...route, timeouts: within(route.timeouts, leftMs) }, work, log);
      if (!(opened instanceof ConnectionLost)) return this.#carry(opened, target, { route, snapshot }, work, log);
      if (opened.kind === 'aborted') return { kind: 'failed', reply: '451 4.3.2 The service is stopping' };
      const reply = failureReply(target, opened, failures.length);
      failures.push({ reply, final: takesNoMail(opened), untrusted: lacksRequireTls(opened) });
    }
    const last = failures.at(-1);
    if (last !== undefined && failures.every(({ final }) => final)) {
      throw new NoTarget(true, last.reply.replace(/^\d\d\d \S+/, '521 5.3.2'));
    }
    if (last !== undefined && failures.every(({ untrusted }) => untrusted)) throw new NoTarget(true, last.reply);
    return { kind: 'failed', reply: last?.reply ?? '451 4.4.4 There is no host to send to' };
  }

  /** Hosts that were out of reach a moment ago come last. */
  async *#targets(route: SendRoute, work: DeliveryWork, snapshot: Snapshot): AsyncGenerator<Target, void> {
    const { clock, dns, namedDns } = this.#parts;
    const named = namedDns?.(route.resolvesExternally);
    const secure = route.daneMode !== 'None' || route.messagesTls === 'required';
    const asked = (named ?? (secure ? dns : undefined))?.resolver ?? this.#parts.resolver;
    const tell = this.#parts.dnsLog?.(route.resolvesExternally ? 'external' : 'internal');
    const resolver = tell === undefined ? asked : new LoggedResolver(asked, clock, tell);
    const guard = new TargetCheck(rulesOf(snapshot, route));
    const budget = new LookupBudget(clock, work.signal);
    const finder = new TargetFinder({ resolver, guard, budget, random: this.#random });
    const found =
      route.smartHosts === undefined
        ? finder.exchangers(work.hop.domain, route.port)
        : finder.smartHosts(route.smartHosts, route.port);
    const later: Target[] = [];
    let count = 0;
    for await (const target of found) {
      if (this.#unreachable.has(keyOf(target))) later.push(target);
      else if (count++ < mostTargets) yield target;
      else break;
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
      const opened = await this.#dialer.dial(target, route, log, work.signal);
      this.#unreachable.forget(keyOf(target));
      return opened;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      if (error.kind === 'aborted') return error;
      this.#unreachable.remember(keyOf(target));
      const at = error.step === '' ? '' : ` at ${error.step}`;
      const reason = error.reply === undefined ? error.message : `${error.message}: "${error.reply}"`;
      log.tell('connection-failed', { hop: work.hop.key, host: describeTarget(target), reason: `${reason}${at}` });
      return error;
    }
  }

  async #carry(
    opened: OpenConnection,
    target: Target,
    { route, snapshot }: { readonly route: SendRoute; readonly snapshot: Snapshot },
    work: DeliveryWork,
    log: SessionLog,
  ): Promise<ConnectionResult> {
    const { connection, local, remote } = opened;
    const { key } = work.hop;
    log.tell('connection-opened', { hop: key, host: target.host, remote, local });
    const courier = new Courier(connection, {
      idleMs: this.#idleMs,
      maxMessages: route.maxMessages,
      remote: describeTarget(target),
      forbiddenFields: (opened.isInternal === true ? route.internalFields : undefined) ?? route.forbiddenFields,
      crossesPremises: route.crossesPremises,
      formOf: this.#parts.forms?.(),
      mayGoOn: () => isSameWay(snapshot, this.#parts.snapshots.current, route.connector),
      organization: route.organization,
      onChange: (item, changes) =>
        log.tell('content-converted', conversionFacts(target.host, changes), item.message.id),
      mayStartTls: startTlsOf({ demands: [route.tls] }) === 'when-offered' && !(connection.socket instanceof TLSSocket),
    });
    const { messages, tried, bytes, loss, wantsTls } = await courier.carry(work);
    if (wantsTls) this.#dialer.demandTls(target);
    opened.ended(loss?.message ?? '');
    log.tell('connection-closed', { hop: key, host: target.host, messages, bytes });
    if (loss === undefined || messages > 0 || !tried || loss.kind === 'aborted') return { kind: 'done' };
    log.tell('connection-failed', { hop: key, host: describeTarget(target), reason: loss.message });
    return { kind: 'failed', reply: failureReply(target, loss, 0) };
  }
}

/** Whether a connection that was opened under one configuration may still be used under another. Nearly always they are one object. */
function isSameWay(before: Snapshot, now: Snapshot, connector: string): boolean {
  if (before === now) return true;
  const find = ({ sendConnectors }: Snapshot) => sendConnectors.find(({ name }) => name === connector);
  return find(before) === find(now) && before.internalServers.every((one, i) => one === now.internalServers[i]);
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

/** What the DNS may lead to. */
function rulesOf({ server, receiveConnectors }: Snapshot, route: SendRoute): TargetRules {
  return {
    names: new Set([server.fqdn.toLowerCase(), route.helloName.toLowerCase()]),
    bindings: receiveConnectors.filter(({ enabled }) => enabled).flatMap((connector) => connector.bindings),
    allowed: route.targetRanges,
    refusePrivate: route.resolvesExternally,
  };
}

/** What is asked of the DNS for a target is asked of the servers that its connector uses. */
function policiesBySide({ dns, namedDns }: Pick<SenderParts, 'dns' | 'namedDns'>): TargetPolicies {
  if (namedDns === undefined) return dns?.policies ?? connectorPolicies;
  return {
    policyOf: (target, route, signal) => {
      const policies = (namedDns(route.resolvesExternally) ?? dns)?.policies ?? connectorPolicies;
      return policies.policyOf(target, route, signal);
    },
    doubt(target) {
      for (const one of [dns, namedDns(true), namedDns(false)]) one?.policies.doubt(target);
    },
  };
}
