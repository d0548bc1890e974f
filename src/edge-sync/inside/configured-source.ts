/** The source that the settings name: opened, read into a mirror, sampled for people. */
import type { Clock } from '../../base/index.ts';
import type { Schema } from '../../ldap/index.ts';
import type { Recipient } from '../recipient.ts';
import { type MappingSettings, RecipientMapping } from '../recipient-mapping.ts';
import { type OpenedSource, openForest } from '../source/open-source.ts';
import { readConfiguration } from '../source/read-configuration.ts';
import type { ConfigurationObject } from './configuration.ts';
import type { InsideState } from './inside-state.ts';
import { type Mirror, ownKey } from './mirror.ts';
import { serviceConfigOf, serviceDefaults, shortest } from './service-config.ts';
import { type Progress, type ReadingReport, SourceReader } from './source-reader.ts';
import { SubscriptionMappings } from './subscription-mappings.ts';

export interface ConfiguredSourceParts {
  readonly state: InsideState;
  readonly schema: Schema;
  readonly clock: Clock;
  readonly progress: Progress;
}

/** What one look at the source brought. */
export interface SourceReading {
  readonly reading: ReadingReport;
  /** Undefined: the source has no configuration of Exchange. */
  readonly configuration: readonly ConfigurationObject[] | undefined;
}

const sampleMs = 60_000;

export class ConfiguredSource {
  readonly #parts: ConfiguredSourceParts;

  constructor(parts: ConfiguredSourceParts) {
    this.#parts = parts;
  }

  /** Looks at the source with what the settings say. Throws LdapError, SyncStateError. */
  async open(): Promise<OpenedSource> {
    const { settings, password, sourceAuthorities: ca, mappings } = this.#parts.state;
    const { url, also = [], bindDn, base } = settings.source;
    const tls = ca === '' ? {} : { ca };
    const servers = [url, ...also].map((one) => ({ url: one, bindDn, password, tls }));
    return openForest(servers, { base, mappings });
  }

  /** Brings the mirror up to date. `full`: everything is read; `force`: also what is only suspicious counts. Throws LdapError. */
  async read(
    mirror: Mirror,
    { full = false, force = false, signal }: { full?: boolean; force?: boolean; signal: AbortSignal },
  ): Promise<SourceReading> {
    const { state, clock, progress } = this.#parts;
    const { source, profile, connect } = await this.open();
    const reader = new SourceReader(mirror, this.#mapping(source.exchangeSchema), progress);
    // Other settings mean other recipients: all are looked at again.
    const own = state.subscriptions.flatMap(({ name, mapping }) => (mapping === undefined ? [] : [{ name, mapping }]));
    const used = [state.settings.source, state.settings.mapping, source.way];
    const settings = JSON.stringify(own.length === 0 ? used : [...used, own]);
    const changed = mirror.meta('settings') !== settings;
    const { now, validMs } = { now: clock.now(), validMs: this.#cookieValidMs };
    const old = now - Number(mirror.meta('readAt') ?? now) > validMs;
    await mirror.setMeta(
      Object.fromEntries(
        mirror.edgeNames.map((edge) => [ownKey(edge), own.some(({ name }) => name === edge) || undefined]),
      ),
    );
    const reading = await reader.read(source, { full: full || changed || old, accept: force, signal });
    // After a reading that is not complete some recipients are still as other settings made them.
    if (reading.complete) await mirror.setMeta({ readAt: now, settings });
    return { reading, configuration: await readConfiguration(connect, profile) };
  }

  /** Some recipients as they would be replicated, read from the source now; `by`: another mapping than that of the settings. */
  async sample(most: number, by?: MappingSettings): Promise<readonly Recipient[]> {
    const { source } = await this.open();
    const { state, schema } = this.#parts;
    const facts = { exchangeSchema: source.exchangeSchema, schema };
    const mapping = new RecipientMapping(by ?? state.settings.mapping, facts);
    const shown: Recipient[] = [];
    for await (const item of source.read('', AbortSignal.timeout(sampleMs))) {
      if (item.kind !== 'entry') continue;
      const recipient = mapping.recipient(item.entry, item.id);
      if (recipient.addresses.length > 0) shown.push(recipient);
      if (shown.length >= most) break;
    }
    return shown;
  }

  #mapping(exchangeSchema: boolean): SubscriptionMappings {
    const { state, schema } = this.#parts;
    return new SubscriptionMappings(state.settings.mapping, state.subscriptions, { exchangeSchema, schema });
  }

  /** What the cookie of the source is trusted for, in milliseconds: what was deleted longer ago may be forgotten there. */
  get #cookieValidMs(): number {
    const { settings, subscriptions } = this.#parts.state;
    const configs = subscriptions.map(({ site }) => serviceConfigOf(settings, site));
    return shortest(configs, 'cookieValidDuration', serviceDefaults.cookieValidDuration) * 1000;
  }
}
