/** Export to and import from LDIF, and the seed entries of a new directory. */
import { basename } from 'node:path';
import { formatLdifRecord, LdapError, LdifError, type LdifRecord, readLdif } from '../../ldap/index.ts';
import { withHashedPasswords } from '../password-hash.ts';
import type { DirectoryStore } from './directory-store.ts';
import type {
  AttributeValues,
  DirectoryReader,
  Operation,
  SchemaExtension,
  SearchScope,
  WriteOptions,
} from './entries/contract.ts';
import { readLdifFolder } from './entries/schema-files.ts';
import { subschemaDn } from './entries/stored-entry.ts';

export interface ExportOptions {
  /** Default: everything. */
  readonly base?: string;
  readonly scope?: SearchScope;
  /** Also what the server keeps for itself (GUIDs, times, creators). Default: false, so that two exports of equal content are equal. */
  readonly operational?: boolean;
}

/** Operational attributes of an export that is to give back the same entries, GUIDs included. */
const exportedComputed = ['objectGUID', 'whenCreated', 'whenChanged', 'uSNCreated', 'uSNChanged'] as const;

/** Yields the export in pieces, parents before children, siblings by name. */
export async function* exportLdif(
  reader: DirectoryReader,
  options: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  yield 'version: 1\n';
  // Without what was added to the schema the rest could not be read back.
  if (options.base === undefined || options.base === '')
    for (const ldif of reader.schemaExtensions)
      for (const record of readLdif(ldif)) yield `\n${formatLdifRecord(subschemaDn, addedTo(record))}`;
  for await (const entry of reader.searchGently({ base: options.base ?? '', scope: options.scope ?? 'sub' })) {
    const kept = entry.storedAttributes.filter((name) => options.operational === true || !isOperational(reader, name));
    const names = options.operational === true ? [...kept, ...exportedComputed] : kept;
    yield `\n${formatLdifRecord(
      entry.dn,
      names.map((attribute) => ({ attribute, values: entry.buffers(attribute) })),
    )}`;
  }
}

function isOperational(reader: DirectoryReader, name: string): boolean {
  const attribute = reader.schema.describe(name)?.attribute;
  return attribute?.noUserModification === true;
}

export interface ImportResult {
  /** Records applied, or that would be. */
  readonly records: number;
}

/** An import that was refused; nothing of it was written. */
export class ImportError extends Error {
  /** Line on which the record begins. */
  readonly line: number;
  readonly dn: string;

  constructor(record: LdifRecord, cause: Error) {
    super(`line ${record.line}, '${record.dn}': ${cause.message}`, { cause });
    this.name = 'ImportError';
    this.line = record.line;
    this.dn = record.dn;
  }
}

export interface ImportOptions extends WriteOptions {
  /** Only says whether it could be done. Default: false. */
  readonly dryRun?: boolean;
  /** Told from time to time how many records are done. */
  readonly onProgress?: (records: number) => void;
}

const progressEvery = 10_000;

/**
 * Applies content and change records, all or nothing, those for the schema (`cn=schema`) included. Throws LdifError for text
 * that is no LDIF, and ImportError for a record that the directory refuses.
 */
export async function importLdif(
  store: DirectoryStore,
  source: string | Iterable<LdifRecord>,
  { dryRun = false, onProgress, ...options }: ImportOptions,
): Promise<ImportResult> {
  let last: LdifRecord | undefined;
  let records = 0;
  const operations = function* (): Generator<Operation | SchemaExtension> {
    for (const record of typeof source === 'string' ? readLdif(source) : source) {
      last = record;
      records += 1;
      yield isSchemaRecord(store, record)
        ? { kind: 'extendSchema', ldif: schemaLdif(record) }
        : withHashedPasswords(operationOf(record), store.schema);
      if (records % progressEvery === 0) onProgress?.(records);
    }
  };
  try {
    await store.load(operations(), { newNamingContext: true, system: true, ...options, rehearse: dryRun });
  } catch (error) {
    const refused = error instanceof LdapError || (error instanceof RangeError && !(error instanceof LdifError));
    if (refused && last !== undefined) throw new ImportError(last, error);
    throw error;
  }
  return { records };
}

