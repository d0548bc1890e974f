/** Statements of PowerShell that this shell leaves out, each with what an administrator may write instead. */

const left = 'is outside the language of this shell';

const words: readonly (readonly [words: string, refusal: string])[] = [
  [
    'function filter workflow configuration',
    `Defining functions ${left}: write the lines themselves, or a script file for 'edge shell'.`,
  ],
  ['class enum interface', `Defining types ${left}.`],
  ['trap', `The 'trap' statement ${left}: use try and catch.`],
  [
    'param begin process end dynamicparam',
    `The phases and parameters that '{ param … begin … process … end … }' gives a block are outside the language of this shell: use $args and ForEach-Object -Begin -End.`,
  ],
  ['data define var using from parallel sequence inlinescript', `This keyword ${left}.`],
  ['else elseif', "This keyword stands behind the closing '}' of an if statement only."],
  ['catch finally', "This keyword stands behind the closing '}' of a try statement only."],
  ['until', "The 'until' keyword stands behind the closing '}' of a do statement only."],
  ['in', "The 'in' keyword stands between the parentheses of foreach only."],
];

/** The refusal of each such keyword, in lower case. */
export const refusedKeywords: ReadonlyMap<string, string> = new Map(
  words.flatMap(([names, refusal]) => names.split(' ').map((name): [string, string] => [name, refusal])),
);
