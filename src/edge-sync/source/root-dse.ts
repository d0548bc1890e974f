/** Which directory this is, by its root DSE and schema. */
import { type Entry, LdapError } from '../../ldap/index.ts';
import type { LdapStream } from './ldap-stream.ts';
import { controlOids } from './source-controls.ts';

/** [MS-ADTS] 3.1.1.3.4.1.9, RFC 4533 §3.4, draft-ietf-ldapext-psearch. */
export type ChangeNotice = 'change notification' | 'content synchronization' | 'persistent search';

export interface SourceProfile {
  /** 'active-directory' is Samba AD too. */
  readonly kind: 'active-directory' | 'generic';
  /** In words: 'Samba AD', 'OpenLDAP' … */
  readonly name: string;
  /** Naming context that is read; of Active Directory the domain. */
  readonly base: string;
  /** RFC 4533 is offered. */
  readonly contentSync: boolean;
  readonly dirSync: boolean;
  /** How it tells of changes as they happen; undefined: it does not. */
  readonly tells: ChangeNotice | undefined;
  /** Name of the server's NTDS settings object, which says whose update numbers they are. */
  readonly dsServiceName: string;
  /** Configuration naming context of Active Directory; ''. */
  readonly configuration: string;
  readonly exchangeSchema: boolean;
  /** Whether a reference leads to a part that holds no recipients: configuration and DNS zones, which every domain refers to. */
  readonly harmless: (uri: string) => boolean;
}

const activeDirectoryOid = '1.2.840.113556.1.4.800';

/**
 * Looks at the server. `base` is what the administrator named; '' for the server's own. `elsewhere`: names, in lower case, of
 * what is read from other servers.
 */
export async function profileOf(
  stream: LdapStream,
  base: string,
  elsewhere: ReadonlySet<string> = new Set(),
): Promise<SourceProfile> {
  const dse = await baseEntry(stream, '', ['*', '+', 'supportedControl', 'supportedCapabilities', 'namingContexts']);
  if (dse === undefined) throw new LdapError('unavailable', 'the server does not show its root DSE');
  const has = (attribute: string, value: string): boolean => dse.values(attribute).includes(value);
  const active = has('supportedCapabilities', activeDirectoryOid);
  const context = dse.values('defaultNamingContext')[0] ?? dse.values('namingContexts')[0] ?? '';
  const subschema = dse.values('subschemaSubentry')[0] ?? '';
  return {
    kind: active ? 'active-directory' : 'generic',
    name: nameOf(dse.values('vendorName')[0], active, dse.values('structuralObjectClass')[0]),
    base: active ? context : base || context,
    contentSync: !active && has('supportedControl', controlOids.syncRequest),
    dirSync: has('supportedControl', controlOids.dirSync),
    tells: noticeOf(active, (oid) => has('supportedControl', oid)),
    dsServiceName: dse.values('dsServiceName')[0] ?? '',
    configuration: dse.values('configurationNamingContext')[0] ?? '',
    exchangeSchema: await knowsExchange(stream, subschema),
    harmless: harmlessBelow(dse.values('configurationNamingContext')[0] ?? '', elsewhere),
  };
}

function noticeOf(active: boolean, offers: (oid: string) => boolean): ChangeNotice | undefined {
  if (active) return offers(controlOids.notification) ? 'change notification' : undefined;
  if (offers(controlOids.syncRequest)) return 'content synchronization';
  return offers(controlOids.persistentSearch) ? 'persistent search' : undefined;
}

function harmlessBelow(configuration: string, elsewhere: ReadonlySet<string>): (uri: string) => boolean {
  return (uri) => {
    const dn = decodeURIComponent(/^ldaps?:\/\/[^/]*\/([^?]*)/i.exec(uri)?.[1] ?? '').toLowerCase();
    if (elsewhere.has(dn)) return true;
    return /^dc=(?:domain|forest)dnszones,/.test(dn) || (configuration !== '' && dn === configuration.toLowerCase());
  };
}

function nameOf(vendor: string | undefined, active: boolean, structural: string | undefined): string {
  if (active) return vendor?.includes('Samba') === true ? 'Samba AD' : 'Active Directory';
  if (structural === 'OpenLDAProotDSE') return 'OpenLDAP';
  return vendor ?? 'LDAP directory';
}

/** Whether the schema knows Exchange's attributes, by the one that says who may send to a recipient. */
async function knowsExchange(stream: LdapStream, subschema: string): Promise<boolean> {
  if (subschema === '') return false;
  const schema = await baseEntry(stream, subschema, ['attributeTypes']);
  return schema?.values('attributeTypes').some((text) => text.includes("'msExchRequireAuthToSendTo'")) ?? false;
}

/** One entry; undefined when it is not there or may not be seen. */
export async function baseEntry(stream: LdapStream, base: string, attributes: readonly string[]) {
  let found: Entry | undefined;
  for await (const message of stream.search({ base, scope: 'base', attributes })) {
    if (message.kind === 'entry') found = message.entry;
    if (message.kind === 'done' && message.code !== 'success' && message.code !== 'noSuchObject') {
      throw new LdapError(typeof message.code === 'number' ? 'other' : message.code, message.message);
    }
  }
  return found;
}
