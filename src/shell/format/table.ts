import { isNumeric, toDisplay } from '../values/text.ts';
import { paint, printable } from './colour.ts';
import { displayWidth, oneLine, pad, truncate } from './layout.ts';
import { type Row } from './list.ts';
import { type RenderOptions } from './rendered.ts';
import { wordWrap } from './word-wrap.ts';

export interface Column {
  readonly label: string;
  /** Columns of the terminal; absent: a share, or as wide as its values. */
  readonly width?: number;
  readonly align?: 'left' | 'right' | 'center';
}

export interface TableStyle {
  /** Each column as wide as its longest value. */
  readonly autoSize: boolean;
  /** Long values go on in further lines. */
  readonly wrap: boolean;
  readonly hideHeaders: boolean;
}

interface Fitted {
  readonly label: string;
  readonly width: number;
  readonly right: boolean;
}

/** Narrowest column that still tells something. */
const narrowest = 4;

/** Lines of a table: labels, dashes, one or more lines for each row. Columns that find no room are left out. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly Row[],
  style: TableStyle,
  options: RenderOptions,
): string {
  const fitted = fit(columns, rows, style, options.width);
  const header = style.hideHeaders
    ? []
    : [
        paint(
          'green',
          line(fitted.map((column) => pad(truncate(column.label, column.width), column.width, column.right))),
          options.colour,
        ),
        paint(
          'green',
          line(
            fitted.map(({ label, width, right }) =>
              pad('-'.repeat(Math.min(displayWidth(label), width)), width, right),
            ),
          ),
          options.colour,
        ),
      ];
  const body = rows.flatMap((row) => rowLines(fitted, row, style.wrap));
  return [...header, ...body].map((text) => `${text}\n`).join('');
}

function line(cells: readonly string[]): string {
  return cells.join(' ').trimEnd();
}

function fit(columns: readonly Column[], rows: readonly Row[], style: TableStyle, width: number): readonly Fitted[] {
  // PowerShell leaves the last column of the terminal free.
  let room = Math.max(width - 1, narrowest);
  const share = shareOf(columns, room);
  const fitted: Fitted[] = [];
  for (const [i, column] of columns.entries()) {
    const natural = Math.max(
      displayWidth(column.label),
      ...rows.map((row) => displayWidth(oneLine(toDisplay(row[i]?.[1])))),
    );
    const wished = column.width ?? (style.autoSize ? natural : share);
    const taken = Math.min(wished, room);
    if (i > 0 && taken < Math.min(wished, narrowest)) break;
    const right = column.align === undefined ? isNumeric(rows[0]?.[i]?.[1]) : column.align === 'right';
    fitted.push({ label: column.label, width: taken, right });
    room -= taken + 1;
  }
  return fitted;
}

/** What each column without a width of its own gets when the line is shared out. */
function shareOf(columns: readonly Column[], room: number): number {
  const free = columns.filter(({ width }) => width === undefined).length;
  const used = columns.reduce((sum, { width = 0 }) => sum + width, columns.length - 1);
  return Math.max(narrowest, Math.floor((room - used) / Math.max(free, 1)));
}

function rowLines(columns: readonly Fitted[], row: Row, wrap: boolean): string[] {
  const cells = columns.map(({ width }, i) => {
    const text = toDisplay(row[i]?.[1]);
    return wrap ? wordWrap(printable(text), width) : [truncate(oneLine(text), width)];
  });
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, n) =>
    line(columns.map(({ width, right }, i) => pad(cells[i]?.[n] ?? '', width, right))),
  );
}
