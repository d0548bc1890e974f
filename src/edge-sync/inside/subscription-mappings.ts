/** Makes recipients for all edges at once: by the mapping of the settings, and by those that subscriptions have of their own. Pure. */
import type { Entry } from '../../ldap/index.ts';
import type { Recipient, RecipientView } from '../recipient.ts';
import { type MappingFacts, type MappingSettings, RecipientMapping } from '../recipient-mapping.ts';
import type { Subscription } from './inside-state.ts';

export class SubscriptionMappings {
  readonly #common: RecipientMapping;
  readonly #own: readonly (readonly [edge: string, mapping: RecipientMapping])[];

  /** Throws LdapError or RangeError for a mapping that cannot be read. */
  constructor(
    common: MappingSettings,
    subscriptions: readonly Pick<Subscription, 'name' | 'mapping'>[],
    facts: MappingFacts,
  ) {
    this.#common = new RecipientMapping(common, facts);
    this.#own = subscriptions.flatMap(({ name, mapping }) =>
      mapping === undefined ? [] : [[name, new RecipientMapping(mapping, facts)] as const],
    );
  }

  recipient(entry: Entry, id: string): Recipient {
    const common = this.#common.recipient(entry, id);
    if (this.#own.length === 0) return common;
    const own = this.#own.map(([edge, mapping]) => [edge, viewOf(mapping.recipient(entry, id))] as const);
    return { ...common, own: Object.fromEntries(own) };
  }
}

function viewOf({ addresses, extras, excluded }: Recipient): RecipientView {
  return excluded === undefined ? { addresses, extras } : { addresses, extras, excluded };
}
