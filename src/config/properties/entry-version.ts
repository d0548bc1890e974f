import type { Entry } from '../../ldap/index.ts';

/** Changes whenever the entry does. */
export function versionOf(entry: Entry): string {
  const usn = entry.values('uSNChanged')[0];
  // A rename of an ancestor changes the DN and no USN.
  if (usn !== undefined) return `${usn} ${entry.dn}`;
  return JSON.stringify([
    entry.dn,
    ...entry.attributes.map((name) => [name, entry.buffers(name).map((one) => one.toString('hex'))]),
  ]);
}
