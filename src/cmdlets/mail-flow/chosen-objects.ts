/** Queues and messages that a line means: -Identity, -Filter, -SortOrder, -ResultSize. */
import { nearestNameHint, wildcardTest } from '../../base/index.ts';
import { Quantity } from '../../config/index.ts';
import { badArgument, identityOf, plainText, resultSizeOf, textOf, textsOf } from '../parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletError, type CmdletObject } from '../runtime.ts';
import type { TransportAdministration } from '../transport-administration.ts';
import { requireThisServer } from '../transport-objects.ts';
import { type InfoTable, propertyNames } from './info-table.ts';
import { parseOpath } from './opath.ts';

/** The running service. Throws CmdletError when it does not run. */
export function runningTransport({ transport }: CmdletContext): TransportAdministration {
  if (transport !== undefined) return transport;
  const text =
    'The transport service is not running on this server, so there are no queues to reach. Start it with: edge start.';
  throw new CmdletError('TransportServiceNotRunning', 'ResourceUnavailable', text);
}

/** Objects that a line means by -Identity or -Filter. With an identity, `SERVER\` may be left out. */
export function choose(
  context: CmdletContext,
  bound: BoundParameters,
  objects: readonly CmdletObject[],
  table: InfoTable<never>,
): readonly CmdletObject[] {
  const identity = identityOf(bound);
  requireThisServer(context, bound);
  const byFilter = filtered(bound, objects, table);
  if (identity === undefined) return byFilter;
  const full = identity.replace(/^\.(?=\\)/, context.serverName);
  const patterns = [full, `${context.serverName}\\${full}`].map(wildcardTest);
  const found = byFilter.filter((object) => patterns.some((test) => test(String(object.get('Identity')))));
  if (found.length > 0 || /[*?]/.test(identity)) return found;
  const names = objects.map((object) => String(object.get('Identity')));
  const text = `The ${table.noun} '${identity}' doesn't exist on '${context.serverName}'.${nearestNameHint(identity, names)}`;
  throw new CmdletError('ObjectNotFoundException', 'ObjectNotFound', text, { target: identity });
}

function filtered(
  bound: BoundParameters,
  objects: readonly CmdletObject[],
  table: InfoTable<never>,
): readonly CmdletObject[] {
  const filter = textOf(bound, 'Filter');
  return filter === undefined ? objects : objects.filter(parseOpath(filter, propertyNames(table)));
}

/** -SortOrder `+Size,-DateReceived` and -ResultSize. */
export function arranged(
  bound: BoundParameters,
  objects: readonly CmdletObject[],
  names: readonly string[],
): readonly CmdletObject[] {
  const keys = textsOf(bound, 'SortOrder').flatMap((text) => text.split(','));
  const sorted = keys.reduceRight<readonly CmdletObject[]>((list, key) => {
    const [, sign = '+', name = ''] = /^\s*([+-])?\s*(\w+)\s*$/.exec(key) ?? [];
    if (!names.some((one) => one.toLowerCase() === name.toLowerCase())) {
      throw badArgument('SortOrder', `There is no property '${name}'.${nearestNameHint(name, names)}`);
    }
    const direction = sign === '-' ? -1 : 1;
    return [...list].sort((a, b) => direction * compare(a.get(name), b.get(name)));
  }, objects);
  return sorted.slice(0, resultSizeOf(bound));
}

function compare(left: unknown, right: unknown): number {
  const plain = (value: unknown): string | number =>
    value instanceof Date
      ? value.getTime()
      : value instanceof Quantity
        ? value.value
        : typeof value === 'number'
          ? value
          : plainText(value);
  const [a, b] = [plain(left), plain(right)];
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en');
}
