/** Something that wants to be heard of at a time. `slot` belongs to the heap; -1: in none. */
export interface HeapEntry {
  slot: number;
}

/** Entries by time, the earliest first. Insertion of the latest is constant, everything else logarithmic. */
export class TimeHeap<T extends HeapEntry> {
  #entries: T[] = [];
  #times = new Float64Array(64);

  get size(): number {
    return this.#entries.length;
  }

  /** Time of the earliest; Infinity when there is none. */
  get earliest(): number {
    return this.#entries.length === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? Number.POSITIVE_INFINITY);
  }

  /** Inserts, or moves to another time. */
  set(entry: T, time: number): void {
    if (entry.slot < 0) {
      entry.slot = this.#entries.length;
      this.#entries.push(entry);
      if (this.#entries.length > this.#times.length) this.#grow();
    } else {
      const before = this.#times[entry.slot] ?? 0;
      if (before === time) return;
    }
    this.#place(entry, time);
  }

  delete(entry: T): void {
    const { slot } = entry;
    if (slot < 0) return;
    entry.slot = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    const time = this.#times[this.#entries.length] ?? 0;
    last.slot = slot;
    this.#entries[slot] = last;
    this.#place(last, time);
  }

  /** Removes and returns the earliest whose time has come. */
  take(now: number): T | undefined {
    const [first] = this.#entries;
    if (first === undefined || this.earliest > now) return undefined;
    this.delete(first);
    return first;
  }

  #place(entry: T, time: number): void {
    const times = this.#times;
    let { slot } = entry;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const parentTime = times[parent] ?? 0;
      if (parentTime <= time) break;
      this.#move(parent, slot);
      slot = parent;
    }
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= this.#entries.length) break;
      if (child + 1 < this.#entries.length && (times[child + 1] ?? 0) < (times[child] ?? 0)) child += 1;
      if ((times[child] ?? 0) >= time) break;
      this.#move(child, slot);
      slot = child;
    }
    this.#entries[slot] = entry;
    times[slot] = time;
    entry.slot = slot;
  }

  #move(from: number, to: number): void {
    const entry = this.#entries[from];
    if (entry === undefined) return;
    this.#entries[to] = entry;
    this.#times[to] = this.#times[from] ?? 0;
    entry.slot = to;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
  }
}
