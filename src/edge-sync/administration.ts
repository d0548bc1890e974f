/** EdgeSync for the cmdlets of one server, whether its service runs or not. */
import { X509Certificate } from 'node:crypto';
import { keyDigest } from '../base/index.ts';
import { EdgeSubscription, type EdgeSubscriptionParts, type SubscriptionState } from './edge/edge-subscription.ts';
import { presentedCertificate } from './edge/presented-certificate.ts';
import { type ConfigurationKind, containers, transportSettings } from './inside/configuration.ts';
import type { EdgeComparison, TestOptions } from './inside/dry-run.ts';
import type { EdgeSync } from './inside/edge-sync.ts';
import type { Subscription } from './inside/inside-state.ts';
import type { OrganizationPrincipal } from './inside/organization-principals.ts';
import { type ServiceConfig, serviceConfigOf, withServiceConfig } from './inside/service-config.ts';
import { SyncService } from './inside/sync-service.ts';
import { isNews, outcomeOf } from './inside/synchronization.ts';
import { edgeLines, insideLines } from './status-lines.ts';

/** A subscription with named facts, as it is shown. */
export interface SubscriptionView {
  readonly name: string;
  readonly site: string;
  readonly domain: string;
  readonly facts: readonly (readonly [name: string, value: string | number | boolean | Date | null])[];
}

export interface EdgeSideOptions extends EdgeSubscriptionParts {
  readonly fqdn: () => string;
  readonly sslPort: () => number;
  readonly version: string;
  /** PEM of the certificate that LDAPS presents. */
  readonly certificate: () => string;
  /** PEM of all certificates of this server. */
  readonly certificates: () => readonly string[];
  /** Removes the key of the address hashes. */
  readonly forgetKey: () => Promise<void>;
}

const domainOf = (fqdn: string): string => fqdn.split('.').slice(1).join('.');

/** On an edge. */
export class EdgeSideCmdlets {
  readonly kind = 'edge';
  readonly #options: EdgeSideOptions;
  readonly #subscription: EdgeSubscription;

  constructor(options: EdgeSideOptions) {
    this.#options = options;
    this.#subscription = new EdgeSubscription(options);
  }

  /** Once the inside has used the file: until then the configuration is the administrator's. */
  get subscribed(): boolean {
    return this.#subscription.accounts.length > 0;
  }

