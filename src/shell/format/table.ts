import { printableLines } from '../../base/text/index.ts';
import { isNumeric, toDisplay } from '../values/text.ts';
import { paint } from './colour.ts';
import { displayWidth, oneLine, pad, truncate } from './layout.ts';
import type { Row } from './list.ts';
import type { RenderOptions } from './rendered.ts';
import { wordWrap } from './word-wrap.ts';

export interface Column {
  readonly label: string;
  /** Columns of the terminal; absent: a share, or as wide as its values. */
  readonly width?: number;
  /** Absent: numbers on the right. */
  readonly align?: 'left' | 'right' | 'center';
  /** At least `width`, more for longer values. */
  readonly grows?: boolean;
  /** Left out of a narrow terminal, so that the others can be read. */
  readonly spare?: boolean;
}

export interface TableStyle {
  /** Each column as wide as its longest value. */
  readonly autoSize: boolean;
  /** Long values go on in further lines. */
  readonly wrap: boolean;
  readonly hideHeaders: boolean;
}

/** A column with its place found. */
export interface Fitted {
  readonly label: string;
  readonly width: number;
  readonly right: boolean;
  /** Place of its value in a row. */
  readonly place: number;
}

/** Share below which spare columns are left out. */
const readable = 15;
/** Narrowest column that still tells something. */
const narrowest = 4;

/** Lines of a table: labels, dashes, one or more lines for each row. Columns that find no room are left out. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly Row[],
  style: TableStyle,
  options: RenderOptions,
): string {
  const fitted = fitColumns(columns, rows, style, options);
  return (style.hideHeaders ? '' : renderHeader(fitted, options)) + renderRows(fitted, rows, style.wrap, options);
}

/** Labels and dashes. */
export function renderHeader(fitted: readonly Fitted[], { colour }: RenderOptions): string {
  const labels = fitted.map(({ label, width, right }) => pad(truncate(oneLine(label), width), width, right));
  const dashes = fitted.map(({ label, width, right }) =>
    pad('-'.repeat(Math.min(displayWidth(oneLine(label)), width)), width, right),
  );
  return [labels, dashes].map((cells) => `${paint('green', line(cells), colour)}\n`).join('');
}

/** The rows of a table whose columns are fitted. */
export function renderRows(
  fitted: readonly Fitted[],
  rows: readonly Row[],
  wrap: boolean,
  options: RenderOptions,
): string {
  return rows
    .flatMap((row) => rowLines(fitted, row, wrap, options))
    .map((text) => `${text}\n`)
    .join('');
}

function line(cells: readonly string[]): string {
  return cells.join(' ').trimEnd();
}

/** Finds the widths of columns for these rows; warns of those that find no room, as PowerShell 5 does. */
export function fitColumns(
  columns: readonly Column[],
  rows: readonly Row[],
  { autoSize }: Pick<TableStyle, 'autoSize'>,
  options: RenderOptions,
): readonly Fitted[] {
  const natural = (column: Column, i: number): number =>
    Math.max(
      displayWidth(oneLine(column.label)),
      ...rows.map((row) => displayWidth(oneLine(toDisplay(row[i]?.[1], options.enumerationLimit)))),
    );
  const sized = columns.map((column, i) => {
    if (autoSize) return { ...column, width: natural(column, i) };
    return column.grows === true ? { ...column, width: Math.max(column.width ?? 0, natural(column, i)) } : column;
  });
  // PowerShell leaves the last column of the terminal free.
  let room = Math.max(options.width - 1, narrowest);
  const needed = !autoSize && shareOf(sized, room) < readable ? sized.filter(({ spare }) => spare !== true) : sized;
  const share = shareOf(needed, room);
  const fitted: Fitted[] = [];
  for (const column of needed) {
    const { label, align, width: wished = share } = column;
    const taken = Math.min(wished, room);
    if (fitted.length > 0 && taken < Math.min(wished, narrowest)) break;
    const place = sized.indexOf(column);
    const right = align === undefined ? isNumeric(rows[0]?.[place]?.[1]) : align === 'right';
    fitted.push({ label, width: taken, right, place });
    room -= taken + 1;
  }
  warnOfRemoved(needed.slice(fitted.length), options);
  return fitted;
}

function warnOfRemoved(removed: readonly Column[], { warn }: RenderOptions): void {
  const [first] = removed;
  if (first === undefined) return;
  warn?.(
    removed.length === 1
      ? `column "${oneLine(first.label)}" does not fit into the display and it was removed.`
      : `${removed.length} columns do not fit into the display and were removed.`,
  );
}

/** What each column without a width of its own gets when the line is shared out. */
function shareOf(columns: readonly Column[], room: number): number {
  const free = columns.filter(({ width }) => width === undefined).length;
  const used = columns.reduce((sum, { width = 0 }) => sum + width, columns.length - 1);
  return Math.max(narrowest, Math.floor((room - used) / Math.max(free, 1)));
}

function rowLines(columns: readonly Fitted[], row: Row, wrap: boolean, options: RenderOptions): string[] {
  const cells = columns.map(({ width, place }) => {
    const text = toDisplay(row[place]?.[1], options.enumerationLimit);
    return wrap ? wordWrap(printableLines(text), width) : [truncate(oneLine(text), width)];
  });
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, n) =>
    line(columns.map(({ width, right }, i) => pad(cells[i]?.[n] ?? '', width, right))),
  );
}
