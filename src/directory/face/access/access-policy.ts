/** What a principal may do with an entry. */
import type { Entry } from '../../../ldap/index.ts';
import type { Principal } from './identity.ts';

/** Rights on one entry. Attributes are given by their key: the primary name in lower case. */
export interface EntryRights {
  /** Whether the entry is disclosed at all: found by searches, named in results. */
  readonly visible: boolean;
  reads(attribute: string): boolean;
  writes(attribute: string): boolean;
  readonly creates: boolean;
  readonly deletes: boolean;
  /** Whether the entry may come to have the classes it has, by a modify that names objectClass. */
  readonly setsClasses: boolean;
}

/** Decides for each operation anew, so that a change of the rules counts at once. */
export interface AccessPolicy {
  rights(principal: Principal, entry: Entry): EntryRights;
  /** Rights on an entry that is to come to its place: what it brings along itself gives none. */
  rightsAtPlace(principal: Principal, entry: Entry): EntryRights;
}

export const everyRight: EntryRights = {
  visible: true,
  reads: () => true,
  writes: () => true,
  creates: true,
  deletes: true,
  setsClasses: true,
};
export const noRight: EntryRights = {
  visible: false,
  reads: () => false,
  writes: () => false,
  creates: false,
  deletes: false,
  setsClasses: false,
};

function forAdministrators({ kind }: Principal): EntryRights {
  return kind === 'administrator' ? everyRight : noRight;
}

/** Administrators everything, everyone else nothing but the root DSE. */
export const administratorsOnly: AccessPolicy = {
  rights: forAdministrators,
  rightsAtPlace: forAdministrators,
};
