/** Entries that are made, not kept: the root DSE (RFC 4512 §5.1) and the subschema entry (§4.2). */
import {
  Dn,
  type Entry,
  entryFrom,
  formatGeneralizedTime,
  LdapError,
  type MutableEntry,
  type Schema,
} from '../../../ldap/index.ts';
import type { DirectoryReader } from '../../store/entries/contract.ts';
import { subschemaDn } from '../../store/entries/stored-entry.ts';
import { supportedControls } from '../ber/controls.ts';
import { startTlsOid } from '../ber/request.ts';

export interface SystemEntriesOptions {
  readonly store: DirectoryReader;
  /** OIDs of the extended operations that this server does. */
  readonly supportedExtensions: readonly string[];
  /** Name of this machine, for dnsHostName. */
  readonly hostName: string;
  readonly vendorVersion: string;
  /** Name of the server's object, for dsServiceName. */
  readonly serverDn?: string;
}

/** LDAP_CAP_ACTIVE_DIRECTORY_ADAM_OID, [MS-ADTS] 3.1.1.3.4.3: an application directory, without a domain. */
const adamCapability = '1.2.840.113556.1.4.1851';

/** Features without a control or an operation of their own. */
const supportedFeatures = [
  '1.3.6.1.1.14', // modify-increment, RFC 4525
  '1.3.6.1.4.1.4203.1.5.1', // all operational attributes, RFC 3673
  '1.3.6.1.4.1.4203.1.5.2', // attributes of an object class, RFC 4529
  '1.3.6.1.4.1.4203.1.5.3', // absolute true and false filters, RFC 4526
];

export class SystemEntries {
  readonly #options: SystemEntriesOptions;
  readonly #subschemaKey: Buffer;
  #created: string | undefined;
  #subschema: { readonly schema: Schema; readonly entry: Entry } | undefined;

  constructor(options: SystemEntriesOptions) {
    this.#options = options;
    this.#subschemaKey = options.store.schema.keyOf(Dn.parse(subschemaDn));
  }

  /** Whether a name is that of the subschema entry. */
  isSubschema(dn: Dn): boolean {
    return this.#options.store.schema.keyOf(dn).equals(this.#subschemaKey);
  }

  /** What a stranger needs to bind, and no more: neither names nor numbers nor versions. */
  strangersRootDse(mechanisms: readonly string[]): Entry {
    const { supportedExtensions } = this.#options;
    return entryFrom('', {
      objectClass: ['top'],
      supportedLDAPVersion: '3',
      supportedExtension: supportedExtensions.filter((oid) => oid === startTlsOid),
      supportedSASLMechanisms: mechanisms,
    });
  }

  /** Made anew for each question: numbers and time are those of now. */
  rootDse(mechanisms: readonly string[]): Entry {
    const { store, supportedExtensions, hostName, vendorVersion, serverDn } = this.#options;
    const contexts = store.namingContexts;
    const configuration = contexts.find((dn) => /^cn=configuration,/i.test(dn));
    const entry = entryFrom('', {
      objectClass: ['top'],
      namingContexts: contexts,
      subschemaSubentry: subschemaDn,
      // [MS-ADTS] 3.1.1.3.2: the schema is one entry here, and no naming context of its own.
      schemaNamingContext: subschemaDn,
      supportedCapabilities: adamCapability,
      supportedLDAPVersion: '3',
      supportedControl: supportedControls,
      supportedExtension: supportedExtensions,
      supportedFeatures,
      supportedSASLMechanisms: mechanisms,
      vendorName: 'Edge',
      vendorVersion,
      dnsHostName: hostName,
      highestCommittedUSN: String(store.usn),
      currentTime: formatGeneralizedTime(Date.now()),
      isSynchronized: 'TRUE',
    });
    if (configuration !== undefined) entry.set('configurationNamingContext', [configuration]);
    if (serverDn !== undefined) entry.set('dsServiceName', [serverDn]).set('serverName', [serverDn]);
    return entry;
  }

  subschema(): Entry {
    const { schema } = this.#options.store;
    if (this.#subschema?.schema !== schema) {
      const now = formatGeneralizedTime(Date.now());
      this.#created ??= now;
      const entry = describe(schema, subschemaDn);
      entry.set('createTimestamp', [this.#created]);
      // RFC 4512 §4.2: clients keep what they read while this stays the same.
      entry.set('modifyTimestamp', [now]);
      this.#subschema = { schema, entry };
    }
    return this.#subschema.entry;
  }
}

function describe(schema: Schema, dn: string): MutableEntry {
  const [rdn] = Dn.parse(dn).rdns;
  const [name] = rdn ?? [];
  if (name === undefined) throw new LdapError('invalidDNSyntax', 'the subschema entry needs a name');
  const text = (elements: readonly { readonly text: string }[]): string[] => elements.map((element) => element.text);
  return entryFrom(dn, {
    objectClass: ['top', 'subentry', 'subschema'],
    [name.type]: name.value,
    structuralObjectClass: 'subschema',
    entryDN: dn,
    subschemaSubentry: dn,
    hasSubordinates: 'FALSE',
    subtreeSpecification: '{}',
    ldapSyntaxes: text(schema.syntaxes),
    matchingRules: text(schema.matchingRules),
    matchingRuleUse: matchingRuleUse(schema),
    attributeTypes: text(schema.attributeTypes),
    objectClasses: text(schema.objectClasses),
  });
}

/** RFC 4512 §4.1.4: which attributes an extensible match with a rule can be applied to. */
function matchingRuleUse(schema: Schema): string[] {
  return schema.matchingRules.flatMap((rule) => {
    const applies = schema.attributeTypes.filter(
      ({ syntax, equalityRule }) => syntax === rule.syntax || equalityRule?.oid === rule.oid,
    );
    if (applies.length === 0) return [];
    const names = applies.map(({ name }) => name).join(' $ ');
    return [`( ${rule.oid} NAME '${rule.name}' APPLIES ${applies.length === 1 ? names : `( ${names} )`} )`];
  });
}
