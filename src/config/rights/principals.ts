/** Who a session may be: well-known names and their SIDs ([MS-DTYP] 2.4.2.4), and Exchange's transport SIDs. */

const transport = 'S-1-9-1419165041-1139599005-3936102811-1022490595';

/** SIDs that sessions carry. */
export const wellKnownSids = {
  everyone: 'S-1-1-0',
  anonymous: 'S-1-5-7',
  authenticatedUsers: 'S-1-5-11',
  partner: `${transport}-10`,
  hub: `${transport}-21`,
  edge: `${transport}-22`,
  externallySecured: `${transport}-23`,
  legacy: `${transport}-24`,
} as const;

/** SID, name as the shell prints it, alias in SDDL ([MS-DTYP] 2.5.1.1), other names that are understood. */
const table: readonly (readonly [sid: string, name: string, alias: string, ...others: string[]])[] = [
  [wellKnownSids.everyone, 'Everyone', 'WD'],
  [wellKnownSids.anonymous, 'NT AUTHORITY\\ANONYMOUS LOGON', 'AN', 'Anonymous', 'Anonymous Logon'],
  [wellKnownSids.authenticatedUsers, 'NT AUTHORITY\\Authenticated Users', 'AU'],
  ['S-1-5-10', 'NT AUTHORITY\\SELF', 'PS'],
  ['S-1-5-18', 'NT AUTHORITY\\SYSTEM', 'SY'],
  ['S-1-5-20', 'NT AUTHORITY\\NETWORK SERVICE', 'NS'],
  ['S-1-5-32-544', 'BUILTIN\\Administrators', 'BA'],
  ['S-1-5-32-545', 'BUILTIN\\Users', 'BU'],
  [wellKnownSids.partner, 'MS Exchange\\Partner Servers', ''],
  [wellKnownSids.hub, 'MS Exchange\\Hub Transport Servers', ''],
  [wellKnownSids.edge, 'MS Exchange\\Edge Transport Servers', ''],
  [wellKnownSids.externallySecured, 'MS Exchange\\Externally Secured Servers', ''],
  [wellKnownSids.legacy, 'MS Exchange\\Legacy Exchange Servers', '', 'ExchangeLegacyInterop'],
];

/** A name with plain quotation marks and spaces, for comparing: administrators paste from web pages. */
function plain(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\u2018\u2019\u201a\u201b\u201c\u201d\u201e"']/g, '')
    .replace(/[\s\u00a0]+/g, ' ')
    .replace(/[\u2215\u2044/]/g, '\\')
    .replace(/ *\\ */g, '\\')
    .trim()
    .toLowerCase();
}

const bySid: ReadonlyMap<string, string> = new Map(table.map(([sid, name]) => [sid, name]));
const byName: ReadonlyMap<string, string> = new Map(
  table.flatMap(([sid, name, , ...others]) => {
    const short = name.slice(name.indexOf('\\') + 1);
    return [name, short, ...others].map((one) => [plain(one), sid] as const);
  }),
);
const byAlias: ReadonlyMap<string, string> = new Map(
  table.filter(([, , alias]) => alias).map(([sid, , alias]) => [alias, sid]),
);

/** Names of all principals that are known without a directory, for messages and completion. */
export const wellKnownPrincipals: readonly string[] = table.map(([, name]) => name);

/** SID for a name ('NT AUTHORITY\Anonymous Logon' in any case, 'Authenticated Users') or a SID; undefined when unknown. */
export function sidOf(nameOrSid: string): string | undefined {
  const name = plain(nameOrSid);
  if (/^s-1-\d+(-\d+)+$/.test(name)) return name.toUpperCase();
  return byName.get(name);
}

/** Name as the shell prints it; the SID itself when it has none. */
export function principalName(sid: string): string {
  return bySid.get(sid) ?? sid;
}

/** SID for what stands in SDDL: a SID or a two-letter alias. Throws RangeError for an unknown alias. */
export function sidOfSddl(text: string): string {
  if (/^S-1-/i.test(text)) return text.toUpperCase();
  const sid = byAlias.get(text.toUpperCase());
  if (sid === undefined) throw new RangeError(`'${text}' is neither a SID nor an alias known here`);
  return sid;
}
