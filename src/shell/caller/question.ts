/** Questions as PowerShell puts them: `[Y] Yes  [A] Yes to All  … (default is "Y"):`, or `Name:` for a free text. */
import { printableLines } from '../../base/text/index.ts';
import type { Question } from '../endpoint.ts';

interface Choice {
  readonly letter: string;
  readonly name: string;
}

function parts(choice: string): Choice {
  return { letter: (/&(.)/u.exec(choice)?.[1] ?? choice.charAt(0)).toUpperCase(), name: choice.replace('&', '') };
}

/** Rows that are written before a question, and what stands before its answer. */
export function questionText({ caption, message, choices, defaultChoice }: Question): { head: string; label: string } {
  const rows = printableLines(`${caption}\n${message}`)
    .split('\n')
    .filter((row) => row !== '');
  if (choices.length > 0) return { head: `\n${rows.join('\n')}\n`, label: choicesText(choices, defaultChoice) };
  const last = rows.pop();
  const head = rows.length === 0 ? '' : `\n${rows.join('\n')}\n`;
  return { head, label: last === undefined ? '' : `${last}: ` };
}

function choicesText(choices: readonly string[], defaultChoice: number): string {
  const all = choices.map(parts);
  const row = all.map(({ letter, name }) => `[${letter}] ${name}`).join('  ');
  return `${row} (default is "${all[defaultChoice]?.letter ?? ''}"): `;
}

/** What an answer comes to: the index of the choice that it means, by letter or name; undefined when it means none. */
export function answerOf(answer: string, { choices, defaultChoice }: Question): string | undefined {
  if (choices.length === 0) return answer;
  const chosen = choiceOf(answer, choices, defaultChoice);
  return chosen === undefined ? undefined : String(chosen);
}

function choiceOf(answer: string, choices: readonly string[], defaultChoice: number): number | undefined {
  const given = answer.trim().toLowerCase();
  if (given === '') return defaultChoice;
  const found = choices
    .map(parts)
    .findIndex(({ letter, name }) => [letter, name].some((one) => one.toLowerCase() === given));
  return found < 0 ? undefined : found;
}
