/**
 * Matching rules, RFC 4517 §4, as normal forms: two values are equal when their normal forms are the same octets, and in order
 * when these are. One function thus serves filter, index and name.
 */
import { normalizeGeneralizedTime } from './generalized-time.ts';
import { type Folding, type PiecePosition, prepare, preparePiece, substringForm } from './string-preparation.ts';

/** What rules on names and identifiers need to know of the schema. */
export interface RuleContext {
  /** Octets of the numeric OID of a descriptor or OID; undefined when the schema does not know it. */
  oidKey(text: string): Buffer | undefined;
  /** Normal form of a name; undefined when the text is no name. */
  dnKey(text: string): Buffer | undefined;
}

/** How a rule compares. */
export interface RuleBehaviour {
  /** Normal form of a value or assertion; undefined when it has not the syntax of the rule (the filter is then Undefined). */
  readonly normalise: (value: Buffer, context: RuleContext) => Buffer | undefined;
  /** Only for substrings rules: a piece of an assertion, and the text it is looked for in. */
  readonly piece?: (piece: Buffer, position: PiecePosition) => Buffer | undefined;
  readonly haystack?: (normal: Buffer) => Buffer;
  /** Only for rules that are neither equality, ordering nor substrings. */
  readonly test?: (value: Buffer, assertion: Buffer) => boolean | undefined;
}

const stringRule = (folding: Folding): RuleBehaviour => ({
  normalise: (value) => prepare(value, folding),
  piece: (piece, position) => preparePiece(piece, folding, position),
  haystack: (normal) => substringForm(normal, folding),
});

const caseIgnore = stringRule({ ignoreCase: true, spaces: 'fold' });
const caseExact = stringRule({ ignoreCase: false, spaces: 'fold' });

/** Lines between `$`, compared line by line: RFC 4517 §4.2.9 and §4.2.10. A piece of an assertion never reaches over a line. */
const byLine = (value: Buffer, each: (line: Buffer) => Buffer | undefined): Buffer | undefined => {
  const lines = value
    .toString('latin1')
    .split('$')
    .map((line) => each(Buffer.from(line, 'latin1')));
  return lines.every((line) => line !== undefined)
    ? Buffer.from(lines.map((line) => line.toString('latin1')).join('$'), 'latin1')
    : undefined;
};
const caseIgnoreList: RuleBehaviour = {
  ...caseIgnore,
  normalise: (value, context) => byLine(value, (line) => caseIgnore.normalise(line, context)),
  haystack: (normal) => byLine(normal, (line) => substringForm(line, { ignoreCase: true, spaces: 'fold' })) ?? normal,
};

/** One word of the value is the assertion: RFC 4517 §4.2.32 (words) and §4.2.21 (keywords, which may hold punctuation). */
const anyPart = (separator: RegExp): RuleBehaviour => ({
  normalise: caseIgnore.normalise,
  test: (value, assertion) => {
    const text = prepare(value, { ignoreCase: true, spaces: 'fold' })?.toString('utf8');
    return text?.split(separator).includes(assertion.toString('utf8'));
  },
});
const numeric = stringRule({ ignoreCase: false, spaces: 'remove' });
const telephone = stringRule({ ignoreCase: true, spaces: 'remove-hyphen' });
const octets: RuleBehaviour = { normalise: (value) => value, piece: (piece) => piece, haystack: (normal) => normal };

const integer: RuleBehaviour = { normalise: (value) => integerKey(value.toString('latin1')) };
const boolean: RuleBehaviour = {
  normalise: (value) => {
    const text = value.toString('latin1').toUpperCase();
    return text === 'TRUE' || text === 'FALSE' ? Buffer.from(text) : undefined;
  },
};
const generalizedTime: RuleBehaviour = {
  normalise: (value) => {
    const normal = normalizeGeneralizedTime(value.toString('latin1'));
    return normal === undefined ? undefined : Buffer.from(normal);
  },
};
const uuid: RuleBehaviour = {
  normalise: (value) => {
    const text = value.toString('latin1').toLowerCase();
    return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? Buffer.from(text) : undefined;
  },
};
const bitString: RuleBehaviour = {
  normalise: (value) => (/^'[01]*'B$/.test(value.toString('latin1')) ? value : undefined),
};
const objectIdentifier: RuleBehaviour = {
  normalise: (value, context) => context.oidKey(value.toString('latin1')),
};
const distinguishedName: RuleBehaviour = { normalise: (value, context) => context.dnKey(value.toString('utf8')) };