function isSchemaRecord(store: DirectoryStore, { dn }: LdifRecord): boolean {
  return /^cn=/i.test(dn) && store.schema.dnKey(dn)?.equals(store.keyOf(subschemaDn)) === true;
}

/** What a record says of the schema, as a text that the store keeps. Throws LdapError for one that takes something away. */
function schemaLdif(record: LdifRecord): string {
  const onlyAdds =
    record.kind === 'content' ||
    record.kind === 'add' ||
    (record.kind === 'modify' && record.modifications.every(({ operation }) => operation === 'add'));
  if (!onlyAdds)
    throw new LdapError(
      'unwillingToPerform',
      'the schema is only added to: a description replaces the one with its OID',
    );
  return formatLdifRecord(subschemaDn, addedTo(record));
}

/** What a record says of its entry, or adds to it. */
function addedTo(record: LdifRecord): AttributeValues[] {
  const parts = record.kind === 'modify' ? record.modifications : 'attributes' in record ? record.attributes : [];
  return parts.map(({ attribute, values }) => ({ attribute, values }));
}

/** The operation of a record. Throws LdapError for critical controls, which an import does not know. */
function operationOf(record: LdifRecord): Operation {
  if (record.controls.some(({ critical }) => critical)) {
    throw new LdapError('unavailableCriticalExtension', 'the record has a critical control');
  }
  const { dn } = record;
  switch (record.kind) {
    case 'content':
    case 'add':
      return { kind: 'add', dn, attributes: record.attributes };
    case 'modify':
      return { kind: 'modify', dn, modifications: record.modifications };
    case 'delete':
      return { kind: 'delete', dn };
    case 'modifyDn': {
      const { newRdn, deleteOldRdn, newSuperior } = record;
      return { kind: 'modifyDn', dn, newRdn, deleteOldRdn, ...(newSuperior === undefined ? {} : { newSuperior }) };
    }
  }
}

export interface SeedResult {
  readonly added: number;
  /** Entries that were there already and stay as they are. */
  readonly skipped: number;
}

/**
 * Adds the entries of a folder's LDIF files, in order of the file names, with `${name}` replaced; what exists is left alone.
 * All or nothing. Throws RangeError for a placeholder without a value, ImportError for an entry that the directory refuses.
 */
export async function seed(
  store: DirectoryStore,
  folder: string,
  placeholders: Readonly<Record<string, string>>,
): Promise<SeedResult> {
  const files = await readLdifFolder(folder);
  const records = files.flatMap(({ name, text }) => [...readLdif(replacePlaceholders(text, placeholders, name))]);
  const seen = new Set<string>();
  const missing = records.filter(({ dn }) => {
    const key = store.keyOf(dn).toString('latin1');
    if (seen.has(key)) return false;
    seen.add(key);
    return store.get(dn) === undefined;
  });
  let current: LdifRecord | undefined;
  const operations = function* (): Generator<Operation> {
    for (const record of missing) {
      current = record;
      if (record.kind !== 'content') throw new RangeError(`seed: '${record.dn}' is not a content record`);
      yield operationOf(record);
    }
  };
  try {
    if (missing.length > 0) await store.batch(operations(), { actor: '', system: true, newNamingContext: true });
  } catch (error) {
    if (error instanceof LdapError && current !== undefined) throw new ImportError(current, error);
    throw error;
  }
  return { added: missing.length, skipped: records.length - missing.length };
}

/**
 * Replaces `${name}`. In a line `dn:` and in values of DN syntax a value that needs escaping must come escaped: pass it so.
 */
function replacePlaceholders(text: string, placeholders: Readonly<Record<string, string>>, file: string): string {
  return text.replace(/\$\{([A-Za-z][A-Za-z0-9]*)\}/g, (_, name: string) => {
    const value = placeholders[name];
    if (value === undefined) throw new RangeError(`seed ${basename(file)}: nothing is known for \${${name}}`);
    if (/[\r\n]/.test(value)) throw new RangeError(`seed: the value of \${${name}} holds a line break`);
    return value;
  });
}
