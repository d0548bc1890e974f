/** Users and groups of the organization's directory by name and by SID: of Active Directory, Samba AD, and any other by uid. */
import {
  type Entry,
  escapeFilterValue,
  formatSid,
  guidOfSid,
  LdapError,
  type ResultCodeName,
  sidOfGuid,
} from '../../ldap/index.ts';
import type { DirectoryClient } from './directory-client.ts';

/** A user or group. */
export interface DirectoryPrincipal {
  readonly dn: string;
  /** Its objectSid; of a directory without SIDs the one made of its entryUUID. */
  readonly sid: string;
  /** `CORP\alice`; the DN where the directory has no such names. */
  readonly name: string;
}

/** What a domain is called. */
interface Domain {
  readonly base: string;
  /** It is Active Directory or Samba AD. */
  readonly active: boolean;
  /** 'corp.example'. */
  readonly dnsName: string;
  /** 'CORP'; undefined where it may not be read. */
  readonly netbios: string | undefined;
}

const activeDirectoryOid = '1.2.840.113556.1.4.800';
const wanted = ['objectSid', 'sAMAccountName', 'userPrincipalName', 'entryUUID'];
/** Entries of one name that are looked at: two are too many already. */
const mostFound = 5;

/** What a server says of a DN that is none, or lies in another domain. */
const elsewhere: ReadonlySet<ResultCodeName> = new Set<ResultCodeName>(['invalidDNSyntax', 'referral']);

/** SIDs of users and groups of a domain, and of the groups that every Windows has: a directory makes nobody a server of Exchange. */
const ofDomain = /^S-1-5-(?:21|32)-/;

/** Every method throws LdapError. */
export class PrincipalSearch {
  readonly #client: DirectoryClient;
  readonly #base: string;
  #domain: Promise<Domain | undefined> | undefined;

  /** `base`: where a directory without domains is searched; '' for its own naming context. */
  constructor(client: DirectoryClient, base = '') {
    this.#client = client;
    this.#base = base;
  }

  /** What is meant by `CORP\alice`, `alice@corp.example`, `alice` or a DN: none, one, or several. */
  async find(name: string): Promise<readonly DirectoryPrincipal[]> {
    const domain = await this.#look();
    if (domain === undefined) return [];
    if (name.includes('=')) return this.#byDn(name, domain);
    const filter = domain.active
      ? accountFilter(name, domain)
      : `(${/@/.test(name) ? 'mail' : 'uid'}=${escapeFilterValue(name)})`;
    if (filter === undefined) return [];
    const found = await this.#search(domain, filter);
    // A name that an administrator gave as UPN goes before the one that every account has.
    const explicit = found.filter((entry) => entry.values('userPrincipalName').some((one) => same(one, name)));
    return (explicit.length > 0 ? explicit : found).flatMap((entry) => principalOf(entry, domain));
  }

  /** Undefined: there is none, or it may not be seen. */
  async bySid(sid: string): Promise<DirectoryPrincipal | undefined> {
    const domain = await this.#look();
    if (domain === undefined) return undefined;
    const guid = guidOfSid(sid);
    if (!domain.active && guid === undefined) return undefined;
    const [found] = await this.#search(domain, domain.active ? `(objectSid=${sid})` : `(entryUUID=${guid ?? ''})`);
    return found === undefined ? undefined : principalOf(found, domain)[0];
  }

  /** Its own first, then those of its groups, nested ones too, as far as the directory shows them to this client. */
  async sidsOf(dn: string): Promise<readonly string[]> {
    // Active Directory gives tokenGroups for one named entry only.
    const entry = await this.#client.get(dn, ['objectSid', 'tokenGroups', 'entryUUID']);
    if (entry === undefined) return [];
    return [...sidsOfEntry(entry), ...domainSids(entry, 'tokenGroups')];
  }

