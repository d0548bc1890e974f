import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/base/index.ts';
import { type AttributeValues, DirectoryStore, type WriteOptions } from '../../src/directory/index.ts';
import type { Schema } from '../../src/ldap/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  ms = Date.UTC(2026, 0, 2, 3, 4, 5);

  now(): number {
    return this.ms;
  }

  monotonic(): number {
    return this.now();
  }

  after(): { cancel(): void } {
    return { cancel: () => undefined };
  }
}

export interface StoreForTest extends AsyncDisposable {
  readonly store: DirectoryStore;
  readonly path: string;
  readonly clock: HandClock;
}

export const admin: WriteOptions = { actor: 'CN=Admin' };
export const asProduct: WriteOptions = { actor: '', system: true, newNamingContext: true };

/** Attributes from a plain record. */
export function attributes(
  record: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>,
): AttributeValues[] {
  const octets = (value: string | Buffer): Buffer => (typeof value === 'string' ? Buffer.from(value) : value);
  return Object.entries(record).map(([attribute, values]) => ({
    attribute,
    values: (typeof values === 'string' || Buffer.isBuffer(values) ? [values] : values).map(octets),
  }));
}

/** An empty store in a folder of its own, removed afterwards. */
export async function emptyStore(schema: Schema = productSchema()): Promise<StoreForTest> {
  const path = await mkdtemp(join(tmpdir(), 'edge-store-'));
  const clock = new HandClock();
  const store = await DirectoryStore.open({ path, schema, clock });
  return {
    store,
    path,
    clock,
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** A store with o=x, two organizational units and two people in the first. */
export async function smallStore(schema?: Schema): Promise<StoreForTest> {
  const test = await emptyStore(schema);
  const { store } = test;
  await store.add('o=x', attributes({ objectClass: 'organization' }), asProduct);
  await store.add('ou=People,o=x', attributes({ objectClass: 'organizationalUnit' }), admin);
  await store.add('ou=Other,o=x', attributes({ objectClass: 'organizationalUnit' }), admin);
  await store.add(
    'cn=Jane,ou=People,o=x',
    attributes({ objectClass: 'inetOrgPerson', sn: 'Doe', mail: 'jane@x.example' }),
    admin,
  );
  await store.add('cn=John,ou=People,o=x', attributes({ objectClass: 'inetOrgPerson', sn: 'Roe' }), admin);
  return test;
}
