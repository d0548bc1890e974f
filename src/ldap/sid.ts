/** Security identifiers as Active Directory keeps them: [MS-DTYP] 2.4.2.2. */

/** 'S-1-5-21-…' of the octets of an objectSid; undefined for what is none. */
export function formatSid(octets: Buffer): string | undefined {
  const count = octets[1] ?? 0;
  if (octets[0] !== 1 || count > 15 || octets.length !== 8 + 4 * count) return undefined;
  const parts = Array.from({ length: count }, (_, at) => octets.readUInt32LE(8 + 4 * at));
  return ['S-1', octets.readUIntBE(2, 6), ...parts].join('-');
}

/**
 * The SID of an entry that has none, from its GUID (16 octets). Exchange makes those of its own principals so, below the
 * authority 9 of resource managers.
 */
export function sidOfGuid(guid: Buffer): string {
  return ['S-1-9', ...[0, 4, 8, 12].map((at) => guid.readUInt32LE(at))].join('-');
}

/** The GUID, as text, that `sidOfGuid` made this SID of; undefined for any other SID. */
export function guidOfSid(sid: string): string | undefined {
  const parts = /^S-1-9-(\d+)-(\d+)-(\d+)-(\d+)$/.exec(sid)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 0xffff_ffff)) return undefined;
  const octets = Buffer.alloc(16);
  for (const [at, part] of parts.entries()) octets.writeUInt32LE(part, 4 * at);
  return octets.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
