/** EdgeSync as cmdlets use it: the subscription of this edge, or the edges that this inside serves. */

import type { ServiceConfig } from '../edge-sync/index.ts';

/** A subscription as Get-EdgeSubscription shows it. */
export interface EdgeSubscriptionView {
  readonly name: string;
  readonly site: string;
  readonly domain: string;
  /** Named facts in order, as they are shown. */
  readonly facts: readonly (readonly [name: string, value: string | number | boolean | Date | null])[];
}

export interface SynchronizationView {
  readonly edge: string;
  readonly type: 'Configuration' | 'Recipients';
  readonly result: 'Success' | 'CouldNotConnect' | 'NothingToDo' | 'Stopped';
  readonly failure: string;
  readonly added: number;
  readonly deleted: number;
  readonly updated: number;
  readonly scanned: number;
}

/** A user or group of the organization. */
export interface OrganizationPrincipalView {
  readonly name: string;
  /** Its own first, then those of its groups. */
  readonly sids: readonly string[];
}

/** On an edge. */
export interface EdgeSideAdministration {
  readonly kind: 'edge';
  readonly subscribed: boolean;
  /** Makes the subscription file. */
  issue(durationMs: number): Promise<Buffer>;
  list(): Promise<readonly EdgeSubscriptionView[]>;
  remove(name: string): Promise<void>;
}

/** How EdgeSync runs for one site. */
export interface EdgeSyncServiceView extends ServiceConfig {
  /** An administrator made it; else it is what stands without one. */
  readonly isOwn: boolean;
}

/** Inside. Every method throws Error that says what to do. */
export interface InsideAdministration {
  readonly kind: 'inside';
  subscribe(
    file: Buffer,
    options: { readonly site: string; readonly internet: boolean; readonly inbound: boolean },
  ): Promise<EdgeSubscriptionView>;
  list(): Promise<readonly EdgeSubscriptionView[]>;
  remove(name: string): Promise<void>;
  synchronize(options: {
    readonly target: string | undefined;
    readonly full: boolean;
    readonly force: boolean;
    readonly signal: AbortSignal;
  }): Promise<readonly SynchronizationView[]>;
  /** Compares without writing. */
  test(options: {
    readonly target: string | undefined;
    /** All that stands on the edge is compared. */
    readonly full: boolean;
    readonly recipients: boolean;
    /** Recipients named at most. */
    readonly most: number;
    readonly signal: AbortSignal;
  }): Promise<readonly EdgeSubscriptionView[]>;
  serviceConfigs(): Promise<readonly EdgeSyncServiceView[]>;
  setServiceConfig(
    site: string,
    changes: Partial<Omit<EdgeSyncServiceView, 'site' | 'isOwn'>>,
  ): Promise<EdgeSyncServiceView>;
  /** What an edge would know of an address. */
  verify(address: string): Promise<readonly { readonly dn: string; readonly verdict: string }[]>;
  /** Users and groups of the organization's directory that a name or SID may mean; undefined: none is named here. */
  principals(nameOrSid: string): Promise<readonly OrganizationPrincipalView[] | undefined>;
  /** Names by SID, of those that have one. */
  principalNames(sids: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

export type EdgeSyncAdministration = EdgeSideAdministration | InsideAdministration;
