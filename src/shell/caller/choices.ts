/** Questions as PowerShell puts them: `[Y] Yes  [A] Yes to All  … (default is "Y"):`. */

interface Choice {
  readonly letter: string;
  readonly name: string;
}

function parts(choice: string): Choice {
  return { letter: (/&(.)/u.exec(choice)?.[1] ?? choice.charAt(0)).toUpperCase(), name: choice.replace('&', '') };
}

/** The row of choices that stands before the answer. */
export function choicesText(choices: readonly string[], defaultChoice: number): string {
  const all = choices.map(parts);
  const row = all.map(({ letter, name }) => `[${letter}] ${name}`).join('  ');
  return `${row} (default is "${all[defaultChoice]?.letter ?? ''}"): `;
}

/** Index of the choice that an answer means, by letter or name; undefined when it means none. */
export function choiceOf(answer: string, choices: readonly string[], defaultChoice: number): number | undefined {
  const given = answer.trim().toLowerCase();
  if (given === '') return defaultChoice;
  const found = choices
    .map(parts)
    .findIndex(({ letter, name }) => [letter, name].some((one) => one.toLowerCase() === given));
  return found < 0 ? undefined : found;
}
