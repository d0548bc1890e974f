import { ErrorRecord } from '../interpreter/error-record.ts';
import { formatDate } from '../values/dates.ts';
import { Hashtable } from '../values/hashtable.ts';
import { propertiesOf } from '../values/members.ts';
import { isTimeSpan } from '../values/quantity.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toDisplay } from '../values/text.ts';
import { printable } from './colour.ts';
import { type Row, renderList } from './list.ts';
import { Rendered, type RenderOptions } from './rendered.ts';
import { type Column, renderTable } from './table.ts';
import { builtInView, type View } from './views.ts';

export type ViewFinder = (typeName: string) => View | undefined;

/** Most objects of one table that are held back to find the widths of its columns. */
const maxRows = 1000;
/** Custom objects with at most so many properties are a table. */
const maxColumns = 4;

interface Layout {
  /** Objects with the same key stand under one header. */
  readonly key: string;
  readonly kind: 'table' | 'list';
  readonly columns: readonly Column[];
  readonly autoSize: boolean;
  readonly row: Row;
}

/** Lays out objects as they come: each type in its default view, plain values line by line. */
export class OutputWriter {
  readonly #options: RenderOptions;
  readonly #findView: ViewFinder;
  #held: Layout[] = [];
  /** The table or list that is open: its header stands already. */
  #open: Layout | undefined;

  constructor(options: RenderOptions, findView: ViewFinder = builtInView) {
    this.#options = options;
    this.#findView = findView;
  }

  /** Text that is ready once this object is known. */
  write(object: unknown): string {
    const layouts = layoutsOf(object, this.#findView);
    const current = this.#held[0] ?? this.#open;
    const before = current !== undefined && layouts?.[0]?.key !== current.key ? this.end() : '';
    if (layouts === undefined) return before + plain(object, this.#options);
    this.#held.push(...layouts);
    // Only tables whose columns follow their values need to see many rows.
    const waits = layouts[0]?.autoSize === true && this.#held.length < maxRows;
    return before + (waits ? '' : this.flush());
  }

  /** Text that was held back, before something else is shown. The table stays open. */
  flush(): string {
    const [first] = this.#held;
    if (first === undefined) return '';
    const rows = this.#held.map(({ row }) => row);
    const continued = this.#open !== undefined;
    this.#open = first;
    this.#held = [];
    if (first.kind === 'list') return rows.map((row) => `\n${renderList(row, this.#options)}`).join('');
    const style = { autoSize: first.autoSize, wrap: false, hideHeaders: continued };
    return `${continued ? '' : '\n'}${renderTable(first.columns, rows, style, this.#options)}`;
  }

  /** The rest, and the blank line that ends a table or list. */
  end(): string {
    const rest = this.flush();
    const ends = this.#open !== undefined;
    this.#open = undefined;
    return ends ? `${rest}\n` : rest;
  }
}

/** Text of a pipeline's objects as the shell shows them. */
export async function* renderText(
  objects: AsyncIterable<unknown>,
  options: RenderOptions,
  findView: ViewFinder = builtInView,
): AsyncGenerator<string> {
  const writer = new OutputWriter(options, findView);
  for await (const object of objects) yield writer.write(object);
  yield writer.end();
}

function plain(value: unknown, options: RenderOptions): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Rendered) return value.render(options);
  if (value instanceof ErrorRecord) return value.render(options);
  if (value instanceof Date) return `\n${formatDate(value, 'dddd, MMMM d, yyyy h:mm:ss tt')}\n\n`;
  return `${printable(toDisplay(value))}\n`;
}

/** undefined for values that are shown as one line. */
function layoutsOf(value: unknown, findView: ViewFinder): readonly Layout[] | undefined {
  if (value instanceof Hashtable) return hashLayouts(value);
  if (value instanceof ErrorRecord) return undefined;
  if (isTimeSpan(value))
    return [{ key: 'timespan', kind: 'list', columns: [], autoSize: false, row: propertiesOf(value) }];
  return value instanceof ShellObject ? [objectLayout(value, findView(value.typeName))] : undefined;
}

function objectLayout(object: ShellObject, view: View | undefined): Layout {
  const names = view === undefined || view.columns.length === 0 ? object.entries().map(([name]) => name) : view.columns;
  const kind = view?.kind ?? (names.length <= maxColumns ? 'table' : 'list');
  const row = names.map((name) => [name, object.get(name)] as const);
  const columns = names.map((label) => ({ label }));
  return { key: `${kind} ${object.typeName} ${names.join()}`, kind, columns, autoSize: view === undefined, row };
}

/** One row for each key, as PowerShell shows a dictionary. */
function hashLayouts(table: Hashtable): readonly Layout[] {
  const columns = [{ label: 'Name', width: 30 }, { label: 'Value' }];
  return table.entries().map(([key, value]) => {
    const row = [
      ['Name', toDisplay(key)],
      ['Value', value],
    ] as const;
    return { key: 'hashtable', kind: 'table', columns, autoSize: false, row };
  });
}
