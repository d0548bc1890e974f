import {
  type AuditedChange,
  type AuditTrail,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  CmdletObject,
  type ConfigurationStore,
  type ConfigurationWrite,
  cmdletCatalogue,
  type EdgeSyncAdministration,
  type Operation,
  type ServiceFolders,
  type TrackingLog,
  type TransportAdministration,
} from '../../../src/cmdlets/index.ts';
import { StructuredValue } from '../../../src/config/index.ts';
import {
  Dn,
  type Entry,
  LdapError,
  type Modification,
  MutableEntry,
  matchEntry,
  parseFilter,
  type Schema,
} from '../../../src/ldap/index.ts';
import { configurationDn, seedEntries, withGuid } from '../../config/lib/seeded.ts';
import { productSchema } from '../../ldap/schema-of-the-product.ts';

/** A directory in memory, as strict as cmdlets can notice. */
export class MemoryStore implements ConfigurationStore {
  readonly configurationDn = configurationDn;
  readonly entries: MutableEntry[];
  /** Operations that were asked for, in order. */
  readonly log: string[] = [];
  /** Thrown by the next write. */
  refusal: LdapError | undefined;
  readonly #schema: Schema;
  #next = 500;

  constructor(role: 'edge' | 'mailbox') {
    this.entries = seedEntries(role);
    this.#schema = productSchema();
  }

