import type { Readable } from 'node:stream';
import { printable } from '../base/index.ts';

/** Longest line shown, in characters; a child that says more at once is cut. */
const longestLine = 2_000;
/** Lines in each period; a child that was broken into must not fill the terminal or the journal. */
const mostLines = 500;
const periodMs = 10_000;

/** Hands over what a child writes, line by line, without anything that acts on a terminal. */
export function readOutput(stream: Readable, take: (line: string) => void): void {
  let rest = '';
  let lines = 0;
  let since = performance.now();
  const show = (line: string): void => {
    if (performance.now() - since > periodMs) {
      since = performance.now();
      lines = 0;
    }
    lines += 1;
    if (lines <= mostLines) take(printable(line.replace(/^edge: /, ''), longestLine));
    else if (lines === mostLines + 1) take('says too much: the rest is left out for some seconds');
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const all = (rest + chunk).split('\n');
    rest = (all.pop() ?? '').slice(0, longestLine);
    for (const line of all) if (line !== '') show(line);
  });
  stream.on('end', () => {
    if (rest !== '') show(rest);
  });
  // The process ended; its exit says so.
  stream.on('error', () => {});
}
