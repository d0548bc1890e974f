/** EdgeSync inside: subscribing edges, and bringing them up to date. One object for commands, cmdlets and the service. */
import type { Clock } from '../../base/index.ts';
import type { Schema } from '../../ldap/index.ts';
import type { Recipient } from '../recipient.ts';
import type { MappingSettings } from '../recipient-mapping.ts';
import type { OpenedSource } from '../source/open-source.ts';
import { ConfiguredSource } from './configured-source.ts';
import type { LogonParts } from './connector-logons.ts';
import { CredentialKeeper } from './credential-keeper.ts';
import { DryRun, type EdgeComparison, type EdgePlan, type TestOptions } from './dry-run.ts';
import { EdgeAccess } from './edge-access.ts';
import { EdgeDifferences } from './edge-differences.ts';
import type { WriteReport } from './edge-writer.ts';
import type { InsideState, OwnServer, Subscription } from './inside-state.ts';
import { KnownRecipients } from './known-recipients.ts';
import { OrganizationPrincipals } from './organization-principals.ts';
import type { ReadingReport } from './source-reader.ts';
import { type SubscribeOptions, Subscriber } from './subscriber.ts';
import { type ApplyOptions, type EdgeResult, Synchronization } from './synchronization.ts';

export interface EdgeSyncParts extends LogonParts {
  readonly state: InsideState;
  readonly schema: Schema;
  readonly clock: Clock;
  /** This server as it is now, where it is an appliance; absent: what was noted last counts. */
  readonly ownServer?: () => OwnServer;
}

export class EdgeSync {
  readonly state: InsideState;
  /** Users and groups of the directory that is read. */
  readonly principals: OrganizationPrincipals;
  readonly #source: ConfiguredSource;
  readonly #subscriber: Subscriber;
  readonly #credentials: CredentialKeeper;
  readonly #dryRun: DryRun;
  readonly #synchronization: Synchronization;
  readonly #recipients: KnownRecipients;

  constructor(parts: EdgeSyncParts) {
    const { state, clock, progress } = parts;
    const edges = new EdgeAccess(state, clock);
    const differences = new EdgeDifferences(parts);
    const source = new ConfiguredSource(parts);
    const credentials = new CredentialKeeper(state, clock, edges);
    this.state = state;
    this.principals = new OrganizationPrincipals(state);
    this.#source = source;
    this.#subscriber = new Subscriber(state, clock, edges);
    this.#credentials = credentials;
    this.#dryRun = new DryRun({ state, source, edges, differences, progress });
    this.#synchronization = new Synchronization({ state, clock, progress, source, edges, credentials, differences });
    this.#recipients = new KnownRecipients(state);
  }

  /** Looks at the source with what the settings say. Throws LdapError, SyncStateError. */
  openSource(): Promise<OpenedSource> {
    return this.#source.open();
  }

  /** Some recipients as they would be replicated, read from the source now; `by`: another mapping than that of the settings. */
  sample(most: number, by?: MappingSettings): Promise<readonly Recipient[]> {
    return this.#source.sample(most, by);
  }

  /** Joins an edge by its subscription file. Begun and cut off, it goes on with the same file. Throws SubscriptionFileError. */
  subscribe(octets: Buffer, options: SubscribeOptions): Promise<Subscription> {
    return this.#subscriber.subscribe(octets, options);
  }

  unsubscribe(name: string): Promise<void> {
    return this.#subscriber.unsubscribe(name);
  }

  /** Takes another key of the edge as its own, seals the key of the hashes anew, and goes over to a new account. */
  rekey(name: string, pin: string | undefined, certificate: Buffer | undefined): Promise<void> {
    return this.#credentials.rekey(name, pin, certificate);
  }

  /** What would change on the edges, or on the one of this name. Writes nothing. */
  plan(
    only: string | undefined,
    signal: AbortSignal,
    full = false,
  ): Promise<{ reading: ReadingReport; edges: EdgePlan[] }> {
    return this.#dryRun.plan(only, signal, full);
  }

  /** Compares an edge with what it is to have, and writes nothing. */
  test(name: string, options: TestOptions): Promise<EdgeComparison> {
    return this.#dryRun.test(name, options);
  }

  /** Brings the edges up to date. */
  apply(options: ApplyOptions): Promise<{ reading: ReadingReport; edges: EdgeResult[] }> {
    return this.#synchronization.apply(options);
  }

  /** Brings an edge back to its state before the last `count` runs, and leaves it so until `resume`. */
  undo(name: string, count: number, signal: AbortSignal): Promise<WriteReport> {
    return this.#synchronization.undo(name, count, signal);
  }

  resume(name: string): Promise<void> {
    return this.#synchronization.resume(name);
  }

  /** What the edge would know of an address, and why. Throws SyncStateError for what is no address. */
  preview(address: string): ReturnType<KnownRecipients['preview']> {
    return this.#recipients.preview(address);
  }

  /** How many recipients the source has and each edge holds, as last seen. */
  counts(): ReturnType<KnownRecipients['counts']> {
    return this.#recipients.counts();
  }

  /** Lookups of addresses for another mail system, as the source was last read. */
  openLookups(): ReturnType<KnownRecipients['openLookups']> {
    return this.#recipients.openLookups();
  }

  /** Addresses that are to be accepted, sorted by recipient; for other mail systems. */
  addresses(): ReturnType<KnownRecipients['addresses']> {
    return this.#recipients.addresses();
  }
}
