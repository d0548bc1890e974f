import { oneLine, truncate } from '../format/layout.ts';
import type { Edit } from './edit.ts';
import { type Frame, FrameBuilder, type Piece } from './frame.ts';
import { highlight } from './highlight.ts';
import type { Menu } from './menu.ts';
import type { Search } from './search.ts';

/** What the prompt shows of a line. */
export interface LineView {
  readonly label: string;
  readonly edit: Edit;
  /** The language's colours are shown. */
  readonly isCode: boolean;
  /** Text that one key would add. */
  readonly ghost?: string;
  /** A few words below the line. */
  readonly about?: string;
  readonly menu?: Menu | undefined;
}

interface Room {
  readonly columns: number;
  readonly colour: boolean;
}

const continuation: Piece = { text: '>> ', style: 'label' };

/** The line with its label, the cursor, and what stands below it. */
export function drawLine(view: LineView, { columns, colour }: Room): Frame {
  const { label, edit, isCode, ghost = '', about = '', menu } = view;
  const frame = new FrameBuilder(columns, colour);
  frame.add({ text: label, style: 'label' });
  addText(frame, isCode ? highlight(edit.text) : [{ text: edit.text }], edit.cursor);
  const [hinted = '', ...more] = menu === undefined ? ghost.split('\n') : [];
  frame.add({ text: more.length > 0 ? `${hinted} ...` : hinted, style: 'ghost' });
  if (menu !== undefined) menu.draw(frame, columns);
  else if (about !== '') {
    frame.startRow();
    frame.add({ text: truncate(oneLine(about), columns - 1), style: 'note' });
  }
  return frame.build();
}

/** Adds pieces one after the other, the cursor at an index of their whole text. */
function addText(frame: FrameBuilder, pieces: readonly Piece[], cursor: number): void {
  let start = 0;
  for (const { text, style } of pieces) {
    const inside = cursor - start;
    if (inside >= 0 && inside < text.length) {
      frame.add({ text: text.slice(0, inside), style }, continuation);
      frame.markCursor();
      frame.add({ text: text.slice(inside), style }, continuation);
    } else {
      frame.add({ text, style }, continuation);
    }
    start += text.length;
  }
  if (cursor >= start) frame.markCursor();
}

/** The search: what is sought, and the entry with that in it. */
export function drawSearch(search: Search, { columns, colour }: Room): Frame {
  const frame = new FrameBuilder(columns, colour);
  frame.add({ text: `${search.isFailed ? 'not found' : 'search'}: `, style: 'label' });
  frame.add({ text: search.query });
  frame.markCursor();
  frame.startRow();
  const { text, place } = search;
  frame.add({ text: place < 0 ? text : text.slice(0, place) }, continuation);
  if (place >= 0) {
    frame.add({ text: text.slice(place, place + search.query.length), style: 'match' }, continuation);
    frame.add({ text: text.slice(place + search.query.length) }, continuation);
  }
  frame.startRow();
  const keys = 'Ctrl-R older  Ctrl-S newer  Enter runs  Esc edits  Ctrl-G back';
  frame.add({ text: truncate(keys, columns - 1), style: 'note' });
  return frame.build();
}
