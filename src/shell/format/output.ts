import { printableLines } from '../../base/text/index.ts';
import { ErrorRecord } from '../interpreter/state/error-record.ts';
import { formatDate } from '../values/dates.ts';
import { Hashtable } from '../values/hashtable.ts';
import { propertiesOf } from '../values/members.ts';
import { isTimeSpan } from '../values/quantity.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toDisplay } from '../values/text.ts';
import { oneLine } from './layout.ts';
import { type Row, renderList } from './list.ts';
import { Rendered, type RenderOptions } from './rendered.ts';
import { type Column, type Fitted, fitColumns, renderHeader, renderRows } from './table.ts';
import { builtInView, columnsOf, type View } from './views.ts';

export type ViewFinder = (typeName: string) => View | undefined;

/** Most objects of one table that are held back to find the widths of its columns. */
const maxRows = 1000;
/** Custom objects with at most so many properties are a table. */
const maxColumns = 4;

interface Layout {
  /** Objects with the same key stand under one header. */
  readonly key: string;
  readonly kind: 'table' | 'list';
  /** Stands above the table. */
  readonly title?: string;
  readonly columns: readonly Column[];
  readonly autoSize: boolean;
  /** Widths follow the values: rows are held back. */
  readonly waits: boolean;
  readonly row: Row;
}

/** Lays out objects as they come: each type in its default view, plain values line by line. */
export class OutputWriter {
  readonly #options: RenderOptions;
  readonly #findView: ViewFinder;
  #held: Layout[] = [];
  /** The table or list that is open: its header stands already. */
  #open: (Layout & { readonly fitted: readonly Fitted[] }) | undefined;

  constructor(options: RenderOptions, findView: ViewFinder = builtInView) {
    this.#options = options;
    this.#findView = findView;
  }

  /** Text that is ready once this object is known. */
  write(object: unknown): string {
    if (Array.isArray(object)) return object.map((item) => this.write(item)).join('');
    const layouts = layoutsOf(object, this.#findView);
    const current = this.#held[0] ?? this.#open;
    const before = current !== undefined && layouts?.[0]?.key !== current.key ? this.end() : '';
    if (layouts === undefined) return before + plain(object, this.#options);
    this.#held.push(...layouts);
    // Only tables whose columns follow their values need to see many rows.
    const waits = layouts[0]?.waits === true && this.#held.length < maxRows;
    return before + (waits ? '' : this.flush());
  }

  /** Text that was held back, before something else is shown. The table stays open. */
  flush(): string {
    const [first] = this.#held;
    if (first === undefined) return '';
    const rows = this.#held.map(({ row }) => row);
    this.#held = [];
    if (first.kind === 'list') {
      this.#open = { ...first, fitted: [] };
      return rows.map((row) => `\n${renderList(row, this.#options)}`).join('');
    }
    const begins = this.#open === undefined;
    // Later rows stand under the header as it was written.
    const fitted = this.#open?.fitted ?? fitColumns(first.columns, rows, first, this.#options);
    this.#open = { ...first, fitted };
    const title = first.title === undefined ? '' : `\n   ${oneLine(first.title)}\n`;
    const header = begins ? `${title}\n${renderHeader(fitted, this.#options)}` : '';
    return header + renderRows(fitted, rows, false, this.#options);
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
  return `${printableLines(toDisplay(value, options.enumerationLimit))}\n`;
}

/** undefined for values that are shown as one line. */
function layoutsOf(value: unknown, findView: ViewFinder): readonly Layout[] | undefined {
  if (value instanceof Hashtable) return hashLayouts(value);
  if (value instanceof ErrorRecord) return undefined;
  if (isTimeSpan(value))
    return [{ key: 'timespan', kind: 'list', columns: [], autoSize: false, waits: false, row: propertiesOf(value) }];
  if (!(value instanceof ShellObject)) return undefined;
  const view = findView(value.typeName);
  return view?.kind === 'text' ? undefined : [objectLayout(value, view)];
}

function objectLayout(object: ShellObject, view: View | undefined): Layout {
  const columns =
    view === undefined || view.columns.length === 0
      ? object.entries().map(([label]) => ({ label, name: label }))
      : columnsOf(view);
  const names = columns.map(({ name }) => name);
  const usual = names.length <= maxColumns ? 'table' : 'list';
  const kind = view === undefined || view.kind === 'text' ? usual : view.kind;
  const row = columns.map(({ label, name }) => [label, object.get(name)] as const);
  const autoSize = view === undefined;
  const waits = autoSize || columns.some((column: Column) => column.grows === true);
  const title = view?.groupBy === undefined ? '' : `${view.groupBy}: ${toDisplay(object.get(view.groupBy))}`;
  const key = `${kind} ${object.typeName} ${names.join()} ${title}`;
  return { key, kind, ...(title === '' ? {} : { title }), columns, autoSize, waits, row };
}

/** One row for each key, as PowerShell shows a dictionary. */
function hashLayouts(table: Hashtable): readonly Layout[] {
  const columns = [
    { label: 'Name', width: 30 },
    { label: 'Value', align: 'left' },
  ] as const;
  return table.entries().map(([key, value]) => {
    const row = [
      ['Name', toDisplay(key)],
      ['Value', value],
    ] as const;
    return { key: 'hashtable', kind: 'table', columns, autoSize: false, waits: false, row };
  });
}
