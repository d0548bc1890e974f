/** From an entry of the source to a recipient: one table for every profile. Pure. */
import { compileFilter, Dn, type Entry, formatGuid, isBelow, parseFilter, type Schema } from '../ldap/index.ts';
import { canonicalAddress } from './address.ts';
import type { Recipient } from './recipient.ts';

/** What an administrator says about a source. Stands in the subscription's object, and is checked when it is read. */
export interface MappingSettings {
  /** Attributes that hold addresses. */
  readonly addressAttributes: readonly string[];
  /** Subtrees that recipients are taken from; empty: all of the source. */
  readonly bases: readonly string[];
  /** Subtrees left out, whatever `bases` say. */
  readonly excludedBases: readonly string[];
  /** Filter in text form (RFC 4515) that a whole entry must match; '' for all. Evaluated here, never by the source. */
  readonly filter: string;
  /** Accounts that are disabled, where Exchange's schema is not there: shared mailboxes are disabled accounts too. */
  readonly disabledAccounts: 'keep' | 'drop';
}

/** What is known about the source besides. */
export interface MappingFacts {
  /** Exchange's schema is there: then `userAccountControl` says nothing about mail. */
  readonly exchangeSchema: boolean;
  readonly schema: Schema;
}

/** Attribute of the source → attribute of the edge's object, values as they are. */
export const extraAttributes: Readonly<Record<string, string>> = {
  msExchSafeSendersHash: 'msExchSafeSenderHash',
  msExchSafeRecipientsHash: 'msExchSafeRecipientHash',
  msExchBlockedSendersHash: 'msExchBlockedSendersHash',
  msExchMessageHygieneFlags: 'msExchMessageHygieneFlags',
  msExchMessageHygieneSCLDeleteThreshold: 'msExchMessageHygieneSCLDeleteThreshold',
  msExchMessageHygieneSCLRejectThreshold: 'msExchMessageHygieneSCLRejectThreshold',
  msExchMessageHygieneSCLQuarantineThreshold: 'msExchMessageHygieneSCLQuarantineThreshold',
  msExchMessageHygieneSCLJunkThreshold: 'msExchMessageHygieneSCLJunkThreshold',
};

/** Attributes that a source must give, besides those of its own way to follow changes. */
export function wantedAttributes(settings: MappingSettings): readonly string[] {
  return [
    ...new Set([
      'objectClass',
      'objectGUID',
      'entryUUID',
      'nsUniqueId',
      ...settings.addressAttributes,
      'userAccountControl',
      'msExchRequireAuthToSendTo',
      ...Object.keys(extraAttributes),
      ...filterAttributes(settings.filter),
    ]),
  ];
}

/** Names that a filter speaks of: without them it could not be evaluated. */
function filterAttributes(text: string): string[] {
  return [...text.matchAll(/\(([A-Za-z][\w;.-]*)(?::[^=]*)?[~<>]?=/g)].map((match) => match[1] ?? '');
}

/** Turns entries into recipients by one subscription's settings. Throws LdapError or RangeError for settings that cannot be read. */
export class RecipientMapping {
  readonly #settings: MappingSettings;
  readonly #facts: MappingFacts;
  readonly #bases: readonly Buffer[];
  readonly #excluded: readonly Buffer[];
  readonly #matches: (entry: Entry) => boolean;

  constructor(settings: MappingSettings, facts: MappingFacts) {
    this.#settings = settings;
    const schema = withUnknown(facts.schema, filterAttributes(settings.filter));
    this.#facts = { ...facts, schema };
    this.#bases = settings.bases.map((base) => schema.keyOf(Dn.parse(base)));
    this.#excluded = settings.excludedBases.map((base) => schema.keyOf(Dn.parse(base)));
    if (settings.filter === '') this.#matches = () => true;
    else {
      const matcher = compileFilter(parseFilter(settings.filter), schema);
      this.#matches = (entry) => matcher(entry) === true;
    }
  }

  /** The recipient; undefined for an entry that has no address and no reason to be shown. */
  recipient(entry: Entry, id: string): Recipient {
    const { addressAttributes } = this.#settings;
    const found = addressAttributes.flatMap((attribute) => entry.values(attribute)).map(canonicalAddress);
    const addresses = [...new Set(found.filter((address) => address !== undefined))].sort();
    const excluded = this.#exclusion(entry, addresses);
    const base = { id, dn: entry.dn, addresses, extras: excluded === undefined ? extrasOf(entry) : {} };
    return excluded === undefined ? base : { ...base, excluded };
  }

  #exclusion(entry: Entry, addresses: readonly string[]): string | undefined {
    const { schema, exchangeSchema } = this.#facts;
    if (addresses.length === 0) return 'it has no SMTP address';
    const key = schema.dnKey(entry.dn);
    if (key === undefined) return 'its name cannot be read';
    if (this.#bases.length > 0 && !this.#bases.some((base) => within(key, base))) return 'it lies outside every base';
    if (this.#excluded.some((base) => within(key, base))) return 'it lies below an excluded base';
    if (!this.#matches(entry)) return 'it does not match the filter';
    if (entry.values('msExchRequireAuthToSendTo')[0]?.toUpperCase() === 'TRUE')
      return 'it takes mail from authenticated senders only (msExchRequireAuthToSendTo)';
    const control = Number(entry.values('userAccountControl')[0] ?? 0);
    if (!exchangeSchema && this.#settings.disabledAccounts === 'drop' && (control & accountDisabled) !== 0)
      return 'the account is disabled';
    return undefined;
  }
}

/** [MS-ADTS] 2.2.16: ADS_UF_ACCOUNT_DISABLE. */
const accountDisabled = 0x2;

const within = (key: Buffer, base: Buffer): boolean => key.equals(base) || isBelow(key, base);

/** The schema with attributes that it does not know as text without regard to case: a filter on them would match nothing. */
function withUnknown(schema: Schema, names: readonly string[]): Schema {
  const unknown = [...new Set(names)].filter(
    (name) => /^[A-Za-z][\w-]*$/.test(name) && schema.attribute(name) === undefined,
  );
  if (unknown.length === 0) return schema;
  const types = unknown.map(
    (name, i) =>
      `attributeTypes: ( 2.25.4242.${i} NAME '${name}' EQUALITY caseIgnoreMatch ORDERING caseIgnoreOrderingMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )`,
  );
  return schema.extended(`dn: cn=schema\nobjectClass: top\nobjectClass: subschema\ncn: schema\n${types.join('\n')}\n`);
}

function extrasOf(entry: Entry): Record<string, readonly string[]> {
  const extras: Record<string, readonly string[]> = {};
  for (const [from, to] of Object.entries(extraAttributes)) {
    const values = entry.buffers(from);
    if (values.length > 0) extras[to] = values.map((value) => value.toString('base64')).sort();
  }
  return extras;
}

/** GUID of an entry as text: objectGUID, else entryUUID (RFC 4530), else nsUniqueId of 389-DS; undefined without any. */
export function idOf(entry: Entry): string | undefined {
  const [guid] = entry.buffers('objectGUID');
  if (guid?.length === 16) return formatGuid(guid);
  const [uuid] = entry.values('entryUUID');
  if (uuid !== undefined) return uuid.toLowerCase();
  const [unique] = entry.values('nsUniqueId');
  const hex = unique?.replaceAll('-', '').toLowerCase() ?? '';
  return /^[0-9a-f]{32}$/.test(hex)
    ? `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    : undefined;
}
