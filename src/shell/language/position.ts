/** A stretch of a script: offsets in UTF-16 code units, the end excluded. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units as PowerShell counts. */
  readonly column: number;
  /** The whole line that the place lies in. */
  readonly text: string;
}

/** Line and column of an offset. CR, LF and CRLF each end a line. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const breaks = [...before.matchAll(/\r\n|\r|\n/g)];
  const last = breaks.at(-1);
  const start = last === undefined ? 0 : last.index + last[0].length;
  const rest = text.slice(start);
  return { line: breaks.length + 1, column: offset - start + 1, text: rest.slice(0, /[\r\n]|$/.exec(rest)?.index) };
}
