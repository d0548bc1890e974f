/** EdgeSync inside: subscribing edges, and bringing them up to date. One object for commands, cmdlets and the service. */
import { hash, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, keyDigest } from '../../base/index.ts';
import { seal } from '../../certificates/index.ts';
import type { DirectoryClient } from '../../directory/index.ts';
import { LdapError, type Schema } from '../../ldap/index.ts';
import type { EdgeSyncLevel } from '../../logs/index.ts';
import { canonicalAddress, lookupForms } from '../address.ts';
import { parseAccountName, placeOf, subscriptionDn } from '../edge/place.ts';
import { type Recipient, wantedState } from '../recipient.ts';
import { newRecipientKey, RecipientHasher } from '../recipient-hash.ts';
import { RecipientMapping } from '../recipient-mapping.ts';
import type { RecipientChange } from '../recipient-plan.ts';
import { type OpenedSource, openSource } from '../source/open-source.ts';
import { readConfiguration } from '../source/read-configuration.ts';
import { bootstrapSecret, readSubscriptionFile, SubscriptionFileError, unusableReason } from '../subscription-file.ts';
import {
  type ConfigurationChange,
  type ConfigurationObject,
  configurationPlan,
  configuredObjects,
  replicatedObjects,
  understood,
} from './configuration.ts';
import { connectorLogons, type LogonParts, logonChange } from './connector-logons.ts';
import { type Credential, inForce, needsNext, newCredential, requestOf, successor } from './credential.ts';
import { EdgeWriter, type PlanReport, type WriteReport } from './edge-writer.ts';
import { type InsideState, type Subscription, SyncStateError } from './inside-state.ts';
import { connectEdge, LdapEdge } from './ldap-edge.ts';
import { Mirror } from './mirror.ts';
import { type EdgeRunLog, noteConfiguration, RunLog } from './run-log.ts';
import { serviceConfigOf, serviceDefaults, shortest } from './service-config.ts';
import { type Progress, type ReadingReport, SourceReader } from './source-reader.ts';

export interface EdgeSyncParts extends LogonParts {
  readonly state: InsideState;
  readonly schema: Schema;
  readonly clock: Clock;
  readonly progress: Progress;
}

export interface SubscribeOptions {
  readonly site: string;
  readonly address?: string;
  readonly createInternetSendConnector: boolean;
  readonly createInboundSendConnector: boolean;
}

/** What is to be done on one edge. */
export interface EdgePlan {
  readonly edge: string;
  readonly recipients: PlanReport;
  /** The first changes, for people. */
  readonly shown: readonly RecipientChange[];
  readonly configuration: readonly ConfigurationChange[];
}

export interface EdgeResult {
  readonly edge: string;
  readonly configuration: number;
  readonly recipients: WriteReport | undefined;
  readonly scanned: number;
  /** Why it was not done, or not all of it. */
  readonly stopped: string | undefined;
}

export interface ApplyOptions {
  readonly only?: string;
  readonly force?: boolean;
  /** Read and compare everything. */
  readonly full?: boolean;
  /** Additions are written while the brake holds: the service does so. */
  readonly additions?: boolean;
  readonly what?: 'all' | 'configuration' | 'recipients';
  readonly signal: AbortSignal;
}

/** A connection to an edge. */
type Connected = Awaited<ReturnType<typeof connectEdge>> & {
  /** Accounts that the edge is to be asked for once more. */
  readonly askAgain: readonly string[] | undefined;
};

/** What one run does to one edge. */
interface ApplyRun {
  readonly objects: readonly ConfigurationObject[] | undefined;
  readonly options: ApplyOptions;
  readonly scanned: number;
  readonly log: EdgeRunLog;
}

interface Comparing {
  readonly mirror: Mirror;
  readonly subscription: Subscription;
  readonly edge: LdapEdge;
  readonly full: boolean;
  readonly log?: EdgeRunLog;
}

