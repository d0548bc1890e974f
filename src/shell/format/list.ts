import { printableLines } from '../../base/text/index.ts';
import { toDisplay } from '../values/text.ts';
import { paint } from './colour.ts';
import { oneLine, pad } from './layout.ts';
import type { RenderOptions } from './rendered.ts';
import { wordWrap } from './word-wrap.ts';

/** Values of one object by their labels. */
export type Row = readonly (readonly [label: string, value: unknown])[];

/** `Label : value` for each; long values go on below, indented. Empty for no properties. */
export function renderList(unfit: Row, { width, colour, enumerationLimit }: RenderOptions): string {
  const row = unfit.map(([name, value]) => [oneLine(name), value] as const);
  const label = Math.max(...row.map(([name]) => name.length), 0);
  const room = Math.max(20, width - label - 3);
  return row
    .map(([name, value]) => {
      const [first = '', ...rest] = wordWrap(printableLines(toDisplay(value, enumerationLimit)), room);
      const head = paint('green', `${pad(name, label, false)} :`, colour);
      return [`${head} ${first}`.trimEnd(), ...rest.map((line) => `${' '.repeat(label + 3)}${line}`.trimEnd())].join(
        '\n',
      );
    })
    .map((line) => `${line}\n`)
    .join('');
}
