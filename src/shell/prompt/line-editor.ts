import type { Completion } from '../endpoint.ts';
import { type Edit, editingKeys, emptyEdit, insert, replace, vertical } from './edit.ts';
import { EditArea, type Screen } from './edit-area.ts';
import type { Frame } from './frame.ts';
import type { History } from './history.ts';
import { HistoryWalk } from './history-walk.ts';
import type { KeyQueue } from './key-queue.ts';
import type { Key } from './keys.ts';
import { drawLine, drawSearch } from './line-frame.ts';
import { commonStart, Menu } from './menu.ts';
import { Search } from './search.ts';

/** What the editor works with. */
export interface EditorParts {
  readonly keys: KeyQueue;
  readonly screen: Screen & { onResize(call: () => void): Disposable; suspend?(): void };
  readonly colour: boolean;
  readonly history: History;
  /** Absent for answers to questions. */
  readonly complete?: (text: string, cursor: number) => Promise<Completion>;
  /** What is typed is not shown. */
  readonly secret?: boolean;
}

/** What a key came to. `undefined`: the line goes on. */
type Outcome = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'end' } | undefined;

/** Milliseconds without a key before the line is looked at for hints. */
const hintDelayMs = 40;
/** Longer texts get no hints. */
const longestHinted = 4000;
const mostUndone = 200;

/** Reads one line, or several that belong together, from a terminal. */
export class LineEditor {
  readonly #parts: EditorParts;
  readonly #area: EditArea;
  #label = '';
  #edit: Edit = emptyEdit;
  #undo: Edit[] = [];
  #walk: HistoryWalk;
  #menu: Menu | undefined;
  #search: Search | undefined;
  #ghost = '';
  #about = '';
  #hintTimer: NodeJS.Timeout | undefined;

  constructor(parts: EditorParts) {
    this.#parts = parts;
    this.#area = new EditArea(parts.screen);
    this.#walk = new HistoryWalk(parts.history);
  }

