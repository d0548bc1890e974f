import { readdirSync, readFileSync } from 'node:fs';
import { Schema } from '../../src/ldap/index.ts';

const folder = new URL('../../ldap/schema/', import.meta.url);

let product: Schema | undefined;

/** The schema that the product comes with, read once in a process: nothing changes a schema (`extended` makes another). */
export function productSchema(): Schema {
  product ??= Schema.fromLdif(
    readdirSync(folder)
      .sort()
      .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })),
  );
  return product;
}
