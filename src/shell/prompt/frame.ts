import { characters, displayWidth } from '../format/layout.ts';

/** How a piece of the screen looks; `styleCodes` has the escape sequences. */
export type Style =
  | 'label'
  | 'ghost'
  | 'note'
  | 'selected'
  | 'match'
  | 'command'
  | 'parameter'
  | 'string'
  | 'variable'
  | 'number'
  | 'comment'
  | 'operator';

/** With colour, and without it: dim, bold and inverse are no colours (https://no-color.org). */
const styleCodes: Readonly<Record<Style, readonly [coloured: string, plain: string]>> = {
  label: ['1', '1'],
  ghost: ['2', '2'],
  note: ['2', '2'],
  selected: ['7', '7'],
  match: ['4', '4'],
  command: ['93', ''],
  parameter: ['90', ''],
  string: ['36', ''],
  variable: ['92', ''],
  number: ['97', ''],
  comment: ['32', ''],
  operator: ['90', ''],
};

/** A run of text in one style. */
export interface Piece {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** One row of the screen, with its escape sequences. */
export interface FrameRow {
  readonly text: string;
  /** Columns that it takes. */
  readonly width: number;
}

/** What stands on the screen, and where the cursor is in it. */
export interface Frame {
  readonly rows: readonly FrameRow[];
  readonly row: number;
  readonly column: number;
}

/** Lays pieces out in rows of a width. Line breaks in a piece begin a row; what is too long goes on in the next. */
export class FrameBuilder {
  readonly #columns: number;
  readonly #colour: boolean;
  readonly #rows: FrameRow[] = [];
  #text = '';
  #width = 0;
  #cursor: { row: number; column: number } | undefined;

  constructor(columns: number, colour: boolean) {
    this.#columns = Math.max(2, columns);
    this.#colour = colour;
  }

  /** Puts a piece behind the others. `continuation` stands before rows that follow a line break. */
  add({ text, style }: Piece, continuation: Piece = { text: '' }): void {
    for (const [i, line] of text.split('\n').entries()) {
      if (i > 0) {
        this.#endRow();
        this.add(continuation);
      }
      this.#addLine(line, style);
    }
  }

  /** The cursor stands behind what was added last. */
  markCursor(): void {
    if (this.#width >= this.#columns) this.#endRow();
    this.#cursor = { row: this.#rows.length, column: this.#width };
  }

  /** Begins a row of its own, if the current one is not empty. */
  startRow(): void {
    if (this.#width > 0 || this.#rows.length === 0) this.#endRow();
  }

  build(): Frame {
    if (this.#width > 0 || this.#rows.length === 0 || this.#cursor?.row === this.#rows.length) this.#endRow();
    return { rows: this.#rows, ...(this.#cursor ?? { row: 0, column: 0 }) };
  }

  #addLine(line: string, style: Style | undefined): void {
    let run = '';
    for (const char of characters(line)) {
      const width = displayWidth(char);
      if (this.#width + width > this.#columns) {
        this.#text += this.#styled(run, style);
        run = '';
        this.#endRow();
      }
      run += char;
      this.#width += width;
    }
    this.#text += this.#styled(run, style);
  }

  #styled(text: string, style: Style | undefined): string {
    const code = style === undefined ? '' : styleCodes[style][this.#colour ? 0 : 1];
    return code === '' || text === '' ? text : `\u001B[${code}m${text}\u001B[0m`;
  }

  #endRow(): void {
    this.#rows.push({ text: this.#text, width: this.#width });
    this.#text = '';
    this.#width = 0;
  }
}

/** The rows around the cursor, when there are more than a screen holds. */
export function clipped(frame: Frame, height: number): Frame {
  const { rows, row, column } = frame;
  if (rows.length <= height) return frame;
  const first = Math.min(Math.max(0, row - Math.floor(height / 2)), rows.length - height);
  return { rows: rows.slice(first, first + height), row: row - first, column };
}
