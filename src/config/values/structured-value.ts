/** A value that Exchange keeps as an object with members, and prints as one text: an address range, an endpoint, an identity. */
export class StructuredValue {
  /** Exchange's name of the type without its namespace: 'IPRange'. */
  readonly typeName: string;
  readonly members: readonly (readonly [name: string, value: unknown])[];
  readonly #text: string;

  constructor(typeName: string, text: string, members: readonly (readonly [name: string, value: unknown])[]) {
    this.typeName = typeName;
    this.members = members;
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}