  async #byDn(dn: string, domain: Domain): Promise<readonly DirectoryPrincipal[]> {
    try {
      const entry = await this.#client.get(dn, wanted);
      return entry === undefined ? [] : principalOf(entry, domain);
    } catch (error) {
      if (error instanceof LdapError && elsewhere.has(error.code)) return [];
      throw error;
    }
  }

  async #search({ base }: Domain, filter: string): Promise<readonly Entry[]> {
    const found: Entry[] = [];
    for await (const entry of this.#client.search({ base, filter, attributes: wanted })) {
      found.push(entry);
      if (found.length === mostFound) break;
    }
    return found;
  }

  #look(): Promise<Domain | undefined> {
    this.#domain ??= this.#readDomain();
    return this.#domain;
  }

  async #readDomain(): Promise<Domain | undefined> {
    const attributes = [
      'defaultNamingContext',
      'namingContexts',
      'configurationNamingContext',
      'supportedCapabilities',
    ];
    const dse = await this.#client.get('', attributes);
    if (dse === undefined) return undefined;
    const active = dse.values('supportedCapabilities').includes(activeDirectoryOid);
    const context = dse.values('defaultNamingContext')[0] ?? dse.values('namingContexts')[0];
    const base = active || this.#base === '' ? context : this.#base;
    if (base === undefined) return undefined;
    const dnsName = [...base.matchAll(/(?:^|,)\s*dc=([^,]+)/gi)].map(([, label]) => label ?? '').join('.');
    const [configuration] = dse.values('configurationNamingContext');
    const netbios = active && configuration !== undefined ? await this.#netbiosOf(base, configuration) : undefined;
    return { base, active, dnsName, netbios };
  }

  async #netbiosOf(base: string, configuration: string): Promise<string | undefined> {
    const filter = `(&(objectClass=crossRef)(nCName=${escapeFilterValue(base)}))`;
    const at = { base: `CN=Partitions,${configuration}`, scope: 'one', filter, attributes: ['nETBIOSName'] } as const;
    try {
      return (await this.#client.searchAll(at))[0]?.values('nETBIOSName')[0];
    } catch (error) {
      // Without it names have the domain's DNS name alone.
      if (error instanceof LdapError && error.code !== 'unavailable') return undefined;
      throw error;
    }
  }
}

const same = (one: string, two: string): boolean => one.toLowerCase() === two.toLowerCase();

/** [MS-ADTS] 5.1.1.1.1; undefined: the name is of another domain. */
function accountFilter(name: string, { dnsName, netbios = '' }: Domain): string | undefined {
  const isOwn = (domain: string): boolean => same(domain, dnsName) || (netbios !== '' && same(domain, netbios));
  const account = (text: string): string => `(sAMAccountName=${escapeFilterValue(text)})`;
  const slash = name.indexOf('\\');
  if (slash >= 0) return isOwn(name.slice(0, slash)) ? account(name.slice(slash + 1)) : undefined;
  const at = name.lastIndexOf('@');
  if (at < 0) return account(name);
  const principal = `(userPrincipalName=${escapeFilterValue(name)})`;
  return isOwn(name.slice(at + 1)) ? `(|${principal}${account(name.slice(0, at))})` : principal;
}

function domainSids(entry: Entry, attribute: string): readonly string[] {
  return entry
    .buffers(attribute)
    .flatMap((one) => formatSid(one) ?? [])
    .filter((sid) => ofDomain.test(sid));
}

function sidsOfEntry(entry: Entry): readonly string[] {
  const sids = domainSids(entry, 'objectSid');
  if (sids.length > 0) return sids;
  return entry.values('entryUUID').map((uuid) => sidOfGuid(Buffer.from(uuid.replaceAll('-', ''), 'hex')));
}

function principalOf(entry: Entry, { netbios, dnsName }: Domain): readonly DirectoryPrincipal[] {
  const [sid] = sidsOfEntry(entry);
  if (sid === undefined) return [];
  const [account] = entry.values('sAMAccountName');
  const name = account === undefined ? entry.dn : `${netbios ?? dnsName}\\${account}`;
  return [{ dn: entry.dn, sid, name }];
}
