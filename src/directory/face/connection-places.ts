/**
 * Places for connections. Strangers may fill those of their listener only, and never those of accounts that have bound, of
 * another listener or of this machine; among strangers the one that came first goes when there is no place left, so that a
 * newcomer always gets in and has the time of all the others to bind.
 */
import { LdapError } from '../../ldap/index.ts';

export interface PlaceLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  readonly maxUnbound: number;
  readonly maxUnboundPerSource: number;
}

/** The place that one connection holds. */
export interface Place extends Disposable {
  /** Moves among those that have bound, or back. Throws LdapError busy when there is no place among them. */
  setBound(bound: boolean): void;
}

interface Held {
  readonly source: string;
  /** Ends the connection for another one's sake. */
  readonly evict: () => void;
}

/** Connections of one kind at one listener, oldest first. */
class Group {
  readonly #all = new Set<Held>();
  readonly #bySource = new Map<string, Set<Held>>();

  get size(): number {
    return this.#all.size;
  }

  sizeOf(source: string): number {
    return this.#bySource.get(source)?.size ?? 0;
  }

  oldest(source?: string): Held | undefined {
    const [first] = source === undefined ? this.#all : (this.#bySource.get(source) ?? []);
    return first;
  }

  add(held: Held): void {
    const same = this.#bySource.get(held.source) ?? new Set();
    this.#bySource.set(held.source, same.add(held));
    this.#all.add(held);
  }

  delete(held: Held): void {
    if (!this.#all.delete(held)) return;
    const same = this.#bySource.get(held.source);
    same?.delete(held);
    if (same?.size === 0) this.#bySource.delete(held.source);
  }
}

export class ConnectionPlaces {
  readonly #limits: PlaceLimits;
  readonly #pools = new Map<string, { readonly unbound: Group; readonly bound: Group }>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Takes a place in a pool for a connection that has not bound; ends the oldest one where there is none left. */
  take(pool: string, source: string, evict: () => void): Place {
    const { unbound, bound } = this.#pool(pool);
    const held: Held = { source, evict };
    const full =
      unbound.sizeOf(source) >= this.#limits.maxUnboundPerSource
        ? unbound.oldest(source)
        : unbound.size >= this.#limits.maxUnbound
          ? unbound.oldest()
          : undefined;
    if (full !== undefined) {
      unbound.delete(full);
      full.evict();
    }
    unbound.add(held);
    let isBound = false;
    let released = false;
    return {
      setBound: (now) => {
        if (released || now === isBound) return;
        if (now) this.#requireRoom(bound, source);
        isBound = now;
        (now ? unbound : bound).delete(held);
        (now ? bound : unbound).add(held);
      },
      [Symbol.dispose]: () => {
        released = true;
        unbound.delete(held);
        bound.delete(held);
      },
    };
  }

  #requireRoom(bound: Group, source: string): void {
    if (bound.size >= this.#limits.maxConnections) throw new LdapError('busy', 'too many connections of accounts');
    if (bound.sizeOf(source) >= this.#limits.maxConnectionsPerSource)
      throw new LdapError('busy', 'too many connections of accounts from this address');
  }

  #pool(name: string): { readonly unbound: Group; readonly bound: Group } {
    const pool = this.#pools.get(name) ?? { unbound: new Group(), bound: new Group() };
    this.#pools.set(name, pool);
    return pool;
  }
}