/** Name, then `#'0101'B` if there is an identifier: RFC 4517 §3.3.21. */
const nameAndOptionalUid: RuleBehaviour = {
  normalise: (value, context) => {
    const [, name = '', uid = ''] = /^(.*?)(#'[01]*'B)?$/s.exec(value.toString('utf8')) ?? [];
    const key = context.dnKey(name);
    return key === undefined ? undefined : Buffer.concat([key, Buffer.from([0]), Buffer.from(uid)]);
  },
};

/** The first field of a description in parentheses; an assertion is that field alone (RFC 4517 §4.2.26). */
const firstComponent = (value: Buffer): Buffer => {
  const [, first] = /^\(\s*'?([^\s')]+)/.exec(value.toString('utf8')) ?? [];
  return first === undefined ? value : Buffer.from(first);
};
const onFirstComponent = (rule: RuleBehaviour): RuleBehaviour => ({
  normalise: (value, context) => rule.normalise(firstComponent(value), context),
});

const bits = (decide: (value: bigint, mask: bigint) => boolean): RuleBehaviour => ({
  normalise: (value) => (integerKey(value.toString('latin1')) === undefined ? undefined : value),
  test: (value, assertion) => {
    const [left, right] = [readInteger(value.toString('latin1')), readInteger(assertion.toString('latin1'))];
    if (left === undefined || right === undefined) return undefined;
    return decide(BigInt.asUintN(64, left), BigInt.asUintN(64, right));
  },
});

/** Behaviour of each rule that the product knows, by numeric OID. A schema may name these and no others. */
export const ruleBehaviours: ReadonlyMap<string, RuleBehaviour> = new Map([
  ['2.5.13.0', objectIdentifier],
  ['2.5.13.1', distinguishedName],
  ['2.5.13.2', caseIgnore],
  ['2.5.13.3', caseIgnore],
  ['2.5.13.4', caseIgnore],
  ['2.5.13.5', caseExact],
  ['2.5.13.6', caseExact],
  ['2.5.13.7', caseExact],
  ['2.5.13.8', numeric],
  ['2.5.13.9', numeric],
  ['2.5.13.10', numeric],
  ['2.5.13.11', caseIgnoreList],
  ['2.5.13.12', caseIgnoreList],
  ['2.5.13.13', boolean],
  ['2.5.13.14', integer],
  ['2.5.13.15', integer],
  ['2.5.13.16', bitString],
  ['2.5.13.17', octets],
  ['2.5.13.18', octets],
  ['2.5.13.19', octets],
  ['2.5.13.20', telephone],
  ['2.5.13.21', telephone],
  ['2.5.13.23', nameAndOptionalUid],
  ['2.5.13.27', generalizedTime],
  ['2.5.13.28', generalizedTime],
  ['2.5.13.29', onFirstComponent(integer)],
  ['2.5.13.30', onFirstComponent(objectIdentifier)],
  ['2.5.13.31', onFirstComponent(caseIgnore)],
  ['2.5.13.32', anyPart(/[^\p{L}\p{N}]+/u)],
  ['2.5.13.33', anyPart(/[\s,;]+/u)],
  ['1.3.6.1.4.1.1466.109.114.1', caseExact],
  ['1.3.6.1.4.1.1466.109.114.2', caseIgnore],
  ['1.3.6.1.4.1.1466.109.114.3', caseIgnore],
  ['1.3.6.1.1.16.2', uuid],
  ['1.3.6.1.1.16.3', uuid],
  ['1.2.840.113556.1.4.803', bits((value, mask) => (value & mask) === mask)],
  ['1.2.840.113556.1.4.804', bits((value, mask) => (value & mask) !== 0n)],
]);

const integerPattern = /^(?:0|-?[1-9][0-9]{0,999})$/;

function readInteger(text: string): bigint | undefined {
  return integerPattern.test(text) ? BigInt(text) : undefined;
}

/** Octets that sort as the numbers do: sign and length first, then the magnitude (inverted below zero). */
function integerKey(text: string): Buffer | undefined {
  const value = readInteger(text);
  if (value === undefined) return undefined;
  const hex = (value < 0n ? -value : value).toString(16);
  const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const key = Buffer.allocUnsafe(3 + magnitude.length);
  key[0] = value < 0n ? 0 : 1;
  key.writeUInt16BE(magnitude.length, 1);
  magnitude.copy(key, 3);
  if (value < 0n) for (let i = 1; i < key.length; i += 1) key[i] = 255 - (key[i] ?? 0);
  return key;
}

/** Looks for the pieces in order, each octet at most once for each piece: linear, whatever the pieces are. */
export function matchesSubstrings(
  text: Buffer,
  initial: Buffer | undefined,
  any: readonly Buffer[],
  final: Buffer | undefined,
): boolean {
  let from = 0;
  if (initial !== undefined) {
    if (text.length < initial.length || initial.compare(text, 0, initial.length) !== 0) return false;
    from = initial.length;
  }
  for (const piece of any) {
    const at = text.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  if (final === undefined) return true;
  const start = text.length - final.length;
  return start >= from && final.compare(text, start) === 0;
}
