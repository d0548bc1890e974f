/** An object of the pipeline: named values in order, found without regard to case. */
export class ShellObject {
  /** As Get-Member and the default views know it, such as `ReceiveConnector`. */
  readonly typeName: string;
  readonly #properties = new Map<string, [name: string, value: unknown]>();

  constructor(typeName: string, properties: Iterable<readonly [name: string, value: unknown]> = []) {
    this.typeName = typeName;
    for (const [name, value] of properties) this.set(name, value);
  }

  has(name: string): boolean {
    return this.#properties.has(name.toLowerCase());
  }

  /** null for a property that is not there. */
  get(name: string): unknown {
    return this.#properties.get(name.toLowerCase())?.[1] ?? null;
  }

  set(name: string, value: unknown): void {
    const old = this.#properties.get(name.toLowerCase());
    this.#properties.set(name.toLowerCase(), [old?.[0] ?? name, value]);
  }

  entries(): (readonly [name: string, value: unknown])[] {
    return [...this.#properties.values()];
  }
}

/** Type name of objects made by `[pscustomobject]` and Select-Object. */
export const customObject = 'PSCustomObject';
