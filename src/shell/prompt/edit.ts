/** Editing of a text with a cursor: pure steps, each from one state to the next. */
import { characters } from '../format/layout.ts';

export interface Edit {
  readonly text: string;
  /** Index in `text`. */
  readonly cursor: number;
  /** Text that was cut last, for `yank`. */
  readonly cut: string;
}

export const emptyEdit: Edit = { text: '', cursor: 0, cut: '' };

/** Puts a text at the cursor. */
export function insert(edit: Edit, text: string): Edit {
  return replace(edit, edit.cursor, edit.cursor, text);
}

/** Puts a text in the place of another; the cursor stands behind it. */
export function replace(edit: Edit, from: number, to: number, text: string): Edit {
  return { ...edit, text: edit.text.slice(0, from) + text + edit.text.slice(to), cursor: from + text.length };
}

/** Code units in which one character begins and ends: longer ones are taken in parts. */
const longestCharacter = 200;

/** End of the character that begins at an index. */
function nextBoundary(text: string, index: number): number {
  return index + (characters(text.slice(index, index + longestCharacter))[0]?.length ?? 0);
}

/** Beginning of the character that ends at an index. */
function previousBoundary(text: string, index: number): number {
  const from = Math.max(lineStart(text, index - 1), index - longestCharacter);
  return index - (characters(text.slice(from, index)).at(-1)?.length ?? 0);
}

function lineStart(text: string, index: number): number {
  return index <= 0 ? 0 : text.lastIndexOf('\n', index - 1) + 1;
}

function lineEnd(text: string, index: number): number {
  const end = text.indexOf('\n', index);
  return end < 0 ? text.length : end;
}

function wordStart({ text, cursor }: Edit): number {
  return cursor - (/[\p{L}\p{N}_]*[^\p{L}\p{N}_]*$/u.exec(text.slice(0, cursor))?.[0].length ?? 0);
}

function wordEnd({ text, cursor }: Edit): number {
  return cursor + (/^[^\p{L}\p{N}_]*[\p{L}\p{N}_]*/u.exec(text.slice(cursor))?.[0].length ?? 0);
}

/** Beginning of what stands before the cursor up to a space, and the space behind it. */
function spacedStart({ text, cursor }: Edit): number {
  return cursor - (/\S*\s*$/.exec(text.slice(0, cursor))?.[0].length ?? 0);
}

function cutOut(edit: Edit, from: number, to: number): Edit {
  return from === to ? edit : { ...replace(edit, from, to, ''), cut: edit.text.slice(from, to) };
}

const at = (edit: Edit, cursor: number): Edit => ({ ...edit, cursor });

/** To the same place in the line above or below; undefined when there is none. */
export function vertical(edit: Edit, step: 1 | -1): Edit | undefined {
  const { text, cursor } = edit;
  const start = lineStart(text, cursor);
  const column = cursor - start;
  if (step < 0) {
    if (start === 0) return undefined;
    return at(edit, Math.min(lineStart(text, start - 1) + column, start - 1));
  }
  const end = lineEnd(text, cursor);
  return end === text.length ? undefined : at(edit, Math.min(end + 1 + column, lineEnd(text, end + 1)));
}

function transpose(edit: Edit): Edit {
  const { text } = edit;
  const middle = edit.cursor === text.length ? previousBoundary(text, edit.cursor) : edit.cursor;
  const [from, to] = [previousBoundary(text, middle), nextBoundary(text, middle)];
  if (from === middle || to === middle) return edit;
  return replace(edit, from, to, text.slice(middle, to) + text.slice(from, middle));
}

type Step = (edit: Edit) => Edit;

const left: Step = (edit) => at(edit, previousBoundary(edit.text, edit.cursor));
const right: Step = (edit) => at(edit, nextBoundary(edit.text, edit.cursor));
const home: Step = (edit) => at(edit, lineStart(edit.text, edit.cursor));
const end: Step = (edit) => at(edit, lineEnd(edit.text, edit.cursor));
const wordLeft: Step = (edit) => at(edit, wordStart(edit));
const wordRight: Step = (edit) => at(edit, wordEnd(edit));
const deleteRight: Step = (edit) => replace(edit, edit.cursor, nextBoundary(edit.text, edit.cursor), '');
const deleteLeft: Step = (edit) => replace(edit, previousBoundary(edit.text, edit.cursor), edit.cursor, '');
const cutWordLeft: Step = (edit) => cutOut(edit, wordStart(edit), edit.cursor);

/** Keys that only edit, as Emacs, bash and PSReadLine have them. */
export const editingKeys: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['Left', left],
  ['C-b', left],
  ['Right', right],
  ['C-f', right],
  ['Home', home],
  ['C-a', home],
  ['End', end],
  ['C-e', end],
  ['C-Home', (edit) => at(edit, 0)],
  ['M-<', (edit) => at(edit, 0)],
  ['C-End', (edit) => at(edit, edit.text.length)],
  ['M->', (edit) => at(edit, edit.text.length)],
  ['C-Left', wordLeft],
  ['M-b', wordLeft],
  ['C-Right', wordRight],
  ['M-f', wordRight],
  ['Backspace', deleteLeft],
  ['S-Backspace', deleteLeft],
  ['Delete', deleteRight],
  ['C-d', deleteRight],
  ['C-Backspace', cutWordLeft],
  ['M-Backspace', cutWordLeft],
  ['C-w', (edit) => cutOut(edit, spacedStart(edit), edit.cursor)],
  ['M-d', (edit) => cutOut(edit, edit.cursor, wordEnd(edit))],
  ['C-Delete', (edit) => cutOut(edit, edit.cursor, wordEnd(edit))],
  ['C-u', (edit) => cutOut(edit, lineStart(edit.text, edit.cursor), edit.cursor)],
  ['C-k', (edit) => cutOut(edit, edit.cursor, lineEnd(edit.text, edit.cursor))],
  ['C-y', (edit) => insert(edit, edit.cut)],
  ['C-t', transpose],
  ['M-Enter', (edit) => insert(edit, '\n')],
  ['S-Enter', (edit) => insert(edit, '\n')],
  ['C-j', (edit) => insert(edit, '\n')],
]);
