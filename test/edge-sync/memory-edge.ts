/** An edge and a source in memory, which can be cut off at any instant. */
import type { EdgeObject, EdgeTarget, Heartbeat } from '../../src/edge-sync/inside/edge-target.ts';
import type { RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';
import type { RecipientChange } from '../../src/edge-sync/recipient-plan.ts';
import type { Reading, RecipientSource } from '../../src/edge-sync/source/contract.ts';
import { entryFrom, LdapError } from '../../src/ldap/index.ts';

/** Writes that are done before the line breaks; the last one is done, and its answer lost, when `silently`. */
export interface Cut {
  readonly after: number;
  readonly silently: boolean;
}

export class MemoryEdge implements EdgeTarget {
  readonly recipients = new Map<string, readonly string[]>();
  readonly #hasher: RecipientHasher;
  cut: Cut | undefined;
  writes = 0;
  run = 0;

  constructor(hasher: RecipientHasher) {
    this.#hasher = hasher;
  }

  async lease(): Promise<void> {
    await Promise.resolve();
    if (this.cut !== undefined && this.writes > this.cut.after) throw new LdapError('unavailable', 'cut');
  }

  async write({ id, after }: RecipientChange): Promise<void> {
    await Promise.resolve();
    this.writes += 1;
    const { cut } = this;
    if (cut !== undefined && this.writes > cut.after + (cut.silently ? 1 : 0))
      throw new LdapError('unavailable', 'cut');
    if (after === undefined) this.recipients.delete(id);
    else this.recipients.set(id, [...after.addresses]);
    if (cut !== undefined && this.writes > cut.after) throw new LdapError('unavailable', 'cut');
  }

  async *objects(): AsyncIterable<EdgeObject> {
    for (const [id, addresses] of this.recipients) {
      yield { id, hashes: addresses.map((address) => this.#hasher.hash(address)) };
    }
  }

  async heartbeat(): Promise<Heartbeat> {
    return { run: this.run, at: undefined };
  }

  async beat(run: number): Promise<void> {
    this.run = run;
  }

  get content(): Record<string, readonly string[]> {
    return Object.fromEntries([...this.recipients].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Changes since a number, as DirSync gives them, or everything. */
export class MemorySource implements RecipientSource {
  readonly way = 'memory';
  readonly exchangeSchema = false;
  readonly objects = new Map<string, readonly string[]>();
  readonly #log: string[] = [];
  /** Objects given before the reading ends as incomplete; undefined: all. */
  incompleteAfter: number | undefined;

  set(id: string, addresses: readonly string[] | undefined): void {
    if (addresses === undefined) this.objects.delete(id);
    else this.objects.set(id, addresses);
    this.#log.push(id);
  }

  async *read(cookie: string): Reading {
    const all = cookie === '';
    const ids = new Set(all ? this.objects.keys() : this.#log.slice(Number(cookie)));
    const next = String(this.#log.length);
    const given = [...ids].slice(0, this.incompleteAfter);
    for (const id of given) {
      const addresses = this.objects.get(id);
      if (addresses === undefined) yield { kind: 'gone', id };
      else {
        const values = { proxyAddresses: addresses };
        yield { kind: 'entry', id, entry: entryFrom(`CN=${id},DC=test`, values) };
      }
    }
    const complete = this.incompleteAfter === undefined;
    return { complete, reasons: complete ? [] : ['cut'], suspicious: false, exhaustive: all, cookie: next };
  }
}
