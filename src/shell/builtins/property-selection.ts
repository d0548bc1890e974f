import { formatValue } from '../interpreter/expressions/format-string.ts';
import type { CommandHost } from '../interpreter/state/contract.ts';
import { collect } from '../interpreter/state/engine.ts';
import { Hashtable } from '../values/hashtable.ts';
import { findProperty, propertiesOf } from '../values/members.ts';
import { ScriptBlock } from '../values/script-block.ts';
import { ShellError } from '../values/shell-error.ts';
import { toText } from '../values/text.ts';
import { hasWildcard, wildcard } from '../values/wildcard.ts';

/** One property that a line asks for: by name, by a script block, or calculated with a label of its own. */
export interface Selected {
  readonly label: string;
  read(object: unknown): Promise<unknown>;
  readonly width?: number;
  readonly align?: 'left' | 'right' | 'center';
  /** A column that is wider for longer values. */
  readonly grows?: boolean;
  /** A column that a narrow terminal leaves out. */
  readonly spare?: boolean;
  /** Sorts downwards. */
  readonly descending?: boolean;
}

const keys: Readonly<Record<string, string>> = {
  n: 'name',
  name: 'name',
  l: 'name',
  label: 'name',
  e: 'expression',
  expression: 'expression',
  width: 'width',
  w: 'width',
  align: 'align',
  alignment: 'align',
  a: 'align',
  formatstring: 'format',
  f: 'format',
  descending: 'descending',
  ascending: 'ascending',
};

/** The properties that `-Property` names, names with wildcards as the object has them. Throws ShellError. */
export function selectProperties(specs: readonly unknown[], sample: unknown, host: CommandHost): readonly Selected[] {
  return specs.flatMap((spec) => {
    if (spec instanceof ScriptBlock) return [{ label: spec.toString().trim(), read: byBlock(spec, host) }];
    if (spec instanceof Hashtable) return [calculated(spec, host)];
    const name = toText(spec);
    if (!hasWildcard(name)) return [{ label: ownName(sample, name), read: byName(name) }];
    const matches = wildcard(name);
    return propertiesOf(sample)
      .filter(([own]) => matches(own))
      .map(([own]) => ({ label: own, read: byName(own) }));
  });
}

/** A property in the spelling of the object that has it. */
function ownName(sample: unknown, name: string): string {
  const folded = name.toLowerCase();
  return propertiesOf(sample).find(([own]) => own.toLowerCase() === folded)?.[0] ?? name;
}

function byName(name: string) {
  return async (object: unknown): Promise<unknown> => findProperty(object, name) ?? null;
}

function byBlock(block: ScriptBlock, host: CommandHost) {
  return async (object: unknown): Promise<unknown> => collect(await host.invoke(block, object));
}

function calculated(table: Hashtable, host: CommandHost): Selected {
  const facts = new Map<string, unknown>();
  for (const [key, value] of table.entries()) facts.set(knownKey(toText(key)), value);
  const expression = facts.get('expression') ?? facts.get('name');
  if (expression === undefined) throw invalidKey('The calculated property has no Expression.');
  const read = expression instanceof ScriptBlock ? byBlock(expression, host) : byName(toText(expression));
  const format = facts.get('format');
  const width = facts.get('width');
  const align = toText(facts.get('align')).toLowerCase();
  return {
    label: toText(facts.get('name') ?? expression).trim(),
    read:
      format === undefined
        ? read
        : async (object) => formatValue(await read(object), toText(format).replace(/^\{0:(.*)\}$/, '$1')),
    ...(typeof width === 'number' ? { width } : {}),
    ...(align === 'left' || align === 'right' || align === 'center' ? { align } : {}),
    ...(facts.has('descending') ? { descending: facts.get('descending') === true } : {}),
    ...(facts.has('ascending') ? { descending: facts.get('ascending') !== true } : {}),
  };
}

function knownKey(key: string): string {
  const folded = key.toLowerCase();
  const known = Object.hasOwn(keys, folded)
    ? keys[folded]
    : Object.values(keys).find((name) => name.startsWith(folded) && folded.length > 1);
  if (known !== undefined) return known;
  throw invalidKey(
    `The ${key} key is not valid. A calculated property has Name (or Label), Expression, Width, Alignment, FormatString.`,
  );
}

function invalidKey(message: string): ShellError {
  return new ShellError(message, {
    id: 'DictionaryKeyIllegal',
    category: 'InvalidArgument',
    exception: 'NotSupportedException',
  });
}
