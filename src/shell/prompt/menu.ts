import type { Candidate, Completion } from '../endpoint.ts';
import { displayWidth, oneLine, truncate } from '../format/layout.ts';
import { type Edit, replace } from './edit.ts';
import type { FrameBuilder } from './frame.ts';

const mostRows = 8;
const gap = 2;
const widestCell = 44;

/** Candidates below the line, one of them chosen. Immutable. */
export class Menu {
  readonly #base: Edit;
  readonly #completion: Completion;
  readonly #chosen: number;

  constructor(base: Edit, completion: Completion, chosen = -1) {
    this.#base = base;
    this.#completion = completion;
    this.#chosen = chosen;
  }

  /** The line before anything was chosen. */
  get base(): Edit {
    return this.#base;
  }

  get chosen(): Candidate | undefined {
    return this.#completion.candidates[this.#chosen];
  }

  /** The line with the chosen candidate in it. */
  get edit(): Edit {
    const { from, to } = this.#completion;
    return this.chosen === undefined ? this.#base : replace(this.#base, from, to, this.chosen.text);
  }

  /** The next state for a key that moves in the menu; undefined for other keys. */
  moved(key: string, columns: number): Menu | undefined {
    const { perRow } = this.#grid(columns);
    const steps: Readonly<Record<string, number>> = {
      Tab: 1,
      'S-Tab': -1,
      Right: 1,
      Left: -1,
      Down: perRow,
      Up: -perRow,
      PageDown: perRow * mostRows,
      PageUp: -perRow * mostRows,
    };
    const step = steps[key];
    return step === undefined ? undefined : new Menu(this.#base, this.#completion, this.#stepped(step, perRow));
  }

  /** Draws the rows around the chosen candidate, and what is known of it. */
  draw(frame: FrameBuilder, columns: number): void {
    const { candidates } = this.#completion;
    const { cell, perRow, rows } = this.#grid(columns);
    const row = Math.floor(Math.max(0, this.#chosen) / perRow);
    const first = Math.min(Math.max(0, row - mostRows + 1), Math.max(0, rows - mostRows));
    for (let i = first; i < Math.min(rows, first + mostRows); i += 1) {
      frame.startRow();
      for (const [j, { text }] of candidates.slice(i * perRow, (i + 1) * perRow).entries()) {
        const isChosen = i * perRow + j === this.#chosen;
        const shown = truncate(oneLine(text), cell);
        frame.add({ text: shown, style: isChosen ? 'selected' : undefined });
        if (j < perRow - 1) frame.add({ text: ' '.repeat(cell + gap - displayWidth(shown)) });
      }
    }
    frame.startRow();
    const place = rows > mostRows || this.#chosen >= 0 ? `${this.#chosen + 1}/${candidates.length}  ` : '';
    const note = truncate(place + oneLine(this.chosen?.hint ?? ''), columns - 1);
    if (note.trim() !== '') frame.add({ text: note, style: 'note' });
  }

  #grid(columns: number): { cell: number; perRow: number; rows: number } {
    const { candidates } = this.#completion;
    const widest = Math.max(...candidates.map(({ text }) => displayWidth(oneLine(text))));
    // Where a list has more than fits, two in a row show more than one of full length.
    const most = candidates.length > mostRows ? Math.floor((columns - 1 - gap) / 2) : columns - 1;
    const cell = Math.max(1, Math.min(widest, widestCell, most));
    const perRow = Math.max(1, Math.floor((columns - 1 + gap) / (cell + gap)));
    return { cell, perRow, rows: Math.ceil(candidates.length / perRow) };
  }

  #stepped(step: number, perRow: number): number {
    const { length } = this.#completion.candidates;
    if (this.#chosen < 0) return step > 0 ? 0 : length - 1;
    const next = this.#chosen + step;
    if (next >= 0 && next < length) return next;
    if (Math.abs(step) === 1) return (next + length) % length;
    if (Math.abs(step) > perRow) return step > 0 ? length - 1 : 0;
    // From the last row to the first of the same column, and back.
    const column = this.#chosen % perRow;
    const last = column + Math.floor((length - 1 - column) / perRow) * perRow;
    return step > 0 ? column : last;
  }
}

/** What all candidates begin with, without regard to case; spelled as the first one is. */
export function commonStart(candidates: readonly Candidate[]): string {
  const [first, ...others] = candidates.map(({ text }) => text);
  let length = first?.length ?? 0;
  for (const other of others) {
    while (other.slice(0, length).toLowerCase() !== first?.slice(0, length).toLowerCase()) length -= 1;
  }
  return first?.slice(0, length) ?? '';
}