/** How an edge is compared. */
export interface TestOptions {
  /** Everything that stands there, not only whether the last run is still the last. */
  readonly full: boolean;
  /** Recipients too, not the configuration alone. */
  readonly recipients: boolean;
  /** Recipients named at most. */
  readonly most: number;
  readonly signal: AbortSignal;
}

export interface EdgeComparison {
  /** Recipients that stand on the edge; undefined when they were not read. */
  readonly scanned: number | undefined;
  /** Recipients that differ; undefined when they were not looked at. */
  readonly differing: number | undefined;
  readonly ids: readonly string[];
  /** DNs of the objects of the configuration that differ. */
  readonly configuration: readonly string[];
  /** Last successful run by the edge's clock. */
  readonly at: number | undefined;
}

const establishMs = 20_000;
const sampleMs = 60_000;
const shownChanges = 200;

export class EdgeSync {
  readonly #parts: EdgeSyncParts;

  constructor(parts: EdgeSyncParts) {
    this.#parts = parts;
  }

  get state(): InsideState {
    return this.#parts.state;
  }

  /** Looks at the source with what the settings say. Throws LdapError, SyncStateError. */
  async openSource(): Promise<OpenedSource> {
    const { settings, password } = this.state;
    const { url, bindDn, caFile, base } = settings.source;
    const tls = caFile === '' ? {} : { ca: readFileSync(caFile, 'utf8') };
    return openSource({ url, bindDn, password, tls }, { base, mapping: settings.mapping });
  }

