import { printableJson } from '../../base/text/index.ts';
import { StructuredValue } from '../../config/values/index.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { formatDate } from '../values/dates.ts';
import { Hashtable } from '../values/hashtable.ts';
import { propertiesOf } from '../values/members.ts';
import { Quantity } from '../values/quantity.ts';
import { ShellError } from '../values/shell-error.ts';
import { customObject, ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, numberParameter, switchParameter } from './builtin.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A value as JSON; objects deeper than `depth` become text, as ConvertTo-Json has them. */
function toJson(value: unknown, depth: number): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : toText(value);
  // ISO 8601 as its kind has it: Z, an offset, or no zone at all.
  if (value instanceof Date) return formatDate(value, "yyyy-MM-dd'T'HH:mm:ss.fffK");
  if (value instanceof Quantity || value instanceof StructuredValue) return value.toString();
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return depth < 0 ? toText(value) : value.map((item) => toJson(item, depth - 1));
  const named =
    value instanceof Hashtable
      ? value.entries().map(([key, item]) => [toText(key), item] as const)
      : propertiesOf(value);
  const isEmptyTable = value instanceof Hashtable && depth >= 0;
  if ((named.length === 0 && !isEmptyTable) || depth < 0) return toText(value);
  return Object.fromEntries(named.map(([name, item]) => [name, toJson(item, depth - 1)]));
}

function fromJson(value: Json): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (value === null || typeof value !== 'object') return value;
  return new ShellObject(
    customObject,
    Object.entries(value).map(([name, item]) => [name, fromJson(item)] as const),
  );
}

function stringData(text: string): Hashtable {
  const table = new Hashtable();
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.indexOf('=');
    if (at < 1) {
      throw new ShellError(`Data line '${line}' is not in 'name=value' format.`, {
        id: 'InvalidDataLine',
        category: 'InvalidOperation',
        exception: 'PSInvalidOperationException',
      });
    }
    table.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return table;
}

/** ConvertTo-Json, ConvertFrom-Json and ConvertFrom-StringData. */
export const jsonCmdlets: readonly ShellCmdlet[] = [
  builtIn(
    {
      name: 'ConvertFrom-StringData',
      synopsis: "Turns lines of the form 'name = value' into a hash table.",
      parameters: { StringData: { type: 'String', position: 0, fromPipeline: 'value', help: 'The lines.' } },
      examples: [{ line: "'port = 25' | ConvertFrom-StringData", text: 'Makes a table of one entry.' }],
    },
    async function* (call) {
      const texts = call.bound.has('StringData') ? [call.bound.get('StringData')] : (call.input ?? []);
      for await (const text of texts) yield stringData(toText(text));
    },
  ),
  builtIn(
    {
      name: 'ConvertTo-Json',
      synopsis: 'Turns objects into JSON.',
      parameters: {
        Depth: { type: 'Int32', min: 0, max: 100, help: 'How deep objects stand inside each other; default 2.' },
        Compress: { type: 'SwitchParameter', help: 'Leaves out line breaks and indentation.' },
      },
      examples: [{ line: '@{a=1; b=@(1,2)} | ConvertTo-Json -Compress', text: 'Writes one line.' }],
    },
    async function* (call) {
      const objects: unknown[] = [];
      for await (const object of inputOf(call)) objects.push(object);
      if (objects.length === 0) return;
      const depth = numberParameter(call, 'Depth') ?? 2;
      const value = objects.length === 1 ? objects[0] : objects;
      yield printableJson(toJson(value, depth), switchParameter(call, 'Compress') ? 0 : 2);
    },
  ),
  builtIn(
    {
      name: 'ConvertFrom-Json',
      synopsis: 'Turns JSON into objects.',
      parameters: {},
      examples: [{ line: `'{"a": 1}' | ConvertFrom-Json`, text: 'Reads one object.' }],
    },
    async function* (call) {
      const lines: string[] = [];
      for await (const line of inputOf(call)) lines.push(toText(line));
      try {
        yield fromJson(JSON.parse(lines.join('\n')) as Json);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : '';
        throw new ShellError(`Invalid JSON: ${reason}.`, {
          id: 'InvalidJson',
          category: 'InvalidData',
          exception: 'ArgumentException',
          cause,
        });
      }
    },
  ),
];
