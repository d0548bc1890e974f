/** One line, or several, with what it must print. */
export interface GoldenCase {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Columns of the terminal. */
  readonly width: number;
  /** Answers to the questions that it asks. */
  readonly answers: readonly string[];
  readonly expected: string;
}

const prompt = /^PS(?: (\d+))?> (.*)$/;
const usualWidth = 120;
const continued = '>> ';
const answer = '<< ';
const comment = '## ';

/**
 * Reads a golden file. `PS> ` begins a case, `PS 80> ` one on a terminal of 80 columns; `>> ` continues its text, `<< ` is an
 * answer; up to the next case stands what is printed, word for word. `## ` is a comment, wherever it stands.
 */
export function readGolden(text: string): readonly GoldenCase[] {
  const cases: { line: number; width: number; text: string[]; answers: string[]; expected: string[] }[] = [];
  for (const [i, line] of text.replace(/\n$/, '').split('\n').entries()) {
    const begin = prompt.exec(line);
    const last = cases.at(-1);
    const isHead = last?.expected.length === 0;
    if (line.startsWith(comment)) continue;
    if (begin !== null) {
      const [, width = usualWidth, first = ''] = begin;
      cases.push({ line: i + 1, width: Number(width), text: [first], answers: [], expected: [] });
    } else if (last === undefined) throw new Error(`line ${i + 1} stands before the first case`);
    else if (isHead && line.startsWith(continued)) last.text.push(line.slice(continued.length));
    else if (isHead && line.startsWith(answer)) last.answers.push(line.slice(answer.length));
    else last.expected.push(line);
  }
  return cases.map((one) => ({
    ...one,
    text: one.text.join('\n'),
    expected: one.expected.map((line) => `${line}\n`).join(''),
  }));
}
