/** Makes all indexes anew, within a transaction. */

import { StoredEntry } from '../entries/stored-entry.ts';
import { declaredIndexes } from '../indexes/index-keys.ts';
import type { StoreReader } from '../records/store-reader.ts';
import { keysOf, type StoreWriter } from '../records/store-writer.ts';

export function rebuildIndexes(reader: StoreReader, writer: StoreWriter): void {
  const { schema, environment } = reader;
  void environment.index.clearSync();
  const indexed = schema.attributeTypes.filter(({ indexes }) => indexes.length > 0).map(({ key }) => key);
  for (const { key: id, value } of environment.entries.getRange()) {
    const entry = new StoredEntry(Buffer.from(value), reader);
    for (const attribute of indexed)
      for (const key of keysOf(attribute, entry, schema).values()) reader.index.add(key, id);
  }
  writer.put('indexes', declaredIndexes(schema));
  reader.index.complete = new Set(declaredIndexes(schema));
}