  issue(durationMs: number): Promise<Buffer> {
    const { fqdn, sslPort, version } = this.#options;
    return this.#subscription.issue({
      fqdn: fqdn(),
      // What LDAPS shows now: the inside will look for this one.
      certificate: new X509Certificate(this.#presented).raw,
      sslPort: sslPort(),
      durationMs,
      serialNumber: version,
      productId: '',
      keys: this.#options.certificates().map((pem) => keyDigest(new X509Certificate(pem))),
    });
  }

  async list(): Promise<readonly SubscriptionView[]> {
    const { state } = this.#subscription;
    if (state === undefined) return [];
    const { place, fqdn } = this.#options;
    const key = keyDigest(new X509Certificate(this.#presented));
    return [{ name: place.serverName, site: state.site, domain: domainOf(fqdn()), facts: factsOf(state, key) }];
  }

  /** PEM of the certificate that LDAPS shows. */
  get #presented(): string {
    const { certificate, certificates } = this.#options;
    const meant = { chainPem: certificate() };
    const all = certificates().map((chainPem) => ({ chainPem }));
    return (presentedCertificate(meant, all, this.#subscription.state?.pinnedKeys ?? []) ?? meant).chainPem;
  }

  /** For `edge status`; `validates`: unknown recipients are refused. */
  status(validates: boolean): { readonly lines: readonly string[]; readonly faults: readonly string[] } {
    const { lines, fault } = edgeLines(this.#subscription.state, validates, this.#options.clock.now());
    return { lines, faults: fault === undefined ? [] : [fault] };
  }

  async remove(): Promise<void> {
    await this.#subscription.remove();
    await this.#options.forgetKey();
  }
}

function factsOf(state: SubscriptionState, key: string): SubscriptionView['facts'] {
  return [
    ['Subscribed', state.accounts.length > 0],
    ['BootstrapAccountPending', state.bootstrapPending],
    [
      'Accounts',
      state.accounts
        .map(
          ({ name, expires }) => `${name}${expires === undefined ? '' : ` until ${new Date(expires).toISOString()}`}`,
        )
        .join(', '),
    ],
    ['LeaseHolder', state.leaseHolder],
    ['LastSynchronizedUtc', state.lastRun === undefined ? null : new Date(state.lastRun)],
    ['Recipients', state.recipients],
    ['KeyPin', key],
    ['PinnedKeys', state.pinnedKeys.join(', ')],
  ];
}

export interface InsideServiceLog {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
}

/** Inside. */
export class InsideCmdlets {
  readonly kind = 'inside';
  readonly #edgeSync: EdgeSync;

  constructor(edgeSync: EdgeSync) {
    this.#edgeSync = edgeSync;
  }

  /** EdgeSync as a service of this server, while anything is subscribed. Resolves when the signal aborts. */
  serve(log: InsideServiceLog, signal: AbortSignal): Promise<void> {
    const edgeSync = this.#edgeSync;
    return new SyncService({
      edgeSync,
      exclusive: () => edgeSync.state.turn(),
      ran: (edges) => {
        for (const result of edges.filter(isNews)) {
          const { edge, stopped, eventId } = result;
          const facts = { edge, ...(eventId !== undefined && { source: 'MSExchange EdgeSync', eventId }) };
          log[stopped === undefined ? 'info' : 'warn'](facts, `EdgeSync: ${outcomeOf(result)}`);
        }
      },
      failed: (reason) => log.warn({}, `EdgeSync: ${reason}`),
    }).run(signal);
  }

  async subscribe(
    file: Buffer,
    { site, internet, inbound }: { readonly site: string; readonly internet: boolean; readonly inbound: boolean },
  ): Promise<SubscriptionView> {
    using _lock = await this.#edgeSync.state.turn();
    const options = { site, createInternetSendConnector: internet, createInboundSendConnector: inbound };
    return viewOf(await this.#edgeSync.subscribe(file, options));
  }

  async list(): Promise<readonly SubscriptionView[]> {
    return this.#edgeSync.state.subscriptions.map(viewOf);
  }

  status(): { readonly lines: readonly string[]; readonly faults: readonly string[] } {
    return insideLines(this.#edgeSync.state.subscriptions, Date.now());
  }

  async remove(name: string): Promise<void> {
    using _lock = await this.#edgeSync.state.turn();
    await this.#edgeSync.unsubscribe(name);
  }

  async synchronize({
    target,
    full,
    force,
    signal,
  }: {
    readonly target: string | undefined;
    readonly full: boolean;
    readonly force: boolean;
    readonly signal: AbortSignal;
  }) {
    using _lock = await this.#edgeSync.state.turn();
    const { edges } = await this.#edgeSync.apply({
      ...(target === undefined ? {} : { only: target }),
      full,
      force,
      signal,
    });
    return edges.flatMap(({ edge, configuration, recipients, scanned, stopped }) => {
      const failure = stopped ?? '';
      const result =
        stopped === undefined
          ? ('Success' as const)
          : recipients === undefined
            ? ('CouldNotConnect' as const)
            : ('Stopped' as const);
      const { added = 0, deleted = 0, updated = 0 } = recipients ?? {};
      return [
        {
          edge,
          type: 'Configuration' as const,
          result,
          failure,
          added: configuration,
          deleted: 0,
          updated: 0,
          scanned: configuration,
        },
        { edge, type: 'Recipients' as const, result, failure, added, deleted, updated, scanned },
      ];
    });
  }

  async test(
    options: Omit<TestOptions, 'signal'> & { readonly target: string | undefined; readonly signal: AbortSignal },
  ): Promise<readonly SubscriptionView[]> {
    const { state } = this.#edgeSync;
    const { target } = options;
    const meant = target === undefined ? state.subscriptions : [state.subscription(target)];
    const views: SubscriptionView[] = [];
    for (const subscription of meant) {
      const comparison = await this.#edgeSync.test(subscription.name, options);
      views.push({ ...viewOf(subscription), facts: comparisonFacts(subscription, comparison) });
    }
    return views;
  }

  async serviceConfigs() {
    const { settings, subscriptions } = this.#edgeSync.state;
    const own = settings.services ?? [];
    const sites = new Map([...subscriptions, ...own].map(({ site }) => [site.toLowerCase(), site] as const));
    return [...sites].map(([key, site]) => ({
      ...serviceConfigOf(settings, site),
      isOwn: own.some((one) => one.site.toLowerCase() === key),
    }));
  }

  async setServiceConfig(site: string, changes: Partial<Omit<ServiceConfig, 'site'>>) {
    const { state } = this.#edgeSync;
    using _lock = await state.turn();
    const { settings } = state;
    const known = serviceConfigOf(settings, site);
    const config: ServiceConfig = { ...known, ...changes };
    await state.saveSettings(withServiceConfig(settings, config));
    return { ...config, isOwn: true };
  }

  verify(address: string) {
    return this.#edgeSync.preview(address);
  }

  /** All that a name or a SID may mean; undefined: no directory is named here. */
  async principals(nameOrSid: string): Promise<readonly OrganizationPrincipal[] | undefined> {
    const { principals, state } = this.#edgeSync;
    return state.hasSource ? principals.find(nameOrSid) : undefined;
  }

  /** Names by SID, of those that have one. */
  async principalNames(sids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { principals, state } = this.#edgeSync;
    return state.hasSource && sids.length > 0 ? principals.names(sids) : new Map();
  }
}

/** Named as Exchange's Test-EdgeSynchronization names them. */
function comparisonFacts(
  { credential, next }: Subscription,
  { scanned, differing, ids, configuration, at }: EdgeComparison,
): SubscriptionView['facts'] {
  const status = (count: number | undefined): string =>
    count === undefined ? 'Skipped' : count === 0 ? 'Synchronized' : 'NotSynchronized';
  const of = (kind: ConfigurationKind): string => {
    const container = containers[kind].path.toLowerCase();
    return status(configuration.filter((dn) => dn.toLowerCase().includes(`,${container},`)).length);
  };
  const settings = configuration.filter((dn) => dn.toLowerCase().startsWith(transportSettings.path.toLowerCase()));
  return [
    ['SyncStatus', configuration.length + (differing ?? 0) === 0 ? 'Normal' : 'NotSynchronized'],
    ['UtcNow', new Date()],
    ['FailureDetail', ids.length === 0 ? '' : `recipients that differ: ${ids.join(', ')}`],
    ['LastSynchronizedUtc', at === undefined ? null : new Date(at)],
    ['TransportConfigStatus', status(settings.length)],
    ['AcceptedDomainStatus', of('acceptedDomain')],
    ['RemoteDomainStatus', of('remoteDomain')],
    ['SendConnectorStatus', of('sendConnector')],
    ['RecipientStatus', status(differing)],
    ['RecipientsScanned', scanned ?? null],
    ['RecipientsDiffering', differing ?? null],
    ['CredentialRecords', [credential, ...(next === undefined ? [] : [next])].map(({ user }) => user).join(', ')],
  ];
}

function viewOf({
  name,
  fqdn,
  site,
  credential,
  pins,
  lastSuccess,
  lastFailure,
  paused,
}: Subscription): SubscriptionView {
  return {
    name,
    site,
    domain: domainOf(fqdn),
    facts: [
      ['Account', credential.user],
      ['AccountExpires', new Date(credential.expires)],
      ['PinnedKeys', pins.join(', ')],
      ['LastSuccess', lastSuccess === undefined ? null : new Date(lastSuccess)],
      ['LastFailure', lastFailure?.reason ?? ''],
      ['Paused', paused ?? ''],
    ],
  };
}
