/** `@{ … }`: keys compare without regard to case and keep their order. */
export class Hashtable {
  readonly #entries = new Map<string, [key: unknown, value: unknown]>();

  constructor(entries: Iterable<readonly [unknown, unknown]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: unknown): unknown {
    return this.#entries.get(fold(key))?.[1] ?? null;
  }

  has(key: unknown): boolean {
    return this.#entries.has(fold(key));
  }

  set(key: unknown, value: unknown): void {
    const old = this.#entries.get(fold(key));
    this.#entries.set(fold(key), [old?.[0] ?? key, value]);
  }

  delete(key: unknown): void {
    this.#entries.delete(fold(key));
  }

  clear(): void {
    this.#entries.clear();
  }

  keys(): unknown[] {
    return [...this.#entries.values()].map(([key]) => key);
  }

  values(): unknown[] {
    return [...this.#entries.values()].map(([, value]) => value);
  }

  entries(): (readonly [key: unknown, value: unknown])[] {
    return [...this.#entries.values()];
  }
}

function fold(key: unknown): string {
  return `${typeof key === 'number' ? 'n' : 's'}${String(key).toLowerCase()}`;
}
