/**
 * Makes a test for whole texts, without regard to case: `*` stands for any characters, `?` for one. Takes at most
 * length × length steps and no regular expression, so that neither a pattern nor a text can hold up the process.
 */
export function wildcardTest(pattern: string): (text: string) => boolean {
  const wanted = pattern.toLowerCase();
  return (text) => matches(wanted, text.toLowerCase());
}

function matches(pattern: string, text: string): boolean {
  let [at, index, star, mark] = [0, 0, -1, 0];
  while (index < text.length) {
    const char = pattern[at];
    if (char === '*') [star, mark, at] = [at, index, at + 1];
    else if (char === '?' || (char !== undefined && char === text[index])) [at, index] = [at + 1, index + 1];
    else if (star >= 0) [at, mark, index] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
