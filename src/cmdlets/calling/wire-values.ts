/**
 * Values of cmdlets as JSON, for callers in other processes: parameters on the way in, objects on the way out. What JSON has
 * stands as it is; any other value is an object with one key that names its kind (`{"date":…}`, `{"object":[type,…]}`).
 */
import { Quantity, StructuredValue } from '../../config/values/index.ts';
import { CmdletObject, type HashReader, type PropertyReader } from '../runtime.ts';
import { UtcTime } from '../utc-time.ts';
import { SecureString } from './secure-string.ts';

/** Deepest nesting, and most values in one call or object: a table that holds itself has no end. */
const maxDepth = 24;
const maxValues = 500_000;

/** A value as JSON. Throws RangeError for what is nested too deep or holds too much. */
export function toWire(value: unknown): unknown {
  return new WireWriter().write(value, 0);
}

/** The value of a JSON text's tree. Throws RangeError for what no `toWire` gives. */
export function fromWire(wire: unknown): unknown {
  return new WireReader().read(wire, 0);
}

/** `@{…}` that came from a caller: keys found without regard to case, in their order. */
class ParameterTable implements HashReader {
  readonly #entries = new Map<string, readonly [key: unknown, value: unknown]>();

  constructor(entries: Iterable<readonly [key: unknown, value: unknown]>) {
    for (const [key, value] of entries) this.#entries.set(fold(key), [key, value]);
  }

  has(key: unknown): boolean {
    return this.#entries.has(fold(key));
  }

  get(key: unknown): unknown {
    return this.#entries.get(fold(key))?.[1] ?? null;
  }

  keys(): unknown[] {
    return [...this.#entries.values()].map(([key]) => key);
  }
}

function fold(key: unknown): string {
  return `${typeof key} ${String(key).toLowerCase()}`;
}

class WireWriter {
  #values = 0;

  write(value: unknown, depth: number): unknown {
    this.#values += 1;
    if (depth > maxDepth || this.#values > maxValues) {
      throw new RangeError(`a value is nested deeper than ${maxDepth} or holds more than ${maxValues} values`);
    }
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) ? value : { number: String(value) };
      case 'bigint':
        return { number: String(value) };
      case 'object':
        return value === null ? null : this.#object(value, depth + 1);
      default:
        return null;
    }
  }

  #object(value: object, depth: number): unknown {
    if (Array.isArray(value)) return value.map((item) => this.write(item, depth));
    if (value instanceof Date) return { date: Number.isNaN(value.getTime()) ? null : value.getTime() };
    if (value instanceof UtcTime) return { utc: value.getTime() };
    if (value instanceof Quantity) {
      return { quantity: [value.typeName, this.write(value.value, depth), value.toString()] };
    }
    if (value instanceof StructuredValue) {
      const members = value.members.map(([name, own]) => [name, this.write(own, depth)]);
      return { structured: [value.typeName, value.toString(), members] };
    }
    if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
    // It leaves the process for the one that it is meant for, over a socket that no other account can open.
    if (value instanceof SecureString) return { secret: value.reveal() };
    if (isTyped(value)) {
      const entries = value.entries().map(([name, own]) => [name, this.write(own, depth)]);
      return { object: [value.typeName, entries] };
    }
    if (isTable(value)) {
      return { table: value.keys().map((key) => [this.write(key, depth), this.write(value.get(key), depth)]) };
    }
    // Script blocks, types, versions: cmdlets read them as text.
    const { toString } = value;
    return toString === Object.prototype.toString ? null : toString.call(value);
  }
}

function isTyped(value: object): value is PropertyReader & CmdletObject {
  return 'typeName' in value && 'entries' in value && typeof value.entries === 'function' && 'has' in value;
}

function isTable(value: object): value is HashReader {
  return 'keys' in value && typeof value.keys === 'function' && 'get' in value && typeof value.get === 'function';
}

type Read = (content: unknown, depth: number) => unknown;

class WireReader {
  #values = 0;

  readonly #kinds: Readonly<Record<string, Read>> = {
    number: (content) => numberOf(content),
    date: (content) => new Date(typeof content === 'number' ? content : Number.NaN),
    utc: (content) => new UtcTime(new Date(numberOf(content))),
    quantity: (content, depth) => {
      const [typeName, value, text] = listOf(content, 3);
      return new Quantity(textOf(typeName), numberOf(this.read(value, depth)), textOf(text));
    },
    bytes: (content) => Buffer.from(textOf(content), 'base64'),
    secret: (content) => new SecureString(textOf(content)),
    object: (content, depth) => {
      const [typeName, entries] = listOf(content, 2);
      return new CmdletObject(textOf(typeName), this.#named(entries, depth));
    },
    structured: (content, depth) => {
      const [typeName, text, members] = listOf(content, 3);
      return new StructuredValue(textOf(typeName), textOf(text), this.#named(members, depth));
    },
    table: (content, depth) =>
      new ParameterTable(
        listOf(content).map((entry) => {
          const [key, value] = listOf(entry, 2);
          return [this.read(key, depth), this.read(value, depth)] as const;
        }),
      ),
  };

  read(wire: unknown, depth: number): unknown {
    this.#values += 1;
    if (depth > maxDepth || this.#values > maxValues) throw new RangeError('a value is nested too deep, or too large');
    if (wire === null || ['string', 'boolean', 'number'].includes(typeof wire)) return wire;
    if (Array.isArray(wire)) return wire.map((item) => this.read(item, depth + 1));
    const [[kind, content] = ['', undefined], ...others] = Object.entries(wire as object);
    const read = Object.hasOwn(this.#kinds, kind) ? this.#kinds[kind] : undefined;
    if (read === undefined || others.length > 0) throw new RangeError(`there is no kind of value '${kind}'`);
    return read(content, depth + 1);
  }

  #named(entries: unknown, depth: number): (readonly [name: string, value: unknown])[] {
    return listOf(entries).map((entry) => {
      const [name, value] = listOf(entry, 2);
      return [textOf(name), this.read(value, depth)] as const;
    });
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new RangeError('a text is missing in a value');
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'Infinity' || value === '-Infinity' || value === 'NaN') return Number(value);
  if (typeof value === 'string' && /^-?\d{1,400}$/.test(value)) return Number(value);
  throw new RangeError('a number is missing in a value');
}

function listOf(value: unknown, length?: number): readonly unknown[] {
  if (Array.isArray(value) && (length === undefined || value.length === length)) return value;
  throw new RangeError('a list is missing in a value');
}
