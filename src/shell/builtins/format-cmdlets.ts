import { displayWidth, oneLine, pad, truncate } from '../format/layout.ts';
import { type Row, renderList } from '../format/list.ts';
import { renderText, type ViewFinder } from '../format/output.ts';
import { Rendered, type RenderOptions } from '../format/rendered.ts';
import { type Column, renderTable } from '../format/table.ts';
import { columnsOf } from '../format/views.ts';
import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { equals } from '../values/compare.ts';
import { dictionaryEntry } from '../values/dictionary-entry.ts';
import { Hashtable } from '../values/hashtable.ts';
import { findProperty, propertiesOf } from '../values/members.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toDisplay } from '../values/text.ts';
import { builtIn, inputOf, listParameter, numberParameter, switchParameter } from './builtin.ts';
import { type Selected, selectProperties } from './property-selection.ts';

const property = {
  type: 'Object[]',
  position: 0,
  help: 'Properties shown: names, wildcards, or @{Label=…; Expression={…}}.',
};
const groupBy = { type: 'Object', help: 'Shows objects with the same value of this property together.' };
const ignored = { type: 'Object', help: 'Taken for compatibility.' };

/** Objects that follow each other and have the same value of -GroupBy. */
interface Section {
  readonly title: string | undefined;
  readonly objects: unknown[];
}

async function sections(call: CmdletCall): Promise<readonly Section[]> {
  const found: Section[] = [];
  let current: unknown;
  const specs = listParameter(call, 'GroupBy');
  for await (const object of shownOf(call)) {
    const [group] = selectProperties(specs, object, call.host);
    const value = group === undefined ? undefined : await group.read(object);
    const last = found.at(-1);
    if (last !== undefined && equals(current, value)) {
      last.objects.push(object);
      continue;
    }
    current = value;
    found.push({
      title: group === undefined ? undefined : `   ${oneLine(`${group.label}: ${toDisplay(value)}`)}`,
      objects: [object],
    });
  }
  return found;
}

/** What is shown of the input: entries of hash tables one by one, nothing for null. */
async function* shownOf(call: CmdletCall): AsyncGenerator<unknown> {
  for await (const object of inputOf(call)) {
    if (object instanceof Hashtable) yield* object.entries().map(dictionaryEntry);
    else if (object !== null) yield object;
  }
}

async function readRow(selected: readonly Selected[], object: unknown): Promise<Row> {
  const row: [string, unknown][] = [];
  for (const { label, read } of selected) row.push([label, await read(object)]);
  return row;
}

/** Values that have no properties of their own to show: text, numbers. */
function isPlain(value: unknown): boolean {
  return !(value instanceof ShellObject) && (typeof value !== 'object' || propertiesOf(value).length === 0);
}

function titled(title: string | undefined, text: string): string {
  return `\n${title === undefined ? '' : `${title}\n\n`}${text}\n`;
}

async function* formatList(call: CmdletCall): AsyncGenerator<unknown> {
  const specs = listParameter(call, 'Property');
  for (const { title, objects } of await sections(call)) {
    if (specs.length === 0 && objects.every(isPlain)) {
      yield* objects;
      continue;
    }
    const rows: Row[] = [];
    for (const object of objects) {
      rows.push(await readRow(selectProperties(specs.length === 0 ? ['*'] : specs, object, call.host), object));
    }
    yield new Rendered((options) => titled(title, rows.map((row) => renderList(row, options)).join('\n')));
  }
}

/** Most columns of a table when the line names none. */
const maxColumns = 10;

function formatTable(findView: ViewFinder) {
  return async function* (call: CmdletCall): AsyncGenerator<unknown> {
    const style = {
      autoSize: switchParameter(call, 'AutoSize'),
      wrap: switchParameter(call, 'Wrap'),
      hideHeaders: switchParameter(call, 'HideTableHeaders'),
    };
    for (const { title, objects } of await sections(call)) {
      const specs = listParameter(call, 'Property');
      if (specs.length === 0 && objects.every(isPlain)) {
        yield* objects;
        continue;
      }
      const [sample] = objects;
      const selected = specs.length > 0 ? selectProperties(specs, sample, call.host) : defaultColumns(sample, findView);
      const rows: Row[] = [];
      for (const object of objects) rows.push(await readRow(selected, object));
      const columns: Column[] = selected.map(({ label, width, align, grows, spare }) => ({
        label,
        ...(width === undefined ? {} : { width }),
        ...(align === undefined ? {} : { align }),
        ...(grows === undefined ? {} : { grows }),
        ...(spare === undefined ? {} : { spare }),
      }));
      yield new Rendered((options) => titled(title, renderTable(columns, rows, style, options)));
    }
  };
}

function defaultColumns(sample: unknown, findView: ViewFinder): readonly Selected[] {
  const view = sample instanceof ShellObject ? findView(sample.typeName) : undefined;
  const columns =
    view?.kind === 'table' && view.columns.length > 0
      ? columnsOf(view)
      : propertiesOf(sample)
          .slice(0, maxColumns)
          .map(([label]) => ({ label, name: label }));
  return columns.map((column) => ({ ...column, read: async (object) => findProperty(object, column.name) ?? null }));
}

