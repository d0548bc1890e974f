import { clipped, type Frame, type FrameRow } from './frame.ts';

/** Where the prompt draws. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** The part of the screen that the prompt draws anew at each key, from the row where it began. */
export class EditArea {
  readonly #screen: Screen;
  #shown: Frame | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Draws in the place of what was drawn before. */
  draw(frame: Frame): void {
    const visible = clipped(frame, Math.max(1, this.#screen.rows - 1));
    const rows = visible.rows.map((row, i) => this.#drawn(row, i === visible.rows.length - 1)).join('\r\n');
    const below = visible.rows.length - 1 - visible.row;
    const place = `${below > 0 ? `\u001B[${below}A` : ''}\r${visible.column > 0 ? `\u001B[${visible.column}C` : ''}`;
    // The cursor is hidden meanwhile: it would be seen jumping.
    this.#screen.write(`\u001B[?25l${this.#toTop()}${rows}${place}\u001B[?25h`);
    this.#shown = visible;
  }

  /** Leaves what is drawn on the screen and goes on below it. */
  leave(frame: Frame): void {
    this.draw({ ...frame, row: frame.rows.length - 1, column: 0 });
    this.#screen.write('\r\n');
    this.#shown = undefined;
  }

  /** Forgets what is on the screen: something else was written there. */
  forget(): void {
    this.#shown = undefined;
  }

  /**
   * A row, and what stood behind it erased; below the last one the rest of the screen. Erased row by row: a terminal may take
   * one that is erased from its first row on for a new page, and keep the old one in its history (tmux does). Erased before it is
   * written: that also ends the terminal's memory of a row that it had folded into this one, which it would unfold again.
   */
  #drawn({ text, width }: FrameRow, isLast: boolean): string {
    if (!isLast) return `\u001B[K${text}`;
    // Behind the last column the cursor still stands on it, and would erase it.
    return width < this.#screen.columns ? `\u001B[K${text}\u001B[J` : `\u001B[J${text}`;
  }

  /** Back to the first row. Rows that were wider than the window now is have been folded by the terminal. */
  #toTop(): string {
    if (this.#shown === undefined) return '\r';
    const { columns } = this.#screen;
    const { rows, row, column } = this.#shown;
    const above = rows.slice(0, row).reduce((sum, { width }) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    const up = above + Math.floor(column / columns);
    return `\r${up > 0 ? `\u001B[${up}A` : ''}`;
  }
}