  #mapping(exchangeSchema: boolean): RecipientMapping {
    return new RecipientMapping(this.state.settings.mapping, { exchangeSchema, schema: this.#parts.schema });
  }

  /** Joins an edge by its subscription file. Begun and cut off, it goes on with the same file. Throws SubscriptionFileError. */
  async subscribe(octets: Buffer, options: SubscribeOptions): Promise<Subscription> {
    const { state, clock } = this.#parts;
    const { settings } = state;
    const file = readSubscriptionFile(octets);
    const digest = hash('sha256', octets, 'hex');
    const known = state.subscriptions.find(({ name }) => name.toLowerCase() === file.edgeServerName.toLowerCase());
    if (known?.file === digest && known.established) throw new SubscriptionFileError('it was used before');
    const reason = unusableReason(file, clock.now());
    if (reason !== undefined) throw new SubscriptionFileError(reason);
    const configurationDn = /,CN=Services,(CN=Configuration,.+)$/i.exec(file.username)?.[1];
    if (configurationDn === undefined) throw new SubscriptionFileError('ESRAUsername is no account of an edge');
    const begun = state.begun.find((one) => one.file === digest);
    const subscription: Subscription = begun ?? {
      name: file.edgeServerName,
      fqdn: file.edgeServerFqdn,
      address: options.address ?? file.edgeServerFqdn,
      port: file.adamSslPort,
      site: options.site,
      configurationDn,
      pins: [keyDigest(certificateIn(file.certificate))],
      certificate: file.certificate.toString('base64'),
      recipientKey: known?.recipientKey ?? newRecipientKey().toString('base64'),
      credential: newCredential(file.edgeServerName, settings.server, nextNumber(known), clock.now()),
      file: digest,
      established: false,
      createInternetSendConnector: options.createInternetSendConnector,
      createInboundSendConnector: options.createInboundSendConnector,
    };
    await state.save(subscription);
    let told: { readonly sealed: string; readonly before: string };
    try {
      told = await this.#establish(subscription, file.username, bootstrapSecret(file.password, octets));
    } catch (error) {
      // Cut off, it goes on with what was begun; refused, there is nothing to go on with.
      if (error instanceof SubscriptionFileError) state.forgetBegun(subscription.name);
      throw error;
    }
    const established = { ...subscription, established: true, sealed: told.sealed };
    await using mirror = Mirror.open(state.mirrorFolder);
    // What an earlier subscription of this edge left is written anew.
    await mirror.removeEdge(established.name);
    await mirror.addEdge(established.name);
    // Under another key nothing that stands there is accepted any more: to replace it loses nothing.
    const ours = known?.sealed !== undefined && told.before === known.sealed;
    await mirror.setMeta({ [`fresh ${established.name}`]: !ours });
    await state.save(established);
    return established;
  }

  /** Resolves with the digests of the sealed key that the edge was told and of the one it had. */
  async #establish(
    subscription: Subscription,
    dn: string,
    password: string,
  ): Promise<{ readonly sealed: string; readonly before: string }> {
    if (!(await this.#hasAccount(subscription))) {
      const { certificate, key } = subscription.credential;
      const client = await this.#bootstrap({ ...subscription, certificate, key }, dn, password);
      try {
        const values = [Buffer.from(requestOf(subscription.credential))];
        await client.modify(subscriptionDn(placeOf(subscription)), [
          { operation: 'replace', attribute: 'edgeSyncCredential', values },
        ]);
      } finally {
        await client.close();
      }
      await this.#accountMade(subscription);
    }
    const sealedKey = sealedKeyOf(subscription);
    return await this.#withEdge(subscription, async (edge) => {
      const before = await edge.sealedKeyDigest();
      await edge.tell({ sealedKey, site: subscription.site, pins: subscription.pins });
      return { sealed: hash('sha256', sealedKey, 'hex'), before };
    });
  }

  /** Waits until the edge has made the account. Throws LdapError after a while. */
  async #accountMade(subscription: Subscription): Promise<void> {
    const end = performance.now() + establishMs;
    while (!(await this.#hasAccount(subscription))) {
      if (performance.now() > end)
        throw new LdapError(
          'unavailable',
          `${subscription.name} did not make our account within ${establishMs / 1000} s: see its service log`,
        );
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async #bootstrap(address: Parameters<typeof connectEdge>[0], dn: string, password: string): Promise<DirectoryClient> {
    try {
      return (await connectEdge(address, { dn, password })).client;
    } catch (error) {
      if (!(error instanceof LdapError) || error.code !== 'invalidCredentials') throw error;
      throw new SubscriptionFileError(
        'the edge does not take it: it was altered, it was used before, or a newer one was made on the edge',
      );
    }
  }

  async #hasAccount(subscription: Subscription): Promise<boolean> {
    try {
      await this.#withEdge(subscription, () => Promise.resolve());
      return true;
    } catch (error) {
      if (isUnknownAccount(error)) return false;
      throw error;
    }
  }

  async #withEdge<T>(
    subscription: Subscription,
    work: (edge: LdapEdge, client: DirectoryClient) => Promise<T>,
  ): Promise<T> {
    const { client, presented, askAgain } = await this.#connect(subscription);
    try {
      const hasher = new RecipientHasher(Buffer.from(subscription.recipientKey, 'base64'));
      const { lockDuration: leaseSeconds } = serviceConfigOf(this.state.settings, subscription.site);
      const edge = new LdapEdge({ client, place: placeOf(subscription), hasher, presented, leaseSeconds });
      if (askAgain !== undefined) await edge.tell({ credentials: askAgain });
      return await work(edge, client);
    } finally {
      await client.close();
    }
  }

  /** By the account in force; by the one before while it lives, where the edge did not make the next. */
  async #connect(subscription: Subscription): Promise<Connected> {
    const { name, credential, next } = subscription;
    const now = this.#parts.clock.now();
    const chosen = inForce(credential, next, now);
    const as = ({ certificate, key }: Credential) => connectEdge({ ...subscription, certificate, key }, 'external');
    try {
      return { ...(await as(chosen)), askAgain: undefined };
    } catch (error) {
      if (!isUnknownAccount(error)) throw error;
      if (next !== undefined && chosen === next && now < credential.expires) {
        return { ...(await as(credential)), askAgain: [requestOf(credential), requestOf(next)] };
      }
      const repair = `on ${name} New-EdgeSubscription -FileName FILE, here edge sync subscribe FILE --site ${subscription.site}`;
      throw new LdapError(
        error.code,
        `${name} does not take our account ${chosen.user} (${error.message}): ${repair}`,
        {
          cause: error,
        },
      );
    }
  }

  #chosen(only: string | undefined): readonly Subscription[] {
    const { state } = this.#parts;
    if (only !== undefined) return [state.subscription(only)];
    const all = state.subscriptions.filter(({ established }) => established);
    if (all.length === 0) throw new SyncStateError('no edge is subscribed: edge sync subscribe FILE --site NAME');
    return all;
  }

  /** What would change. Reads into a copy of the mirror, which is thrown away. */
  async plan(
    only: string | undefined,
    signal: AbortSignal,
    full = false,
  ): Promise<{ reading: ReadingReport; edges: EdgePlan[] }> {
    const folder = join(this.state.folder, `plan.${process.pid}`);
    try {
      await using live = Mirror.open(this.state.mirrorFolder);
      await live.copyTo(folder);
      await using mirror = Mirror.open(folder);
      const { reading, configuration } = await this.#read(mirror, { full, signal });
      const edges: EdgePlan[] = [];
      for (const subscription of this.#chosen(only)) {
        edges.push(await this.#planFor(mirror, subscription, { objects: configuration, full }));
      }
      return { reading, edges };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #planFor(
    mirror: Mirror,
    subscription: Subscription,
    { objects, full }: { readonly objects: readonly ConfigurationObject[] | undefined; readonly full: boolean },
  ): Promise<EdgePlan> {
    const writer = new EdgeWriter(mirror, await mirror.addEdge(subscription.name), this.#parts.progress);
    const configuration = await this.#withEdge(subscription, async (edge) => {
      await this.#compareWhereNeeded(writer, { mirror, subscription, edge, full });
      return this.#configurationPlan(subscription, edge, objects);
    });
    const shown: RecipientChange[] = [];
    const plan = writer.plan();
    let step = plan.next();
    while (step.done !== true) {
      if (shown.length < shownChanges) shown.push(step.value);
      step = plan.next();
    }
    return { edge: subscription.name, recipients: step.value, shown, configuration };
  }

  #wanted(subscription: Subscription, objects: readonly ConfigurationObject[] | undefined): ConfigurationObject[] {
    const { settings } = this.state;
    if (objects === undefined) return configuredObjects(settings, subscription);
    return replicatedObjects(objects, settings, subscription).map((object) => understood(object, this.#parts.schema));
  }

  /** What is to be written of the configuration; the logons of connectors last, which must be there before. */
  async #configurationPlan(
    subscription: Subscription,
    edge: LdapEdge,
    objects: readonly ConfigurationObject[] | undefined,
  ): Promise<ConfigurationChange[]> {
    const wanted = this.#wanted(subscription, objects);
    const changes = configurationPlan(wanted, await edge.configuration(), subscription.configurationDn);
    const logons = connectorLogons(wanted, this.state.logons, this.#parts);
    const change = logonChange(logons, await edge.connectorLogons(), subscription);
    return change === undefined ? changes : [...changes, change];
  }

  async #read(
    mirror: Mirror,
    { full = false, force = false, signal }: { full?: boolean; force?: boolean; signal: AbortSignal },
  ): Promise<{ reading: ReadingReport; configuration: readonly ConfigurationObject[] | undefined }> {
    const { source, profile, connect } = await this.openSource();
    const reader = new SourceReader(mirror, this.#mapping(source.exchangeSchema), this.#parts.progress);
    // Other settings mean other recipients: all are looked at again.
    const settings = JSON.stringify([this.state.settings.source, this.state.settings.mapping, source.way]);
    const changed = mirror.meta('settings') !== settings;
    const { now, validMs } = { now: this.#parts.clock.now(), validMs: this.#cookieValidMs };
    const old = now - Number(mirror.meta('readAt') ?? now) > validMs;
    const reading = await reader.read(source, { full: full || changed || old, accept: force, signal });
    if (changed) await mirror.setMeta({ settings });
    if (reading.complete) await mirror.setMeta({ readAt: now });
    return { reading, configuration: await readConfiguration(connect, profile) };
  }

  /** What the cookie of the source is trusted for, in milliseconds: what was deleted longer ago may be forgotten there. */
  get #cookieValidMs(): number {
    const { settings, subscriptions } = this.state;
    const configs = subscriptions.map(({ site }) => serviceConfigOf(settings, site));
    return shortest(configs, 'cookieValidDuration', serviceDefaults.cookieValidDuration) * 1000;
  }

  /** Brings the edges up to date. */
  async apply(options: ApplyOptions): Promise<{ reading: ReadingReport; edges: EdgeResult[] }> {
    const { signal, only, force = false, full = false } = options;
    await using mirror = Mirror.open(this.state.mirrorFolder);
    await using logs = new RunLog(this.#parts);
    const chosen = this.#chosen(only);
    const noteForAll = (level: EdgeSyncLevel, event: string, information: string): void => {
      for (const subscription of chosen) logs.of(subscription).write(level, event, information);
    };
    const { reading, configuration } = await this.#read(mirror, { full, force, signal }).catch((error: unknown) => {
      noteForAll('None', 'SourceFailed', error instanceof Error ? error.message : String(error));
      throw error;
    });
    const { complete, scanned, changed, reasons } = reading;
    noteForAll('Low', 'SourceRead', `${scanned} objects, ${changed} changed recipients`);
    if (!complete) noteForAll('None', 'SourceIncomplete', reasons.join('; '));
    const edges: EdgeResult[] = [];
    for (const subscription of chosen) {
      const log = logs.of(subscription);
      const result = await this.#applyTo(mirror, subscription, { objects: configuration, options, scanned, log });
      log.write('None', result.stopped === undefined ? 'Synchronized' : 'Stopped', outcomeOf(result));
      edges.push(result);
    }
    return { reading, edges };
  }

  async #applyTo(
    mirror: Mirror,
    subscription: Subscription,
    { objects, options, scanned, log }: ApplyRun,
  ): Promise<EdgeResult> {
    const { name } = subscription;
    const none = { edge: name, configuration: 0, recipients: undefined, scanned };
    if (subscription.paused !== undefined) {
      return { ...none, stopped: `${name} is paused (${subscription.paused}): edge sync resume ${name}` };
    }
    try {
      const result = await this.#withEdge(subscription, async (edge) => {
        log.write('Low', 'Connected', `${subscription.address}:${subscription.port}`);
        await edge.lease();
        await expectOwn(subscription, edge);
        await this.#keepCredentials(subscription, edge, log);
        const { what = 'all' } = options;
        const configuration =
          what === 'recipients' ? 0 : await this.#writeConfiguration(subscription, edge, objects, log);
        const recipients =
          what === 'configuration'
            ? undefined
            : await this.#writeRecipients(mirror, subscription, edge, { options, log });
        await edge.release();
        return { configuration, recipients };
      });
      const { recipients } = result;
      const refused = recipients?.refused[0];
      const stopped =
        recipients?.held ??
        (refused === undefined
          ? undefined
          : `the edge refused ${recipients?.refused.length} objects: ${refused.reason}`);
      await this.#note(name, stopped);
      return { ...none, ...result, stopped };
    } catch (error) {
      if (options.signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      await this.#note(name, reason);
      return { ...none, stopped: reason };
    }
  }

  async #note(name: string, reason: string | undefined): Promise<void> {
    const now = this.#parts.clock.now();
    const { lastFailure: _, ...subscription } = this.state.subscription(name);
    await this.state.save(
      reason === undefined
        ? { ...subscription, lastSuccess: now }
        : { ...subscription, lastFailure: { at: now, reason } },
    );
  }

  async #writeConfiguration(
    subscription: Subscription,
    edge: LdapEdge,
    objects: readonly ConfigurationObject[] | undefined,
    log: EdgeRunLog,
  ): Promise<number> {
    const changes = await this.#configurationPlan(subscription, edge, objects);
    for (const change of changes) {
      await edge.configure(change);
      noteConfiguration(log, change);
    }
    return changes.length;
  }

  async #writeRecipients(
    mirror: Mirror,
    subscription: Subscription,
    edge: LdapEdge,
    { options, log }: Pick<ApplyRun, 'options' | 'log'>,
  ): Promise<WriteReport> {
    const { name } = subscription;
    const mirrored = await mirror.addEdge(name);
    const writer = new EdgeWriter(mirror, mirrored, this.#parts.progress);
    const run = await this.#compareWhereNeeded(writer, {
      mirror,
      subscription,
      edge,
      full: options.full === true,
      log,
    });
    const { force = false, additions = false, signal } = options;
    const report = await writer.write(log.watched(edge), { force, additions, signal });
    for (const { id, reason } of report.refused) log.write('Low', 'RecipientRefused', `${id}: ${reason}`);
    if (report.held !== undefined || report.refused.length > 0) return report;
    const next = Math.max(Number(mirror.meta(`run ${name}`) ?? 0), run, 1);
    await mirror.setMeta({ [`beating ${name}`]: next });
    await edge.beat(next, `${mirrored.recipientCount} recipients, ${mirrored.addressCount} addresses`);
    await mirror.setMeta({ [`beat ${name}`]: next, [`fresh ${name}`]: undefined });
    return report;
  }

  /**
   * Compares with all that stands on the edge where that is asked for, and where the edge is not as it was left: restored, changed
   * by somebody else, or subscribed anew. Resolves with the number of its last run.
   */
  async #compareWhereNeeded(writer: EdgeWriter, { mirror, subscription, edge, full, log }: Comparing): Promise<number> {
    const { name, recipientKey } = subscription;
    const { run } = await edge.heartbeat();
    const known = [Number(mirror.meta(`beat ${name}`) ?? 0), Number(mirror.meta(`beating ${name}`) ?? -1)];
    if (!full && known.includes(run)) return run;
    this.#parts.progress(`comparing with all that stands on ${name}`);
    const hasher = new RecipientHasher(Buffer.from(recipientKey, 'base64'));
    const { scanned, differing } = await writer.compare(edge, hasher, mirror.meta(`fresh ${name}`) === true);
    log?.write('Low', 'Compared', `${scanned} recipients on the edge, ${differing} differ`);
    return run;
  }

  /** The next account in time, and the keys that the edge may change to. */
  async #keepCredentials(subscription: Subscription, edge: LdapEdge, log: EdgeRunLog): Promise<void> {
    const now = this.#parts.clock.now();
    let kept = this.state.subscription(subscription.name);
    if (needsNext(kept.credential, kept.next, now)) {
      const next = successor(kept.credential, now);
      kept = { ...kept, next };
      await this.state.save(kept);
      await edge.tell({ credentials: [requestOf(kept.credential), requestOf(next)] });
      log.write('Low', 'CredentialMade', `${next.user} until ${new Date(next.expires).toISOString()}`);
    } else if (kept.next !== undefined && now >= kept.credential.expires) {
      const { next, ...rest } = kept;
      kept = { ...rest, credential: next };
      await this.state.save(kept);
      log.write('Low', 'CredentialInForce', next.user);
    }
    const keys = await edge.serverKeys();
    const pins = [...new Set([...keys, ...kept.pins.slice(0, 1)])];
    if (pins.length === kept.pins.length && pins.every((pin) => kept.pins.includes(pin))) return;
    await this.state.save({ ...kept, pins });
    await edge.tell({ pins });
    log.write('Low', 'PinnedKeysChanged', pins.join(' '));
  }

  /** What the edge would know of an address, and why. */
  async preview(
    address: string,
  ): Promise<readonly { readonly dn: string; readonly id: string; readonly verdict: string }[]> {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) throw new SyncStateError(`'${address}' is no SMTP address`);
    await using mirror = Mirror.open(this.state.mirrorFolder);
    const forms = lookupForms(canonical);
    const found = [];
    for (const recipient of mirror.recipients()) {
      const form = forms.find((one) => recipient.addresses.includes(one));
      if (form === undefined) continue;
      const verdict =
        recipient.excluded === undefined ? `accepted as ${form}` : `not replicated: ${recipient.excluded}`;
      found.push({ dn: recipient.dn, id: recipient.id, verdict });
    }
    return found;
  }

  /** Some recipients as they would be replicated, read from the source now. */
  async sample(most: number): Promise<readonly Recipient[]> {
    const { source } = await this.openSource();
    const mapping = this.#mapping(source.exchangeSchema);
    const shown: Recipient[] = [];
    for await (const item of source.read('', AbortSignal.timeout(sampleMs))) {
      if (item.kind !== 'entry') continue;
      const recipient = mapping.recipient(item.entry, item.id);
      if (recipient.addresses.length > 0) shown.push(recipient);
      if (shown.length >= most) break;
    }
    return shown;
  }

  /** How many recipients the source has and each edge holds, as last seen. */
  async counts() {
    await using mirror = Mirror.open(this.state.mirrorFolder);
    let excluded = 0;
    for (const recipient of mirror.recipients()) if (wantedState(recipient) === undefined) excluded += 1;
    const edges = new Map(
      mirror.edgeNames.map((name) => {
        const { recipientCount, addressCount, dirtyCount } = mirror.edge(name);
        return [name, { recipients: recipientCount, addresses: addressCount, waiting: dirtyCount }] as const;
      }),
    );
    return { source: { recipients: mirror.size - excluded, excluded }, edges };
  }

  /** Lookups of addresses for another mail system, as the source was last read. */
  openLookups(): { isKnown(address: string): boolean } & AsyncDisposable {
    const mirror = Mirror.open(this.state.mirrorFolder);
    return {
      isKnown: (address) => {
        const canonical = canonicalAddress(address);
        return canonical !== undefined && lookupForms(canonical).some((form) => mirror.isHeld(form));
      },
      [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose](),
    };
  }

  /** Takes another key of the edge as its own, seals the key of the hashes anew, and goes over to a new account. */
  async rekey(name: string, pin: string | undefined, certificate: Buffer | undefined): Promise<void> {
    const { state, clock } = this.#parts;
    let kept = state.subscription(name);
    if (pin !== undefined) kept = { ...kept, pins: [...new Set([pin, ...kept.pins])] };
    if (certificate !== undefined) {
      const digest = keyDigest(certificateIn(certificate));
      kept = { ...kept, certificate: certificate.toString('base64'), pins: [...new Set([digest, ...kept.pins])] };
    }
    await state.save(kept);
    await this.#withEdge(kept, async (edge) => {
      const presented = edge.presentedCertificate;
      if (presented !== undefined) kept = { ...kept, certificate: presented.toString('base64') };
      const next = kept.next ?? successor(kept.credential, clock.now());
      const sealedKey = sealedKeyOf(kept);
      await edge.tell({
        credentials: [requestOf(kept.credential), requestOf(next)],
        sealedKey,
        pins: kept.pins,
      });
      kept = { ...kept, next, sealed: hash('sha256', sealedKey, 'hex') };
      await state.save(kept);
    });
    const { next, ...rest } = kept;
    if (next === undefined) return;
    // At once, not only when the old one nears its end: who rekeys does not trust it any more.
    const renewed = { ...rest, credential: next };
    await this.#accountMade(renewed);
    await state.save(renewed);
  }

  async unsubscribe(name: string): Promise<void> {
    const { state } = this.#parts;
    const { name: exact } = state.subscription(name);
    state.remove(exact);
    await using mirror = Mirror.open(state.mirrorFolder);
    await mirror.removeEdge(exact);
  }

  /** Brings an edge back to its state before the last `count` runs, and leaves it so until `resume`. */
  async undo(name: string, count: number, signal: AbortSignal): Promise<WriteReport> {
    const subscription = this.state.subscription(name);
    await this.state.save({ ...subscription, paused: `the last ${count} runs were undone` });
    await using mirror = Mirror.open(this.state.mirrorFolder);
    // Awaited here: the mirror stays open as long.
    return await this.#withEdge(subscription, async (edge) => {
      await edge.lease();
      const report = await new EdgeWriter(mirror, await mirror.addEdge(subscription.name)).undo(edge, count, signal);
      await edge.release();
      return report;
    });
  }

  async resume(name: string): Promise<void> {
    const { paused: _, ...subscription } = this.state.subscription(name);
    await this.state.save(subscription);
  }

  /** Compares an edge with what it is to have, and writes nothing. */
  async test(name: string, { full, recipients, most, signal }: TestOptions): Promise<EdgeComparison> {
    const subscription = this.state.subscription(name);
    const folder = join(this.state.folder, `test.${process.pid}`);
    try {
      await using live = Mirror.open(this.state.mirrorFolder);
      await live.copyTo(folder);
      await using mirror = Mirror.open(folder);
      const { configuration } = await this.#read(mirror, { signal });
      return await this.#withEdge(subscription, async (edge) => {
        const writer = new EdgeWriter(mirror, await mirror.addEdge(subscription.name));
        const hasher = new RecipientHasher(Buffer.from(subscription.recipientKey, 'base64'));
        const { run, at } = await edge.heartbeat();
        const scanned = full && recipients ? (await writer.compare(edge, hasher)).scanned : undefined;
        const { added, updated, deleted } = writer.counts;
        // Without a full comparison: whether the edge is where the last run left it, and nothing waits.
        const moved = run === Number(mirror.meta(`beat ${subscription.name}`) ?? 0) ? 0 : 1;
        const changes = await this.#configurationPlan(subscription, edge, configuration);
        return {
          scanned,
          differing: recipients ? Math.max(added + updated + deleted, full ? 0 : moved) : undefined,
          ids: recipients ? [...writer.first(most)] : [],
          configuration: changes.map(({ dn }) => dn),
          at,
        };
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Addresses that are to be accepted, sorted by recipient; for other mail systems. */
  async *addresses(): AsyncGenerator<{ readonly address: string; readonly dn: string }> {
    await using mirror = Mirror.open(this.state.mirrorFolder);
    for (const recipient of mirror.recipients()) {
      for (const address of wantedState(recipient)?.addresses ?? []) yield { address, dn: recipient.dn };
    }
  }
}

/** The edge refused the account: it has none of this name, or another certificate for it, or it has expired. */
const isUnknownAccount = (error: unknown): error is LdapError =>
  error instanceof LdapError && ['invalidCredentials', 'inappropriateAuthentication'].includes(error.code);

/** How a run ended, for the log. */
function outcomeOf({ recipients, configuration, stopped }: EdgeResult): string {
  const { added = 0, updated = 0, deleted = 0, written = 0 } = recipients ?? {};
  const done = `${written} recipients written (${added} added, ${updated} updated, ${deleted} deleted), ${configuration} changes of the configuration`;
  return stopped === undefined ? done : `${stopped}; ${done}`;
}

const sealedKeyOf = ({ certificate, recipientKey }: Subscription): Buffer =>
  seal(Buffer.from(certificate, 'base64'), Buffer.from(recipientKey, 'base64'));

/** Throws LdapError when the edge has the key of another inside: what is written here would be accepted by nobody. */
async function expectOwn({ name, sealed }: Subscription, edge: LdapEdge): Promise<void> {
  if (sealed === undefined || (await edge.sealedKeyDigest()) === sealed) return;
  throw new LdapError(
    'unwillingToPerform',
    `${name} was subscribed by another server since, with a key of its own: here edge sync unsubscribe ${name}, or subscribe it anew with a new file`,
  );
}

/** Number of the first account of a subscription: one that the edge does not know of the subscription before. */
function nextNumber(known: Subscription | undefined): number {
  if (known === undefined) return 0;
  const { credential, next } = known;
  return (parseAccountName((next ?? credential).user)?.number ?? 0) + 1;
}

function certificateIn(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new SubscriptionFileError('EdgeCertificateBlob holds no certificate');
  }
}
