import { readdirSync, readFileSync } from 'node:fs';
import { Schema } from '../../src/ldap/index.ts';

const folder = new URL('../../ldap/schema/', import.meta.url);

/** The schema that the product comes with. */
export function productSchema(): Schema {
  const names = readdirSync(folder).sort();
  return Schema.fromLdif(names.map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })));
}
