/**
 * PowerShell's wildcards: `*`, `?`, `[a-z]`, and a backtick before one of these. Matched without regular expressions, so
 * that no pattern takes more than length × length steps.
 */
type Token = { readonly kind: 'any' | 'one' } | { readonly kind: 'char'; readonly char: string } | CharSet;
interface CharSet {
  readonly kind: 'set';
  readonly ranges: readonly (readonly [low: string, high: string])[];
}

/** True when a word holds a character that makes it a pattern. */
export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text);
}

/** Makes a test for whole texts. Without `caseSensitive`, case does not matter. */
export function wildcard(pattern: string, caseSensitive = false): (text: string) => boolean {
  const fold = (text: string): string => (caseSensitive ? text : text.toLowerCase());
  const tokens = readTokens(fold(pattern));
  return (text) => matches(tokens, fold(text));
}

function readTokens(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern.charAt(i);
    const close = char === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (char === '*') tokens.push({ kind: 'any' });
    else if (char === '?') tokens.push({ kind: 'one' });
    else if (close > 0) {
      tokens.push({ kind: 'set', ranges: readRanges(pattern.slice(i + 1, close)) });
      i = close;
    } else {
      if (char === '`' && i + 1 < pattern.length) i += 1;
      tokens.push({ kind: 'char', char: pattern.charAt(i) });
    }
  }
  return tokens;
}

function readRanges(text: string): (readonly [string, string])[] {
  return [...text.matchAll(/(.)-(.)|(.)/gsu)].map(([, low, high, one = '']) => [low ?? one, high ?? one] as const);
}

function matches(tokens: readonly Token[], text: string): boolean {
  let [token, index, star, mark] = [0, 0, -1, 0];
  while (index < text.length) {
    const here = tokens[token];
    if (here?.kind === 'any') [star, mark, token] = [token, index, token + 1];
    else if (here !== undefined && takes(here, text.charAt(index))) [token, index] = [token + 1, index + 1];
    else if (star >= 0) [token, mark, index] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  return tokens.slice(token).every(({ kind }) => kind === 'any');
}

function takes(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char;
  return token.kind !== 'set' || token.ranges.some(([low, high]) => char >= low && char <= high);
}
