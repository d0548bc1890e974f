/**
 * Who may do what on an object: access control entries in SDDL text ([MS-DTYP] 2.5.1), kept in nTSecurityDescriptor.
 * Only entries that grant or deny extended rights (CR, GA) mean something here; all others are kept as they stand.
 */
import { principalName, sidOfSddl } from './principals.ts';
import { guidOfRight, type Right, rightOfGuid, rights } from './rights.ts';

/** One extended right allowed or denied to one principal. */
export interface Ace {
  readonly sid: string;
  /** Name of the principal as the shell prints it, or its SID. */
  readonly principal: string;
  /** 'All' stands for every extended right. */
  readonly right: Right | 'All';
  readonly deny: boolean;
  /** Comes from a container above. */
  readonly inherited: boolean;
}

/** Makes an entry for a SID. */
export function ace(sid: string, right: Right | 'All', deny = false): Ace {
  return { sid, principal: principalName(sid), right, deny, inherited: false };
}

const descriptorPattern = /^((?:O:[^():]*?)?(?:G:[^():]*?)?)D:([A-Z]*)((?:\([^()]*\))*)((?:S:.*)?)$/;

/** Parts of a descriptor that matter here, and the rest as text. */
interface Descriptor {
  readonly head: string;
  readonly flags: string;
  readonly entries: readonly { readonly text: string; readonly ace: Ace | undefined }[];
  readonly tail: string;
}

function parseDescriptor(sddl: string): Descriptor {
  const match = descriptorPattern.exec(sddl.trim());
  if (match === null) throw new RangeError('is not an SDDL text such as D:(A;;CR;;;AN)');
  const [, head = '', flags = '', entries = '', tail = ''] = match;
  const texts = entries.match(/\([^()]*\)/g) ?? [];
  return { head, flags, tail, entries: texts.map((text) => ({ text, ace: parseAce(text) })) };
}

/** `undefined` for an entry about anything but extended rights. */
function parseAce(text: string): Ace | undefined {
  const fields = text.slice(1, -1).split(';');
  if (fields.length !== 6) throw new RangeError(`the entry ${text} has not six fields`);
  const [type = '', flags = '', mask = '', object = '', , trustee = ''] = fields.map((field) => field.trim());
  if (!/^O?[AD]$/.test(type) || !/^(?:[A-Z]{2})*$/.test(mask) || !/CR|GA/.test(mask)) return undefined;
  // Inherit-only entries speak of the objects below, never of this one.
  if (flags.includes('IO')) return undefined;
  const right = object === '' ? 'All' : rightOfGuid(object);
  if (right === undefined) return undefined;
  const sid = sidOfSddl(trustee);
  return { sid, principal: principalName(sid), right, deny: type.endsWith('D'), inherited: flags.includes('ID') };
}

function formatAce({ sid, right, deny }: Ace): string {
  const guid = right === 'All' ? '' : guidOfRight(right);
  return `(${guid === '' ? '' : 'O'}${deny ? 'D' : 'A'};;CR;${guid};;${sid})`;
}

/** The entries about extended rights, in their order. Throws RangeError for text that is no SDDL. */
export function parseAcl(sddl: string): readonly Ace[] {
  return parseDescriptor(sddl).entries.flatMap((entry) => entry.ace ?? []);
}

/** The same right for the same principal, allowed or denied alike. */
export function sameAce(a: Ace, b: Ace): boolean {
  return a.sid === b.sid && a.right === b.right && a.deny === b.deny;
}

/**
 * Writes entries into a descriptor: entries about extended rights are replaced by `acl` (inherited ones stay),
 * everything else is kept, also the other rights of an entry that loses its extended ones. Denials stand first
 * ([MS-DTYP] 2.4.5, canonical order).
 */
export function writeAcl(acl: readonly Ace[], sddl = 'D:'): string {
  const { head, flags, entries, tail } = parseDescriptor(sddl);
  const inherited = entries.filter((entry) => entry.ace?.inherited === true).map((entry) => entry.text);
  const foreign = entries.filter((entry) => entry.ace === undefined).map((entry) => entry.text);
  const own = acl.filter((one) => !one.inherited);
  const there = entries.flatMap(({ text, ace: one }) =>
    one === undefined || one.inherited ? [] : [{ text, ace: one }],
  );
  const gone = there
    .filter((entry) => !own.some((one) => sameAce(one, entry.ace)))
    .flatMap(({ text }) => otherRights(text));
  const unique = own.filter((one, at) => own.findIndex((other) => sameAce(one, other)) === at);
  // An entry that stays keeps its text: full control (GA) must not become the extended rights alone.
  const write = (one: Ace): string => there.find((entry) => sameAce(one, entry.ace))?.text ?? formatAce(one);
  const texts = [...unique.filter((one) => one.deny), ...unique.filter((one) => !one.deny)].map(write);
  return `${head}D:${flags}${[...texts, ...foreign, ...gone, ...inherited].join('')}${tail}`;
}

/** What is left of an entry without its extended rights. */
function otherRights(text: string): readonly string[] {
  const [type = '', flags = '', mask = '', ...rest] = text.slice(1, -1).split(';');
  const others = (mask.match(/../g) ?? []).filter((right) => right !== 'CR' && right !== 'GA').join('');
  return others === '' ? [] : [`(${[type, flags, others, ...rest].join(';')})`];
}

/** An entry in words. */
export const describeAce = (one: Ace): string =>
  `${one.deny ? 'Deny' : 'Allow'} ${one.right} to ${one.principal}${one.inherited ? ' (inherited)' : ''}`;

/**
 * Rights that a session with these SIDs holds, each with the entry that decided, in words. A denial wins over every
 * grant of its own kind; entries of the object win over inherited ones.
 */
export function grantedRights(acl: readonly Ace[], sids: Iterable<string>): ReadonlyMap<Right, string> {
  const mine = new Set(sids);
  const concerned = acl.filter((one) => mine.has(one.sid));
  const granted = new Map<Right, string>();
  for (const right of rights) {
    const decider = decidingAce(concerned, right);
    if (decider !== undefined && !decider.deny) granted.set(right, describeAce(decider));
  }
  return granted;
}

/** The entry that grants or denies a right to any of the SIDs, for explaining a missing right. */
export function decidingEntry(acl: readonly Ace[], sids: Iterable<string>, right: Right): Ace | undefined {
  const mine = new Set(sids);
  return decidingAce(
    acl.filter((one) => mine.has(one.sid)),
    right,
  );
}

function decidingAce(concerned: readonly Ace[], right: Right): Ace | undefined {
  const about = concerned.filter((one) => one.right === right || one.right === 'All');
  const order = (one: Ace): number => (one.inherited ? 2 : 0) + (one.deny ? 0 : 1);
  return about.reduce<Ace | undefined>((best, one) => (best && order(best) <= order(one) ? best : one), undefined);
}
