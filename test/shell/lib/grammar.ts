import fc from '../../lib/properties.ts';

/** Texts of the shell's language, made from its grammar, and others that only look like it. */

const pieces = [
  'Get-Queue', 'Set-X', 'ft', '?', '%', '-Name', '-Enabled:', '$false', '$x', '$_', '${a b}', '$env:X', '$x.Name', '[0]', '10MB', '1..5',
  '-5', '0x1F', "'a''b'", '"a $x b"', '"$(1)"', '"a`tb"', '“q”', '‘q’', '–eq', '-eq', '-not', '-join', ' , ', '(', ')', '{', '}', '@(', '@{',
  '$(', '[int]', '[byte[]]', '::', '.', ';', '\n', '|', '=', '+=', '++', '--', '+', '*', '%', '..', '-f', 'if', 'else', 'foreach', 'in', '#c\n',
  '<# c #>', '`', '`\n', ' ', ' ', ' ', '&', '>', '2>', 'out.txt', '10.0.0.0/8', '[::]:25', '@x', 'try {', '} catch {', 'switch (', 'do {', 'while (', 'return', 'default {', '2>&1', '@"\n$x\n"@', "@'\nq\n'@", '!', '\\', ',',
]; // biome-ignore format: a table of words

/** Any row of tokens. */
export const tokenSoup: fc.Arbitrary<string> = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces) }, fc.string({ maxLength: 4 })), { maxLength: 14 })
  .map((words) => words.join(''));

const text = fc.string({ maxLength: 6, unit: fc.constantFrom(...'aB 1$`\'"“’–(){}@#|;,.[]\n-') });
const word = fc.constantFrom(
  'Retry',
  '10.0.0.1',
  '[::]:25',
  'a@b.c',
  '*',
  'c:\\x',
  '00:10:00',
  '1..2',
  '$x\\y',
  "a'b c'd",
  'x`,y',
  '-5x',
);
const name = fc.constantFrom('Name', 'e', 'Identity', '_x');

const grammar = fc.letrec<Record<'expression' | 'operand' | 'statement' | 'argument' | 'command' | 'pipeline', string>>(
  (tie) => ({
    operand: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom('1', '2.5', '10MB', '-5', '$x', '$_', '${a b}', '$x.Name', '$null', '[int]', '[string]::Empty'),
      text.map((value) => `'${value.replace(/['‘’‚‛]/g, '$&$&')}'`),
      text.map((value) => `"${value.replace(/["“”„`$]/g, '`$&')} $x"`),
      tie('expression').map((inner) => `(${inner})`),
      tie('statement').map((inner) => `$(${inner})`),
      tie('statement').map((inner) => `@(${inner})`),
      tie('statement').map((inner) => `"a$(${inner})b"`),
      fc.tuple(name, tie('statement')).map(([key, value]) => `@{${key} = ${value}; 'b' = 1}`),
      tie('statement').map((inner) => `{ ${inner} }`),
      fc.tuple(tie('operand'), name).map(([target, member]) => `(${target}).${member}`),
      fc.tuple(tie('operand'), tie('expression')).map(([target, inner]) => `(${target})[${inner}]`),
      fc.tuple(name, tie('operand')).map(([member, inner]) => `$x.${member}(${inner}, 1)`),
    ),
    expression: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      tie('operand'),
      fc
        .tuple(
          tie('operand'),
          fc.constantFrom('+', '-', '*', '/', '%', '-eq', '-like', '–and', '-f', '..', ',', '-is', '-cnotmatch'),
          tie('expression'),
        )
        .map((parts) => parts.join(' ')),
      fc
        .tuple(fc.constantFrom('-not', '!', '-', ',', '[int]', '-join', '[byte[]]'), tie('operand'))
        .map((parts) => parts.join(' ')),
    ),
    argument: fc.oneof(
      word,
      tie('operand').filter((operand) => !operand.startsWith('[')),
      fc.tuple(word, tie('operand')).map(([a, b]) => `${a}, ${b}`),
      name.map((parameter) => `–${parameter}`),
      fc.tuple(name, word).map(([parameter, value]) => `-${parameter}:${value}`),
      fc.constant('@x'),
    ),
    command: fc
      .tuple(
        fc.constantFrom('Get-Queue', 'ft', '%', '?', "& 'a b'", '& $x'),
        fc.array(tie('argument'), { maxLength: 3 }),
      )
      .map(([head, rest]) => [head, ...rest].join(' ')),
    pipeline: fc
      .tuple(fc.oneof(tie('expression'), tie('command')), fc.array(tie('command'), { maxLength: 2 }))
      .map(([first, rest]) => [first, ...rest].join(' |\n ')),
    statement: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      tie('pipeline'),
      fc
        .tuple(
          fc.constantFrom('$x', '$x.Name', '$x[0]', '[int]$y', '$a, $b'),
          fc.constantFrom('=', '+=', '-='),
          tie('pipeline'),
        )
        .map((parts) => parts.join(' ')),
      fc
        .tuple(tie('expression'), tie('statement'))
        .map(([condition, body]) => `if (${condition}) { ${body} } else {\n${body}\n}`),
      fc
        .tuple(tie('expression'), tie('statement'))
        .map(([source, body]) => `:Outer foreach ($i in ${source}) { ${body}; continue outer }`),
      fc
        .tuple(fc.constantFrom('while', 'until'), tie('expression'), tie('statement'))
        .map(([word, condition, body]) => `do { ${body} } ${word} (${condition})`),
      fc
        .tuple(tie('expression'), tie('statement'))
        .map(([condition, body]) => `while (${condition}) { ${body}; break }`),
      fc
        .tuple(fc.constantFrom('', '$i = 0'), tie('expression'), fc.constantFrom('', '$i++'), tie('statement'))
        .map(([first, condition, step, body]) => `for (${first}; ${condition}; ${step}) { ${body} }`),
      fc
        .tuple(fc.constantFrom('', '-Wildcard ', '–regex -case '), tie('expression'), tie('operand'), tie('statement'))
        .map(
          ([flags, value, test, body]) =>
            `switch ${flags}(${value}) { (${test}) { ${body} } a* { ${body} } default { } }`,
        ),
      fc
        .tuple(tie('statement'), fc.constantFrom('', '[System.Exception] ', '[A], [B.C]'), tie('statement'))
        .map(([body, types, handler]) => `try { ${body} } catch ${types} { ${handler} } finally { continue }`),
      fc.tuple(fc.constantFrom('return', 'throw', 'exit'), tie('expression')).map((parts) => parts.join(' ')),
    ),
  }),
);

/** Scripts that follow the grammar; nearly all of them parse. */
export const scripts: fc.Arbitrary<string> = fc
  .array(grammar.statement, { minLength: 1, maxLength: 3 })
  .map((list) => list.join('\n'));
