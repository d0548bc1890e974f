/**
 * What the inside knows: the recipients of the source as they were last read, and for each edge what stands there and what
 * is still to be written. LMDB, so that a run costs what changed, and is killed at any instant without harm: what a batch will
 * write is marked as unsure on disk before it is sent, and confirmed with it afterwards.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { heldAddresses, heldKey, type Recipient } from '../recipient.ts';
import { EdgeMirror, type MetaValue } from './edge-mirror.ts';

/** What one item of a reading leaves. */
export interface SourceUpdate {
  readonly id: string;
  /** Undefined: it is gone, or no recipient any more. */
  readonly recipient: Recipient | undefined;
}

const mostEdges = 32;

/** Says that the subscription of an edge has a mapping of its own. */
export const ownKey = (edge: string): string => `own ${edge}`;

export class Mirror implements AsyncDisposable {
  readonly #root: RootDatabase;
  readonly #recipients: Database<Recipient, string>;
  /** Address to the ids of all recipients that are to have it. */
  readonly #wanted: Database<string, string>;
  readonly #meta: Database<MetaValue, string>;
  readonly #edges = new Map<string, EdgeMirror>();

  private constructor(root: RootDatabase) {
    this.#root = root;
    this.#recipients = root.openDB<Recipient, string>('recipients', { encoding: 'msgpack' });
    this.#wanted = root.openDB<string, string>('wanted', { encoding: 'ordered-binary', dupSort: true });
    this.#meta = root.openDB<MetaValue, string>('meta', { encoding: 'json' });
    for (const name of this.edgeNames) this.#openEdge(name);
  }

  /** Opens or makes it. The folder holds addresses in clear: mode 0700. */
  static open(folder: string, { readOnly = false } = {}): Mirror {
    const made = !existsSync(join(folder, 'data.mdb'));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const root = open({
      path: folder,
      readOnly,
      maxDbs: 8 + mostEdges * 3,
      mapSize: 64 * 1024 ** 3,
      overlappingSync: false,
      noSubdir: false,
    });
    if (made) for (const name of ['data.mdb', 'lock.mdb']) chmodSync(join(folder, name), 0o600);
    return new Mirror(root);
  }

  /** A copy that can be thrown away: what a plan reads must not stay. */
  async copyTo(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await this.#root.backup(folder, true);
  }

  meta(key: string): MetaValue | undefined {
    return this.#meta.get(key);
  }

  async setMeta(values: Readonly<Record<string, MetaValue | undefined>>): Promise<void> {
    await this.#root.transaction(() => this.#putMeta(values));
  }

  #putMeta(values: Readonly<Record<string, MetaValue | undefined>>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) void this.#meta.remove(key);
      else void this.#meta.put(key, value);
    }
  }

  recipient(id: string): Recipient | undefined {
    return this.#recipients.get(id);
  }

  /** Every recipient, excluded ones too. */
  *recipients(): Generator<Recipient> {
    for (const { value } of this.#recipients.getRange({ snapshot: false })) yield value;
  }

  *ids(): Generator<string> {
    yield* this.#recipients.getKeys({ snapshot: false });
  }

  get size(): number {
    return (this.#recipients.getStats() as { entryCount: number }).entryCount;
  }

  /** Ids of the recipients that are to have a canonical address. */
  holders(address: string): string[] {
    return [...this.#wanted.getValues(address)];
  }

  /** Whether a recipient is to have a canonical address on an edge; without a name: on one that has no mapping of its own. */
  isHeld(address: string, edge = ''): boolean {
    const own = edge !== '' && this.#meta.get(ownKey(edge)) === true ? edge : '';
    return this.#wanted.get(heldKey(address, own)) !== undefined;
  }

  /** Takes over what was read; what differs is to be written to every edge. All or nothing. Returns how many differed. */
  async update(
    updates: readonly SourceUpdate[],
    meta: Readonly<Record<string, MetaValue | undefined>> = {},
  ): Promise<number> {
    return this.#root.transaction(() => {
      const changed = updates.filter((update) => this.#put(update)).length;
      this.#putMeta(meta);
      return changed;
    });
  }

  #put({ id, recipient }: SourceUpdate): boolean {
    const before = this.#recipients.get(id);
    if (JSON.stringify(before) === JSON.stringify(recipient)) return false;
    for (const key of heldAddresses(before)) void this.#wanted.remove(key, id);
    for (const key of heldAddresses(recipient)) void this.#wanted.put(key, id);
    if (recipient === undefined) void this.#recipients.remove(id);
    else void this.#recipients.put(id, recipient);
    for (const edge of this.#edges.values()) edge.touch(id);
    return true;
  }

  get edgeNames(): readonly string[] {
    return JSON.parse(String(this.#meta.get('edges') ?? '[]')) as string[];
  }

  /** The part of one edge. Throws RangeError for an edge that is not subscribed. */
  edge(name: string): EdgeMirror {
    const edge = this.#edges.get(name);
    if (edge === undefined) throw new RangeError(`no edge '${name}' is subscribed`);
    return edge;
  }

  /** Begins an edge: everything is still to be written to it. */
  async addEdge(name: string): Promise<EdgeMirror> {
    const known = this.#edges.get(name);
    if (known !== undefined) return known;
    if (this.#edges.size >= mostEdges) throw new RangeError(`no more than ${mostEdges} edges can be subscribed`);
    const edge = this.#openEdge(name);
    await this.#root.transaction(() => {
      this.#putMeta({ edges: JSON.stringify([...this.edgeNames.filter((one) => one !== name), name]) });
      for (const id of this.#recipients.getKeys({ snapshot: false })) edge.touch(id);
    });
    return edge;
  }

  async removeEdge(name: string): Promise<void> {
    const edge = this.#edges.get(name);
    if (edge === undefined) return;
    this.#edges.delete(name);
    await this.#root.transaction(() => {
      const edges = JSON.stringify(this.edgeNames.filter((one) => one !== name));
      const ended = ['run', 'beat', 'beating', 'fresh', 'own'].map((key) => [`${key} ${name}`, undefined] as const);
      this.#putMeta({ edges, ...Object.fromEntries(ended) });
      edge.clear();
    });
  }

  #openEdge(name: string): EdgeMirror {
    const edge = new EdgeMirror(name, this.#root, this.#meta);
    this.#edges.set(name, edge);
    return edge;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root.close();
  }
}
