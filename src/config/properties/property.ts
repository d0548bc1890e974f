/** The row of a property table, and the object that a table describes. */
import type { Quantity } from '../values/quantity.ts';
import type { StructuredValue } from '../values/structured-value.ts';

/** The two kinds of server, where a default depends on it. */
export type ServerRole = 'EdgeTransport' | 'Mailbox';

/** A value as the shell's objects hold it. Flags are one text ('Tls, BasicAuth'), lists are arrays. */
export type Shown =
  | null
  | boolean
  | number
  | string
  | Date
  | Quantity
  | StructuredValue
  | readonly (string | number | StructuredValue)[];

/** What values of one kind look like in the shell and in the directory. All four directions stand together. */
export interface Syntax<T> {
  /** Type as help shows it: 'Boolean', 'ByteQuantifiedSize', 'MultiValuedProperty' … */
  readonly type: string;
  /** Every value that the shell takes, for help, completion and messages. */
  readonly allowed?: readonly string[];
  /** Least and greatest number, in plain units. */
  readonly min?: number;
  readonly max?: number;
  /** The property is a list: the shell takes arrays and @{Add=…; Remove=…}. */
  readonly multivalued?: boolean;
  /** From the shell: text, number, boolean, null, or an array of them. Throws RangeError that says what is right. */
  parse(value: unknown): T;
  /** From the directory: at least one value. Throws RangeError. */
  read(values: readonly string[]): T;
  /** To the directory; an empty list removes the attribute. */
  write(value: T): readonly string[];
  /** To the directory where the attribute holds more than this property: takes what stands there now into account. */
  merge?(value: T, current: readonly string[]): readonly string[];
  /** As Exchange prints it. */
  show(value: T): Shown;
}

/** A syntax whose values fit into some bits of an integer. */
export interface PackedSyntax<T> extends Syntax<T> {
  /** Bit 0 is the lowest of the property's own bits. */
  toBits(value: T): number;
  /** Throws RangeError for a number that means nothing. */
  fromBits(bits: number): T;
}

interface PropertyFacts<T> {
  /** Exchange's name where it is not the field's with a capital letter: 'DNSRoutingEnabled' for dnsRoutingEnabled. */
  readonly name?: string;
  /** LDAP attribute that holds it. */
  readonly attribute: string;
  /** What it does, in a sentence. */
  readonly help: string;
  /** Value of an object that has no such attribute. */
  readonly default: NoInfer<T>;
  /** Default on an Edge server, where it differs. */
  readonly edgeDefault?: NoInfer<T>;
  /** Shown, but no cmdlet sets it. */
  readonly readOnly?: boolean;
  /** Exchange does not take the parameter on an Edge server. */
  readonly notOnEdge?: boolean;
  /** Kept and shown, but the function behind it does not exist yet: setting it is refused. */
  readonly notImplementedYet?: boolean;
  /** Values that are true as things stand ("off", "Unlimited"), and may be set although the function is not built. */
  builtFor?(value: T): boolean;
  /** Kept and shown, but it cannot mean anything here: why. */
  readonly withoutMeaning?: string;
  /** Why a cmdlet does not take a value that the directory may hold; undefined: it does. */
  refusal?(value: T): string | undefined;
  /** What the caller should know of a value that it sets; undefined: nothing. */
  remark?(value: T): string | undefined;
  /** For the rooms of the service only: no cmdlet shows or sets it. */
  readonly hidden?: boolean;
}

/** One property, kept in an attribute of its own. */
export interface PlainProperty<T> extends PropertyFacts<T> {
  readonly syntax: Syntax<T>;
  readonly bit?: never;
}

/** One property, kept in bits of an integer that several properties share. */
export interface PackedProperty<T> extends PropertyFacts<T> {
  readonly syntax: PackedSyntax<T>;
  /** Number of the bit, or of several, lowest first; bit 0 is the lowest of the integer. */
  readonly bit: number | readonly number[];
}

/** One row. */
export type Property<T> = PlainProperty<T> | PackedProperty<T>;

/** A row whose type is not looked at: its methods only ever meet values that it made itself. */
export type AnyProperty = Property<unknown>;

/** Rows by field name, in the order in which Exchange shows them. */
export type Properties = Readonly<Record<string, AnyProperty>>;

/** Ties the type of a row's default to its syntax. */
export function property<const T>(row: Property<T>): Property<T> {
  return row;
}

/** The same row, for a function that does not exist yet. */
export function later<T>(row: Property<T>): Property<T> {
  return { ...row, notImplementedYet: true };
}

/** Whether a value may be set: its function is built, or the value asks for none. */
export function isBuilt(row: AnyProperty, value: unknown): boolean {
  return row.notImplementedYet !== true || row.builtFor?.(value) === true;
}

/** The values of an object, by field. */
export type ValuesOf<P extends Properties> = { readonly [F in keyof P]: P[F] extends Property<infer T> ? T : never };

/** What every configuration object has besides its properties. */
export interface ObjectIdentity {
  readonly dn: string;
  /** objectGUID in the form 8-4-4-4-12, lower case; '' when the entry has none. */
  readonly guid: string;
  readonly name: string;
  /** As the shell shows and takes it: 'SERVER\Name' for objects of one server, else the name. */
  readonly identity: string;
  readonly whenCreated: Date | null;
  readonly whenChanged: Date | null;
}

/** Exchange's name of a row. */
export function propertyName(field: string, row: { readonly name?: string }): string {
  return row.name ?? field.charAt(0).toUpperCase() + field.slice(1);
}

/** The default of a row on a server of this role. */
export function defaultOf<T>(row: Property<T>, role: ServerRole): T {
  return role === 'EdgeTransport' && 'edgeDefault' in row ? row.edgeDefault : row.default;
}
