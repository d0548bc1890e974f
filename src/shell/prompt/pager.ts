import { displayWidth } from '../format/layout.ts';
import type { Screen } from './edit-area.ts';
import type { KeyQueue } from './key-queue.ts';

/** Told by the person. */
type Answer = 'page' | 'line' | 'all' | 'quit';

const answers: Readonly<Record<string, Answer>> = {
  ' ': 'page',
  PageDown: 'page',
  f: 'page',
  Enter: 'line',
  Down: 'line',
  j: 'line',
  a: 'all',
  A: 'all',
  G: 'all',
  End: 'all',
  q: 'quit',
  Q: 'quit',
  Escape: 'quit',
  'C-c': 'quit',
};

/** The escape sequences of colours take no room. */
const colours = /\u001B\[[\d;]*m/g;

/** Writes the output of one line, and stops at each full screen until the person has read it. */
export class Pager {
  readonly #screen: Screen;
  readonly #keys: KeyQueue;
  /** Columns of the row that is being written. */
  #column = 0;
  /** Rows written since the person last pressed a key. */
  #rows = 0;
  #all = false;
  #isLeft = false;

  constructor(screen: Screen, keys: KeyQueue) {
    this.#screen = screen;
    this.#keys = keys;
  }

  /** Nothing more is shown. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Resolves with false when the person has seen enough; what comes later is not shown. */
  async write(text: string): Promise<boolean> {
    if (this.#isLeft) return true;
    let ready = '';
    for (const line of text.split(/(?<=\n)/)) {
      if (!this.#all && this.#column === 0 && this.#isFull(line)) {
        this.#screen.write(ready);
        ready = '';
        if (!(await this.#more())) {
          this.leave();
          return false;
        }
      }
      ready += line;
      this.#count(line);
    }
    this.#screen.write(ready);
    return true;
  }

  /** The person has just answered something: what is on the screen was read. */
  restart(): void {
    this.#rows = 0;
  }

  /** The next line would push out what the person has not read; a line that is longer than the screen may. */
  #isFull(line: string): boolean {
    const room = this.#screen.rows - 1;
    return this.#rows >= room || (this.#rows > 0 && this.#rows + this.#size(line).rows > room);
  }

  /** Columns that a line has reached at its end, and the rows that it takes. */
  #size(line: string): { width: number; rows: number } {
    const width = this.#column + displayWidth(line.replace(colours, '').replace(/\n$/, ''));
    return { width, rows: Math.max(1, Math.ceil(width / this.#screen.columns)) };
  }

  #count(line: string): void {
    const { width, rows } = this.#size(line);
    if (line.endsWith('\n')) {
      this.#rows += rows;
      this.#column = 0;
    } else {
      this.#column = width;
    }
  }

  async #more(): Promise<boolean> {
    const text = '-- More --  Space page  Enter line  A all  Q quit';
    this.#screen.write(`\u001B[7m${text.slice(0, this.#screen.columns - 1)}\u001B[0m`);
    const answer = await this.#answer();
    this.#screen.write('\r\u001B[K');
    if (answer === 'page') this.#rows = 0;
    if (answer === 'all') this.#all = true;
    return answer !== 'quit';
  }

  async #answer(): Promise<Answer> {
    const { onInterrupt } = this.#keys;
    this.#keys.onInterrupt = undefined;
    try {
      for (;;) {
        const key = await this.#keys.next();
        if (key === undefined) return 'quit';
        const answer = answers[key.kind === 'key' ? key.name : key.text.charAt(0)];
        if (answer !== undefined) return answer;
      }
    } finally {
      this.#keys.onInterrupt = onInterrupt;
    }
  }
}
