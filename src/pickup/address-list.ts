/** Addresses in a header field: RFC 5322 §3.4. Names, comments and groups are read past. Pure. */
import { type Mailbox, parseMailbox } from '../smtp/index.ts';

/** Throws AddressError or RangeError for what is no list of addresses. */
export function addressesIn(value: string): readonly Mailbox[] {
  return split(withoutComments(value)).map((one) => {
    const [, bracketed] = /<([^<>]*)>\s*$/.exec(one) ?? [];
    return parseMailbox((bracketed ?? one).trim());
  });
}

function withoutComments(value: string): string {
  let depth = 0;
  let quoted = false;
  let text = '';
  for (let i = 0; i < value.length; i++) {
    const char = value.charAt(i);
    const pair = char === '\\' && i + 1 < value.length ? char + value.charAt(++i) : char;
    if (pair === '"' && depth === 0) quoted = !quoted;
    if (!quoted && pair === '(') depth++;
    else if (!quoted && pair === ')' && depth > 0) depth--;
    else if (depth === 0) text += pair;
  }
  return text;
}

/** At commas and semicolons outside quotes and angle brackets; the name of a group ends with a colon. */
function split(value: string): string[] {
  const parts: string[] = [''];
  let quoted = false;
  let angle = false;
  for (let i = 0; i < value.length; i++) {
    const char = value.charAt(i);
    if (char === '"') quoted = !quoted;
    if (char === '<' || char === '>') angle = !quoted && char === '<';
    const free = !quoted && !angle;
    if (free && (char === ',' || char === ';')) parts.push('');
    else if (free && char === ':') parts[parts.length - 1] = '';
    else parts[parts.length - 1] += char === '\\' ? char + value.charAt(++i) : char;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