  /** The text that was entered; undefined at the end of input (Ctrl-D on an empty line). */
  async read(label: string): Promise<string | undefined> {
    this.#label = label;
    this.#setLine({ ...emptyEdit, cut: this.#edit.cut });
    this.#undo = [];
    using _resized = this.#parts.screen.onResize(() => this.#draw());
    for (;;) {
      if (this.#parts.keys.isEmpty) this.#draw();
      const key = await this.#parts.keys.next();
      const outcome = key === undefined ? ({ kind: 'end' } as const) : await this.#take(key);
      if (outcome === undefined) continue;
      clearTimeout(this.#hintTimer);
      this.#leave();
      return outcome.kind === 'line' ? outcome.text : undefined;
    }
  }

  async #take(key: Key): Promise<Outcome> {
    if (this.#search !== undefined && this.#searched(key)) return undefined;
    if (this.#menu !== undefined && this.#inMenu(key)) return undefined;
    if (key.kind !== 'key') {
      // The line break behind what was copied would only leave an empty row: Enter runs it.
      this.#change(insert(this.#edit, key.kind === 'paste' ? key.text.replace(/\n+$/, '') : key.text));
      return undefined;
    }
    if (this.#takeGhost(key.name)) return undefined;
    const special = this.#specials[key.name];
    if (special !== undefined) return special();
    const step = editingKeys.get(key.name);
    if (step !== undefined) this.#change(step(this.#edit));
    return undefined;
  }

  readonly #specials: Readonly<Record<string, () => Outcome | Promise<Outcome>>> = {
    Enter: async () => {
      const { text } = this.#edit;
      if (this.#parts.complete === undefined || (await isComplete(text))) return { kind: 'line', text };
      this.#change(insert(this.#edit, '\n'));
      this.#about = 'the line goes on: close what is open, or Ctrl-C';
      return undefined;
    },
    'C-c': () => {
      // An empty answer would be the default one.
      if (this.#parts.complete === undefined) return { kind: 'end' };
      this.#edit = { ...this.#edit, text: `${this.#edit.text}^C`, cursor: 0 };
      return { kind: 'line', text: '' };
    },
    'C-d': () => {
      if (this.#edit.text === '') return { kind: 'end' };
      const step = editingKeys.get('C-d');
      if (step !== undefined) this.#change(step(this.#edit));
      return undefined;
    },
    Tab: () => this.#complete(),
    Up: () => this.#up(),
    'C-p': () => this.#up(),
    Down: () => this.#down(),
    'C-n': () => this.#down(),
    'C-r': () => {
      this.#search = new Search(this.#parts.history, this.#edit);
      return undefined;
    },
    'C-_': () => {
      const before = this.#undo.pop();
      if (before !== undefined) this.#setLine(before);
      return undefined;
    },
    'C-l': () => {
      this.#parts.screen.write('\u001B[H\u001B[2J');
      this.#area.forget();
      return undefined;
    },
    'C-z': () => {
      this.#parts.screen.suspend?.();
      this.#area.forget();
      return undefined;
    },
  };

  #up(): undefined {
    const above = vertical(this.#edit, -1);
    const entry = above === undefined ? this.#walk.back(this.#edit.text) : undefined;
    if (above !== undefined) this.#edit = above;
    else if (entry !== undefined) this.#show(entry);
  }

  #down(): undefined {
    const below = vertical(this.#edit, 1);
    const entry = below === undefined ? this.#walk.forward(this.#edit.text) : undefined;
    if (below !== undefined) this.#edit = below;
    else if (entry !== undefined) this.#show(entry);
  }

  /** Shows an entry of the history; the walk goes on from it. */
  #show(text: string): void {
    this.#edit = { ...this.#edit, text, cursor: text.length };
    this.#ghost = '';
    this.#about = '';
    this.#hintLater();
  }

  #change(edit: Edit): void {
    if (edit.text !== this.#edit.text) this.#undo = [...this.#undo.slice(-mostUndone), this.#edit];
    this.#setLine(edit);
  }

  #setLine(edit: Edit): void {
    if (edit.text !== this.#edit.text) this.#walk.restart();
    this.#edit = edit;
    this.#about = '';
    const { text, cursor } = edit;
    const continued = cursor === text.length && this.#parts.complete ? this.#parts.history.continuing(text) : undefined;
    this.#ghost = continued?.slice(text.length) ?? '';
    this.#hintLater();
  }

  /** Takes what is hinted at, whole or by a word, when the cursor stands before it. */
  #takeGhost(key: string): boolean {
    const { text, cursor } = this.#edit;
    if (this.#ghost === '' || cursor !== text.length) return false;
    const word = /^\W*[\p{L}\p{N}_]*/u.exec(this.#ghost)?.[0] ?? '';
    const taken = /^(?:Right|End|C-e|C-f)$/.test(key) ? this.#ghost : /^(?:C-Right|M-f)$/.test(key) ? word : '';
    if (taken === '') return false;
    this.#change(insert(this.#edit, taken));
    return true;
  }

  async #complete(): Promise<undefined> {
    const { complete } = this.#parts;
    if (complete === undefined) return;
    const base = this.#edit;
    const completion = await complete(base.text, base.cursor).catch(() => undefined);
    const [first, second] = completion?.candidates ?? [];
    if (completion === undefined || first === undefined) return;
    const { from, to, candidates } = completion;
    if (second === undefined) {
      const isWord = first.kind !== 'property' && first.kind !== 'variable' && base.cursor === base.text.length;
      this.#change(replace(base, from, to, isWord ? `${first.text} ` : first.text));
      return;
    }
    const common = commonStart(candidates);
    const isLonger = common.length > to - from && !/^["'\u2018-\u201E]/.test(common);
    if (isLonger) this.#change(replace(base, from, to, common));
    const reached = isLonger ? { ...completion, to: from + common.length } : completion;
    this.#menu = new Menu(this.#edit, reached);
  }

  /** True when the key belonged to the menu. */
  #inMenu(key: Key): boolean {
    const menu = this.#menu;
    if (menu === undefined) return false;
    const name = key.kind === 'key' ? key.name : '';
    this.#menu = menu.moved(name, this.#parts.screen.columns);
    if (this.#menu !== undefined) return true;
    const isCancelled = name === 'Escape' || name === 'C-g';
    this.#change(isCancelled || name === 'C-c' ? menu.base : menu.edit);
    return isCancelled || (name === 'Enter' && menu.chosen !== undefined);
  }

  /** True when the key belonged to the search. */
  #searched(key: Key): boolean {
    const next = this.#search?.take(key);
    if (next === undefined) return false;
    if (next instanceof Search) {
      this.#search = next;
      return true;
    }
    this.#search = undefined;
    this.#change(next.edit);
    return next.isUsed;
  }

  #hintLater(): void {
    clearTimeout(this.#hintTimer);
    const { complete, keys } = this.#parts;
    const asked = this.#edit;
    if (complete === undefined || asked.text.trim() === '' || asked.text.length > longestHinted) return;
    this.#hintTimer = setTimeout(() => {
      complete(asked.text, asked.cursor)
        .then((completion) => {
          if (this.#edit !== asked || this.#menu !== undefined || this.#search !== undefined) return;
          this.#hint(completion);
          if (keys.isEmpty) this.#draw();
        })
        // A service that went away says so when the line runs.
        .catch(() => undefined);
    }, hintDelayMs);
  }

  #hint({ from, to, candidates, about }: Completion): void {
    const { text, cursor } = this.#edit;
    if (this.#about === '') this.#about = about ?? '';
    const [only] = candidates.length === 1 ? candidates : [];
    if (this.#ghost !== '' || only === undefined || cursor !== text.length || from === to) return;
    const typed = text.slice(from, to);
    if (only.text.toLowerCase().startsWith(typed.toLowerCase())) this.#ghost = only.text.slice(typed.length);
  }

  #frame(isOver: boolean): Frame {
    const { screen, colour, secret = false, complete } = this.#parts;
    const { columns } = screen;
    if (this.#search !== undefined && !isOver) return drawSearch(this.#search, { columns, colour });
    const edit = this.#menu?.edit ?? this.#edit;
    const shown = secret ? { ...edit, text: '*'.repeat(edit.text.length) } : edit;
    const aids = isOver ? {} : { ghost: this.#ghost, about: this.#about, menu: this.#menu };
    return drawLine({ label: this.#label, edit: shown, isCode: complete !== undefined, ...aids }, { columns, colour });
  }

  #draw(): void {
    this.#area.draw(this.#frame(false));
  }

  #leave(): void {
    this.#search = undefined;
    this.#area.leave(this.#frame(true));
    this.#menu = undefined;
  }
}

/** The parser is loaded with the first line that is entered: the prompt stands before. */
async function isComplete(text: string): Promise<boolean> {
  const parser = await import('../language/parser.ts');
  return parser.isComplete(text);
}
