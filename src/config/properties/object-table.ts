/** What a configuration object is: its class, its place, its properties and the rules between them. */
import { defaultOf, type ObjectIdentity, type Properties, type ServerRole, type ValuesOf } from './property.ts';

/** A rule between properties. */
export interface Rule<V> {
  /** Short name, kebab-case. */
  readonly name: string;
  /** Fields that it looks at; the first is blamed. */
  readonly fields: readonly (keyof V & string)[];
  /** What is wrong and what would be right; undefined when the rule holds. */
  check(values: V): string | undefined;
}

/** One kind of configuration object, whatever its properties are. */
export interface TableShape {
  /** Noun of its cmdlets: 'ReceiveConnector'. */
  readonly noun: string;
  /** In words, as messages and -WhatIf say it: 'Receive connector'. */
  readonly title: string;
  /** Structural class: entries of this class are objects of this table. */
  readonly objectClass: string;
  /** All classes of a new entry. */
  readonly objectClasses: readonly string[];
  /** Below the entry of the server, or of the organization. */
  readonly scope: 'server' | 'organization';
  /** Name of the container below the place of the scope, or of the object itself when there is only one; '' for the place. */
  readonly path: string;
  /** There is exactly one for each server, or one for the organization. */
  readonly singleton?: boolean;
  /** Rows by field name, in the order in which Exchange shows them. */
  readonly properties: Properties;
}

/** One kind of configuration object. */
export interface ObjectTable<P extends Properties> extends TableShape {
  readonly properties: P;
  readonly rules: readonly Rule<ValuesOf<P>>[];
}

/** An object of a table, as the rooms see it: immutable, in plain units. */
export type ObjectOf<T> = T extends ObjectTable<infer P> ? ValuesOf<P> & ObjectIdentity : never;

/** Values of a new object of this table on a server of this role, before any rule is applied. */
export function defaultValues<P extends Properties>(table: ObjectTable<P>, role: ServerRole): ValuesOf<P> {
  const values = Object.entries(table.properties).map(([field, row]) => [field, defaultOf(row, role)] as const);
  return Object.fromEntries(values) as ValuesOf<P>;
}

/** An object with nothing but defaults, for tests and for what has no entry. */
export function defaultsOf<P extends Properties>(
  table: ObjectTable<P>,
  role: ServerRole = 'EdgeTransport',
  name = table.noun,
): ValuesOf<P> & ObjectIdentity {
  const identity: ObjectIdentity = {
    dn: `CN=${name}`,
    guid: '',
    name,
    identity: name,
    whenCreated: null,
    whenChanged: null,
  };
  return { ...defaultValues(table, role), ...identity };
}

/** Rules that do not hold, in words. */
export function brokenRules<P extends Properties>(
  table: ObjectTable<P>,
  values: ValuesOf<P>,
): readonly { readonly rule: Rule<ValuesOf<P>>; readonly message: string }[] {
  return table.rules.flatMap((rule) => {
    const message = rule.check(values);
    return message === undefined ? [] : [{ rule, message }];
  });
}
