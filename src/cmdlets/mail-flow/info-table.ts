/** Tables of what queues and messages show: objects, default views, names for -Filter, -SortOrder and -GroupBy come from one row. */
import { CmdletObject, type DefaultView } from '../runtime.ts';

/** One property. */
export interface InfoProperty<T> {
  readonly name: string;
  /** As the shell gets it. */
  readonly value: (info: T) => unknown;
  /** Its place in the default table, from 1; absent: it stands in lists only. */
  readonly column?: number;
  /** Digests are made by its values. */
  readonly groupBy?: true;
}

/** All properties of one kind of thing, in the order in which Exchange shows them. */
export interface InfoTable<T> {
  /** Type of the objects, such as 'ExtensibleQueueInfo'. */
  readonly typeName: string;
  /** As errors name it: 'queue'. */
  readonly noun: string;
  readonly properties: readonly InfoProperty<T>[];
}

/** The object of one thing. */
export function shownInfo<T>({ typeName, properties }: InfoTable<T>, info: T): CmdletObject {
  return new CmdletObject(
    typeName,
    properties.map(({ name, value }) => [name, value(info)] as const),
  );
}

/** What -Filter and -SortOrder may name, whether there is a thing to show or not. */
export function propertyNames<T>({ properties }: InfoTable<T>): readonly string[] {
  return properties.map(({ name }) => name);
}

/** The default table, by the type that it is for. */
export function viewOf<T>({ typeName, properties }: InfoTable<T>): Readonly<Record<string, DefaultView>> {
  const columns = properties
    .filter(({ column }) => column !== undefined)
    .toSorted((a, b) => (a.column ?? 0) - (b.column ?? 0))
    .map(({ name }) => name);
  return { [typeName]: { kind: 'table', columns } };
}