async function* formatWide(call: CmdletCall): AsyncGenerator<unknown> {
  const [spec] = listParameter(call, 'Property');
  const texts: string[] = [];
  for await (const object of shownOf(call)) {
    const known = propertiesOf(object).find(([name]) => /^(?:Name|Identity)$/.test(name))?.[0];
    const [selected] = isPlain(object) ? [] : selectProperties([spec ?? known ?? '*'], object, call.host);
    texts.push(oneLine(toDisplay(selected === undefined ? object : await selected.read(object))));
  }
  if (texts.length === 0) return;
  const longest = Math.max(...texts.map(displayWidth));
  yield new Rendered(({ width }) => {
    const fitting = Math.max(1, Math.floor(width / (longest + 1)));
    const columns = switchParameter(call, 'AutoSize') ? fitting : (numberParameter(call, 'Column') ?? 2);
    const room = Math.max(1, Math.floor((width - columns) / columns));
    const lines: string[] = [];
    for (let i = 0; i < texts.length; i += columns) {
      const cells = texts.slice(i, i + columns).map((text) => pad(truncate(text, room), room, false));
      lines.push(cells.join(' ').trimEnd());
    }
    return `\n${lines.join('\n')}\n\n`;
  });
}

async function asText(objects: AsyncIterable<unknown>, options: RenderOptions): Promise<string> {
  let text = '';
  for await (const chunk of renderText(objects, options)) text += chunk;
  return text;
}

/** Format-List, Format-Table, Format-Wide, Out-String, Out-Null and Out-Host. */
export function formatCmdlets(findView: ViewFinder): readonly ShellCmdlet[] {
  return [
    builtIn(
      {
        name: 'Format-List',
        synopsis: 'Shows objects as a list of properties, one below the other.',
        parameters: {
          Property: property,
          GroupBy: groupBy,
          View: ignored,
          Expand: ignored,
          Force: { type: 'SwitchParameter' },
        },
        examples: [{ line: 'Get-Date | Format-List Year, Month', text: 'Shows two properties of an object.' }],
      },
      formatList,
    ),
    builtIn(
      {
        name: 'Format-Table',
        synopsis: 'Shows objects as a table.',
        parameters: {
          Property: property,
          AutoSize: { type: 'SwitchParameter', help: 'Makes each column as wide as its values.' },
          Wrap: { type: 'SwitchParameter', help: 'Continues long values in further lines.' },
          HideTableHeaders: { type: 'SwitchParameter', help: 'Leaves the header out.' },
          GroupBy: groupBy,
          View: ignored,
          Expand: ignored,
          Force: { type: 'SwitchParameter' },
        },
        examples: [
          { line: "1..3 | Format-Table @{Label='Square'; Expression={$_ * $_}}", text: 'Shows a calculated column.' },
        ],
      },
      formatTable(findView),
    ),
    builtIn(
      {
        name: 'Format-Wide',
        synopsis: 'Shows one property of each object, in several columns.',
        parameters: {
          Property: { ...property, help: 'The property shown; default the name.' },
          Column: { type: 'Int32', min: 1, max: 100, help: 'How many columns; default 2.' },
          AutoSize: { type: 'SwitchParameter', help: 'As many columns as find room.' },
          Force: { type: 'SwitchParameter' },
        },
        examples: [{ line: "'a', 'b', 'c' | Format-Wide -Column 3", text: 'Shows three texts in a line.' }],
      },
      formatWide,
    ),
    builtIn(
      {
        name: 'Out-String',
        synopsis: 'Turns objects into the text that they are shown as.',
        examples: [{ line: '(Get-Queue | Out-String).Length', text: 'The text of a table.' }],
        parameters: {
          Width: { type: 'Int32', min: 2, help: 'Columns of a line.' },
          Stream: { type: 'SwitchParameter', help: 'One text for each line.' },
        },
      },
      async function* (call) {
        const width = call.bound.get('Width');
        const { render } = call.host;
        const options = { ...render, width: typeof width === 'number' ? width : render.width, colour: false };
        const text = await asText(inputOf(call), options);
        if (switchParameter(call, 'Stream')) yield* text.replace(/\n$/, '').split('\n');
        else yield text;
      },
    ),
    builtIn(
      {
        name: 'Out-Null',
        synopsis: 'Takes objects away.',
        examples: [{ line: 'Get-Queue | Out-Null', text: 'Shows nothing.' }],
        parameters: {},
      },
      async function* (call) {
        for await (const _ of inputOf(call)) call.host.signal.throwIfAborted();
        yield* [];
      },
    ),
    builtIn(
      {
        name: 'Out-Host',
        synopsis: 'Shows objects at once.',
        examples: [{ line: 'Get-Queue | Out-Host', text: 'Shows the queues.' }],
        parameters: { Paging: { type: 'SwitchParameter' } },
      },
      async function* (call) {
        for await (const chunk of renderText(inputOf(call), call.host.render, findView)) call.host.print(chunk);
        yield* [];
      },
    ),
  ];
}
