/** What a line asks of an object: bound parameters as values of its table. Pure but for warnings. */
import { isBuilt, type Properties, type TableShape } from '../../config/index.ts';
import { badArgument, nameGiven, notImplemented } from '../parameter-values.ts';
import { faultOf, isHash, type NamedRow, rowsByName } from '../parameters.ts';
import { type BoundParameters, type CmdletContext, CmdletError, type HashReader } from '../runtime.ts';

type Values = Readonly<Record<string, unknown>>;

/** Parameters that say which object is meant, or how; some tables show a property of the same name. */
export const generalParameters: ReadonlySet<string> = new Set([
  'Identity',
  'Server',
  'Name',
  'WhatIf',
  'Confirm',
  'DomainController',
]);

/** Parameters of Mailbox scripts that are harmless on an Edge server: taken with a warning, without effect. */
const harmlessOnEdge: ReadonlySet<string> = new Set(['TransportRole', 'SourceTransportServers']);

/** Reads the bound parameters that are properties of the table. `before` holds the values that lists are changed from. */
export function boundChanges(
  context: CmdletContext,
  table: TableShape,
  bound: BoundParameters,
  before: Values,
): Record<string, unknown> {
  const rows = rowsByName(table);
  const changes: Record<string, unknown> = {};
  for (const [parameter, value] of bound) {
    const named = generalParameters.has(parameter) ? undefined : rows.get(parameter.toLowerCase());
    if (named === undefined || !isSettable(context, table, named)) continue;
    const read = readValue(named, value, before[named.field]);
    if (!isBuilt(named.row, read)) throw notImplemented(`The parameter ${named.name}`);
    const refusal = named.row.refusal?.(read);
    if (refusal !== undefined) throw badArgument(named.name, refusal);
    if (named.row.withoutMeaning !== undefined)
      context.warning(`${named.name} is kept, and has no effect: ${named.row.withoutMeaning}.`);
    const remark = named.row.remark?.(read);
    if (remark !== undefined) context.warning(remark);
    changes[named.field] = read;
  }
  return changes;
}

/** False for what is taken without effect. Throws CmdletError for what is not there. */
function isSettable(context: CmdletContext, table: TableShape, { name, row }: NamedRow): boolean {
  if (row.notOnEdge === true && context.role === 'EdgeTransport') {
    if (!harmlessOnEdge.has(name)) throw notOnEdge(name);
    context.warning(`The ${name} parameter has no effect on an Edge Transport server.`);
    return false;
  }
  if (row.readOnly === true) throw badArgument(name, `The property ${name} of a ${table.title} cannot be set.`);
  return true;
}

function notOnEdge(parameter: string): CmdletError {
  const text = `The ${parameter} parameter can't be used on an Edge Transport server.`;
  return new CmdletError('ParameterNotOnEdge', 'InvalidArgument', text, { target: parameter });
}

function readValue({ name, row }: NamedRow, value: unknown, before: unknown): unknown {
  const fault = faultOf(row, value);
  if (fault !== undefined) throw badArgument(name, fault);
  if (row.syntax.multivalued !== true || !isHash(value)) return row.syntax.parse(nameGiven(row.syntax.type, value));
  return changeList(name, row, value, Array.isArray(before) ? before : []);
}

function changeList(name: string, row: NamedRow['row'], hash: HashReader, before: readonly unknown[]): unknown {
  const read = (key: string): readonly unknown[] =>
    hash.has(key) ? (row.syntax.parse(hash.get(key)) as unknown[]) : [];
  const print = (item: unknown): string => String(row.syntax.write([item])[0]);
  const same = (one: unknown, two: unknown): boolean => print(one).toLowerCase() === print(two).toLowerCase();
  const removed = read('Remove');
  for (const item of removed) {
    if (before.some((one) => same(one, item))) continue;
    const there = before.map(print).join(', ');
    throw badArgument(name, `'${print(item)}' is not among its values: ${there === '' ? 'there are none' : there}.`);
  }
  const kept = before.filter((one) => !removed.some((item) => print(item) === print(one)));
  const added = read('Add').filter((item) => !kept.some((one) => same(one, item)));
  return [...kept, ...added];
}

/** Fields whose values become others, by their directory form. */
export function differing<P extends Properties>(
  table: TableShape & { properties: P },
  before: Values,
  after: Values,
): string[] {
  return Object.keys(after).filter((field) => {
    const row = table.properties[field];
    if (row === undefined) return false;
    return JSON.stringify(row.syntax.write(before[field])) !== JSON.stringify(row.syntax.write(after[field]));
  });
}
