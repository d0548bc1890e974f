/**
 * Character classes of the PowerShell language (Windows PowerShell Language Specification §2.2, §2.3). Typographic
 * quotes and dashes count as their ASCII forms, because lines are pasted from documents.
 */

/** U+2013 en dash, U+2014 em dash and U+2015 horizontal bar stand for `-`. */
export function isDash(char: string): boolean {
  return char === '-' || char === '\u2013' || char === '\u2014' || char === '\u2015';
}

/** `'` and U+2018, U+2019, U+201A, U+201B. */
export function isSingleQuote(char: string): boolean {
  return char === "'" || (char >= '\u2018' && char <= '\u201B');
}

/** `"` and U+201C, U+201D, U+201E. */
export function isDoubleQuote(char: string): boolean {
  return char === '"' || (char >= '\u201C' && char <= '\u201E');
}

/** White space inside a line. */
export function isBlank(char: string): boolean {
  return char !== '' && char !== '\n' && char !== '\r' && /^[\s\u0085]$/.test(char);
}

export function isNewline(char: string): boolean {
  return char === '\n' || char === '\r';
}

/** A character that ends a bare word and begins a token of its own. */
export function endsWord(char: string): boolean {
  return char === '' || '&(),;{}|<>'.includes(char) || isNewline(char) || isBlank(char);
}

/** First character of a parameter, property or type name. */
export function isNameStart(char: string): boolean {
  return /^[\p{L}_]$/u.test(char);
}

/** Further characters of such a name, and all characters of a variable's name but `?`. */
export function isNamePart(char: string): boolean {
  return /^[\p{L}\p{N}_]$/u.test(char);
}

/** What a backtick and this character stand for (§2.3.7): control characters by letter, anything else itself. */
export function escaped(char: string): string {
  return escapes[char] ?? char;
}

const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Writes dashes of any kind as `-`: names of commands and parameters are compared in this form. */
export function plainDashes(text: string): string {
  return text.replace(/[\u2013-\u2015]/g, '-');
}