  async search(base: string, scope: 'base' | 'one' | 'sub', filter = '(objectClass=*)'): Promise<readonly Entry[]> {
    const parsed = parseFilter(filter);
    const key = base.toLowerCase();
    const inScope = (dn: string): boolean => {
      if (scope === 'base') return dn === key;
      if (scope === 'one') return Dn.parse(dn).parent?.toString().toLowerCase() === key;
      return dn === key || dn.endsWith(`,${key}`);
    };
    return this.entries.filter(
      (entry) => inScope(entry.dn.toLowerCase()) && matchEntry(parsed, entry, this.#schema) === true,
    );
  }

  async add(dn: string, attributes: ReadonlyMap<string, readonly string[]>): Promise<void> {
    this.#write(`add ${dn}`);
    if (this.#find(dn) !== undefined) throw new LdapError('entryAlreadyExists', dn);
    const parent = Dn.parse(dn).parent?.toString() ?? '';
    if (this.#find(parent) === undefined) throw new LdapError('noSuchObject', parent);
    const entry = new MutableEntry(dn);
    for (const [name, values] of attributes) {
      if (this.#schema.attribute(name) === undefined) throw new LdapError('undefinedAttributeType', name);
      entry.set(name, values);
    }
    this.entries.push(withGuid(entry, this.#next++));
  }

  async modify(dn: string, modifications: readonly Modification[]): Promise<void> {
    this.#write(`modify ${dn}: ${modifications.map(({ attribute }) => attribute).join(', ')}`);
    const entry = this.#existing(dn);
    for (const { attribute, values } of modifications) entry.set(attribute, values);
  }

  async together(writes: readonly ConfigurationWrite[]): Promise<void> {
    if (this.refusal !== undefined) this.#write('together');
    for (const write of writes) {
      if (write.kind === 'modify') await this.modify(write.dn, write.modifications);
      else if (write.kind === 'delete') this.#delete(write.dn);
      else this.#rename(write.dn, write.rdn);
    }
  }

  #rename(dn: string, rdn: string): void {
    this.#write(`rename ${dn} to ${rdn}`);
    const entry = this.#existing(dn);
    entry.dn = `${rdn},${Dn.parse(dn).parent?.toString() ?? ''}`;
    entry.set('cn', [Dn.parse(rdn).rdn[0]?.value ?? '']);
  }

  #delete(dn: string): void {
    this.#write(`delete ${dn}`);
    this.entries.splice(this.entries.indexOf(this.#existing(dn)), 1);
  }

  #find(dn: string): MutableEntry | undefined {
    return this.entries.find(
      (entry) => Dn.parse(entry.dn).toString().toLowerCase() === Dn.parse(dn).toString().toLowerCase(),
    );
  }

  #existing(dn: string): MutableEntry {
    const entry = this.#find(dn);
    if (entry === undefined) throw new LdapError('noSuchObject', dn);
    return entry;
  }

  #write(operation: string): void {
    const refusal = this.refusal;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    this.log.push(operation);
  }
}

/** What one line did. */
export interface Outcome {
  readonly objects: readonly CmdletObject[];
  readonly warnings: readonly string[];
  readonly asked: readonly Operation[];
  readonly changes: readonly AuditedChange[];
  readonly error: CmdletError | undefined;
}

export type Given = Readonly<Record<string, unknown>>;

/** One for all benches of a process, as a service has one for all lines. */
const catalogue = cmdletCatalogue();

/** Runs cmdlets against a seeded directory in memory. */
export class Bench {
  readonly store: MemoryStore;
  readonly catalogue = catalogue;
  /** Answer to -WhatIf and -Confirm. */
  goAhead = true;
  /** What Search-AdminAuditLog finds. */
  auditTrail: AuditTrail = { search: async function* () {} };
  /** What Get-MessageTrackingLog finds. */
  trackingLog: TrackingLog = { search: async function* () {} };
  /** Whether a folder that a line names will do. */
  folders: ServiceFolders = { refusal: () => Promise.resolve(undefined) };
  /** EdgeSync of this server; undefined: it cannot be reached. */
  edgeSync: EdgeSyncAdministration | undefined;
  readonly #role: 'edge' | 'mailbox';
  readonly #transport: TransportAdministration | undefined;

  constructor(role: 'edge' | 'mailbox' = 'edge', transport?: TransportAdministration) {
    this.store = new MemoryStore(role);
    this.#role = role;
    this.#transport = transport;
  }

  /** Everything, the error included. Throws what is no CmdletError. */
  async try(name: string, given: Given = {}): Promise<Outcome> {
    const objects: CmdletObject[] = [];
    const [warnings, asked, changes]: [string[], Operation[], AuditedChange[]] = [[], [], []];
    const context: CmdletContext = {
      store: this.store,
      role: this.#role === 'edge' ? 'EdgeTransport' : 'Mailbox',
      serverName: 'EDGE1',
      transport: this.#transport,
      auditTrail: this.auditTrail,
      trackingLog: this.trackingLog,
      seal: (text) => `sealed:${text.length}`,
      folders: this.folders,
      ...(this.edgeSync !== undefined && { edgeSync: this.edgeSync }),
      warning: (text) => void warnings.push(text),
      verbose: () => undefined,
      shouldProcess: async (operation) => {
        asked.push(operation);
        return this.goAhead;
      },
      changed: (change) => void changes.push(change),
      signal: AbortSignal.timeout(60_000),
    };
    let error: CmdletError | undefined;
    try {
      for await (const object of this.cmdlet(name).run(context, new Map(Object.entries(given))))
        objects.push(asTexts(object));
    } catch (thrown) {
      if (!(thrown instanceof CmdletError)) throw thrown;
      error = thrown;
    }
    return { objects, warnings, asked, changes, error };
  }

  /** As `try`; an error fails the test. */
  async run(name: string, given: Given = {}): Promise<Outcome> {
    const outcome = await this.try(name, given);
    if (outcome.error !== undefined) throw outcome.error;
    return outcome;
  }

  /** One property of the only object that a Get- cmdlet gives. */
  async value(name: string, property: string, given: Given = {}): Promise<unknown> {
    const { objects } = await this.run(name, given);
    if (objects.length !== 1) throw new Error(`${name} gave ${objects.length} objects`);
    return objects[0]?.get(property);
  }

  cmdlet(name: string): Cmdlet {
    const cmdlet = this.catalogue.find(name);
    if (cmdlet === undefined) throw new Error(`no cmdlet ${name}`);
    return cmdlet;
  }
}

export const defaultConnector = 'Default internal receive connector EDGE1';

/** `@{Add=…; Remove=…}` as the shell hands it over. */
export function hash(entries: Readonly<Record<string, unknown>>): unknown {
  const byKey = new Map(Object.entries(entries).map(([key, value]) => [key.toLowerCase(), value]));
  return {
    has: (key: unknown) => byKey.has(String(key).toLowerCase()),
    get: (key: unknown) => byKey.get(String(key).toLowerCase()) ?? null,
    keys: () => Object.keys(entries),
  };
}

/** The same object with values that have members as the texts that they print. */
function asTexts(object: CmdletObject): CmdletObject {
  const plain = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(plain) : value instanceof StructuredValue ? value.toString() : value;
  return new CmdletObject(
    object.typeName,
    object.entries().map(([name, value]) => [name, plain(value)] as const),
  );
}
