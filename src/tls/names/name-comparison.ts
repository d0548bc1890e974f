/**
 * Do two X.500 names say the same? RFC 5280 §7.1 with the string preparation of RFC 4518, stricter where a stranger could
 * choose a name that is prepared into that of somebody else: no character is dropped, and none becomes another letter.
 */
import type { DistinguishedName, NameAttribute, RelativeName } from './distinguished-name.ts';
import { formatAttribute, formatStep } from './name-syntax.ts';

/** Same steps in the same order, attributes of a step in any order, values compared by `prepare`. */
export function sameName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.length === b.length && a.every((step, i) => sameStep(step, b[i] ?? []));
}

function sameStep(a: RelativeName, b: RelativeName): boolean {
  const [keys, others] = [comparable(a), comparable(b)];
  return keys !== undefined && others !== undefined && keys === others;
}

/** NUL parts type from value, which is JSON, so that no two steps can run into each other. */
function comparable(step: RelativeName): string | undefined {
  if (step.some(({ undecoded }) => undecoded !== undefined)) return undefined;
  return step
    .map(({ oid, value }) => `${oid}\0${JSON.stringify(prepare(value))}`)
    .sort()
    .join('\n');
}

/**
 * Control characters, private use, unassigned and replacement characters (RFC 4518 §2.4 prohibits most of them). A value
 * that holds one equals only itself, and no configured name can hold one.
 */
export const prohibited = /[\p{Cc}\p{Co}\p{Cn}\ufffd]/u;

/**
 * The form in which values are compared: canonical composition, case folded, spaces (U+0020) trimmed and made one.
 * RFC 4518 §2 would also map compatibility forms (full width, ligatures), letters like U+017F and U+212A, and other
 * spaces to ASCII, and drop what nobody sees (U+200B): here they stay what they are.
 */
function prepare(value: string): string {
  if (prohibited.test(value)) return value;
  const folded = Array.from(compose(value), foldCase).join('');
  return compose(folded).replace(/ +/g, ' ').replace(/^ | $/g, '');
}

/** A character that canonical composition replaces by a single other one: KELVIN SIGN, ANGSTROM SIGN, U+037E, U+F900 … */
const singletons = /\p{L}|\p{S}|\p{P}|\p{Z}|\p{M}/gu;

/** NFC, save that a character is never replaced by another single one. */
function compose(text: string): string {
  if (/^[\0-\u02ff]*$/.test(text)) return text;
  const kept: string[] = [];
  let start = 0;
  for (const { 0: char, index } of text.matchAll(singletons)) {
    const normal = char.normalize('NFC');
    if (normal === char || Array.from(normal).length > 1) continue;
    kept.push(text.slice(start, index).normalize('NFC'), char);
    start = index + char.length;
  }
  return kept.join('') + text.slice(start).normalize('NFC');
}

/** A capital and its small letter are one where each is the other's only partner; so 'ı', 'ſ' and U+212A stay apart. */
function foldCase(char: string): string {
  // Three forms of one letter (RFC 3454 B.2).
  if (char === 'ς') return 'σ';
  const small = char.toLowerCase();
  return small.toUpperCase() === char && Array.from(small).length === 1 ? small : char;
}

/**
 * Where two names differ first, in the order in which names are printed; undefined when they are the same.
 * For messages: `expected` is the configured one.
 */
export function firstDifference(expected: DistinguishedName, found: DistinguishedName): string | undefined {
  if (sameName(expected, found)) return undefined;
  const [wanted, shown] = [expected.toReversed(), found.toReversed()];
  const at = wanted.findIndex((step, i) => !sameStep(step, shown[i] ?? []));
  const place = `step ${(at < 0 ? wanted.length : at) + 1}`;
  const [step, other] = at < 0 ? [undefined, shown[wanted.length]] : [wanted[at], shown[at]];
  if (step === undefined) return `${place}: nothing expected, found ${formatStep(other ?? [])}`;
  if (other === undefined) return `${place}: expected ${formatStep(step)}, found the end of the name`;
  if (step.length !== 1 || other.length !== 1)
    return `${place}: expected ${formatStep(step)}, found ${formatStep(other)}`;
  return `${place}: ${attributeDifference(step[0], other[0])}${orderHint(wanted, shown)}`;
}

function attributeDifference(expected: NameAttribute | undefined, found: NameAttribute | undefined): string {
  if (expected === undefined || found === undefined) return 'an empty step';
  const pair = `expected ${formatAttribute(expected)}, found ${formatAttribute(found)}`;
  if (found.undecoded !== undefined) return `${pair}, which does not decode`;
  if (expected.oid !== found.oid) return pair;
  const control = prohibited.exec(found.value)?.[0];
  if (control !== undefined) return `${pair}, which holds ${codePoint(control)} and so matches no configured name`;
  const [wanted, shown] = [Array.from(prepare(expected.value)), Array.from(prepare(found.value))];
  const at = wanted.findIndex((char, i) => char !== shown[i]);
  const index = at < 0 ? wanted.length : at;
  return `${pair} (character ${index + 1}: expected ${codePoint(wanted[index])}, found ${codePoint(shown[index])})`;
}

function codePoint(char: string | undefined): string {
  if (char === undefined) return 'the end';
  const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /[!-~]/.test(char) ? `'${char}'` : `U+${hex}`;
}

/** The commonest fault of names written by hand: the other way round. */
function orderHint(expected: DistinguishedName, found: DistinguishedName): string {
  return sameName(expected, found.toReversed()) ? ' (the same steps in the opposite order)' : '';
}
