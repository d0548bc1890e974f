import { readdirSync, readFileSync } from 'node:fs';
import type { EntrySource } from '../../../src/config/index.ts';
import { MutableEntry, matchEntry, readLdif } from '../../../src/ldap/index.ts';
import { productSchema } from '../../ldap/schema-of-the-product.ts';

const folder = new URL('../../../ldap/', import.meta.url);

export const configurationDn = 'CN=Configuration,CN={6FD6DBF1-2C5F-4B2D-8D4E-000000000001}';

export const placeholders: Readonly<Record<string, string>> = {
  configurationDn,
  instanceGuid: '6FD6DBF1-2C5F-4B2D-8D4E-000000000001',
  serverName: 'EDGE1',
  serverFqdn: 'edge1.example.net',
};

/** Entries of the seed for a role, each with a GUID of its own. */
export function seedEntries(role: 'edge' | 'mailbox'): MutableEntry[] {
  const entries: MutableEntry[] = [];
  for (const part of ['common', role]) {
    for (const name of readdirSync(new URL(`seed/${part}/`, folder)).sort()) {
      const text = readFileSync(new URL(`seed/${part}/${name}`, folder), 'utf8');
      const filled = text.replace(/\$\{(\w+)\}/g, (_, key: string) => placeholders[key] ?? `missing ${key}`);
      for (const record of readLdif(filled)) {
        if (record.kind !== 'content') throw new Error(`${name}: ${record.dn} is no content record`);
        const entry = new MutableEntry(record.dn);
        for (const { attribute, values } of record.attributes) entry.append(attribute, values);
        entries.push(withGuid(entry, entries.length + 1));
      }
    }
  }
  return entries;
}

export function withGuid(entry: MutableEntry, number: number): MutableEntry {
  const guid = Buffer.alloc(16);
  guid.writeUInt32BE(number, 12);
  return entry.set('objectGUID', [guid]);
}

/** Entries in memory as the snapshot builder reads them; `usn` moves with `touch`. */
export class ListSource implements EntrySource {
  usn = 1;
  readonly entries: MutableEntry[];
  readonly #schema = productSchema();

  constructor(entries: MutableEntry[]) {
    this.entries = entries;
  }

  search({ filter }: Parameters<EntrySource['search']>[0]): MutableEntry[] {
    return this.entries.filter((entry) => matchEntry(filter, entry, this.#schema) === true);
  }

  /** Changes one entry and counts it. */
  touch(dnPart: string, change: (entry: MutableEntry) => void): void {
    const entry = this.entries.find(({ dn }) => dn.includes(dnPart));
    if (entry === undefined) throw new Error(`no entry with ${dnPart}`);
    change(entry);
    this.usn += 1;
    entry.set('uSNChanged', [String(this.usn)]);
  }
}
