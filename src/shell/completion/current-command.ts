import { endsWord, isDoubleQuote, isNewline, isSingleQuote } from '../language/characters.ts';

/** A word of the line before the cursor. */
export interface Word {
  /** As written, quotes included. */
  readonly text: string;
  readonly start: number;
}

/** The command that the cursor stands in, as far as it is written. */
export interface CurrentCommand {
  /** Words before the one that is being written. */
  readonly words: readonly Word[];
  /** The word that ends at the cursor; '' behind a space. */
  readonly current: Word;
  /** Names of the commands before it in the same pipeline. */
  readonly upstream: readonly string[];
}

interface Frame {
  words: Word[];
  upstream: string[];
}

/** Finds the command at the end of a text. Made for unfinished lines: brackets and quotes may be open. */
export function currentCommand(text: string): CurrentCommand {
  const frames: Frame[] = [{ words: [], upstream: [] }];
  let start = 0;
  let position = 0;
  const top = (): Frame => frames.at(-1) ?? { words: [], upstream: [] };
  const endWord = (): void => {
    if (position > start) top().words.push({ text: text.slice(start, position), start });
  };
  const restart = (upstream: string[]): void => {
    Object.assign(top(), { words: [], upstream });
  };
  while (position < text.length) {
    const char = text.charAt(position);
    const quoted = isSingleQuote(char) || isDoubleQuote(char) ? quoteEnd(text, position) : undefined;
    if (quoted !== undefined) {
      position = quoted;
      continue;
    }
    if (char === '`') {
      position += 2;
      continue;
    }
    if (!endsWord(char) && !(char === '=' && position === start)) {
      position += 1;
      continue;
    }
    if (char === ',') {
      // A list goes on: the next value belongs to the same parameter.
      endWord();
      top().words.push({ text: ',', start: position });
    } else {
      endWord();
      if (char === '|') restart([...top().upstream, top().words[0]?.text ?? '']);
      if (char === ';' || char === '=' || isNewline(char)) restart([]);
      if ('({'.includes(char)) frames.push({ words: [], upstream: [] });
      if (')}'.includes(char) && frames.length > 1) frames.pop();
    }
    position += 1;
    start = position;
  }
  const { words, upstream } = top();
  return { words, upstream, current: { text: text.slice(start), start } };
}

/** Behind the closing quote; the end of the text when it is open; undefined when the quote closes nothing. */
function quoteEnd(text: string, start: number): number {
  const isQuote = isSingleQuote(text.charAt(start)) ? isSingleQuote : isDoubleQuote;
  for (let i = start + 1; i < text.length; i += 1) {
    if (text.charAt(i) === '`' && isQuote === isDoubleQuote) i += 1;
    else if (isQuote(text.charAt(i))) return i + 1;
  }
  return text.length;
}
