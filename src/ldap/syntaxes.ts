/** Attribute syntaxes, RFC 4517 §3.3 and RFC 4530 §2.1, [MS-ADTS] 3.1.1.2.2.2: what a value must look like to be kept. */
import { Dn } from './dn.ts';
import { normalizeGeneralizedTime } from './generalized-time.ts';

/** True for octets that are a value of the syntax. */
export type SyntaxTest = (value: Buffer) => boolean;

const text =
  (pattern: RegExp): SyntaxTest =>
  (value) =>
    pattern.test(value.toString('latin1'));
const isUtf8 = (value: Buffer): boolean => {
  const decoded = value.toString('utf8');
  return !decoded.includes('\ufffd') || Buffer.from(decoded).equals(value);
};
const isName = (value: Buffer): boolean => {
  try {
    Dn.parse(value.toString('utf8'));
    return isUtf8(value);
  } catch {
    return false;
  }
};
const anything: SyntaxTest = () => true;
const directoryString: SyntaxTest = (value) => value.length > 0 && isUtf8(value);
const ia5: SyntaxTest = (value) => value.every((byte) => byte < 0x80);
const printable = text(/^[A-Za-z0-9'()+,\-./:? =]+$/);
const integer = text(/^(?:0|-?[1-9][0-9]{0,999})$/);
const integerWithin = (bits: bigint): SyntaxTest => {
  const limit = 1n << (bits - 1n);
  return (value) =>
    integer(value) &&
    value.length < 30 &&
    BigInt(value.toString('latin1')) < limit &&
    BigInt(value.toString('latin1')) >= -limit;
};
const descriptor = '[A-Za-z][A-Za-z0-9-]*';
const numericOid = '(?:0|[1-9][0-9]*)(?:\\.(?:0|[1-9][0-9]*))+';
const description: SyntaxTest = (value) => isUtf8(value) && /^\s*\(.*\)\s*$/s.test(value.toString('utf8'));
const enhancedGuide: SyntaxTest = (value) => value.length > 0 && isUtf8(value);
/** Lines separated by `$`, where `$` and `\` are escaped: RFC 4517 §3.3.28. */
const postalAddress: SyntaxTest = (value) =>
  isUtf8(value) && /^(?:[^$\\]|\\24|\\5c)+(?:\$(?:[^$\\]|\\24|\\5c)+)*$/is.test(value.toString('utf8'));

const rfc = '1.3.6.1.4.1.1466.115.121.1';
const ad = '1.2.840.113556.1.4';

/** Test of each syntax that the product knows, by numeric OID. A schema may name these and no others. */
export const syntaxTests: ReadonlyMap<string, SyntaxTest> = new Map<string, SyntaxTest>([
  [`${rfc}.3`, description],
  [`${rfc}.5`, anything],
  [`${rfc}.6`, text(/^'[01]*'B$/)],
  [`${rfc}.7`, text(/^(?:TRUE|FALSE)$/)],
  [`${rfc}.8`, (value) => value[0] === 0x30],
  [`${rfc}.9`, (value) => value[0] === 0x30],
  [`${rfc}.10`, (value) => value[0] === 0x30],
  [`${rfc}.11`, text(/^[A-Za-z]{2}$/)],
  [`${rfc}.12`, isName],
  [`${rfc}.14`, text(/^[A-Za-z0-9'()+,\-./:? =]+(?:\$[A-Za-z]+)*$/)],
  [`${rfc}.15`, directoryString],
  [`${rfc}.16`, description],
  [`${rfc}.17`, description],
  [`${rfc}.21`, enhancedGuide],
  [`${rfc}.22`, text(/^[A-Za-z0-9'()+,\-./:? =]+(?:\$[A-Za-z0-9]+)*$/)],
  [`${rfc}.23`, anything],
  [`${rfc}.24`, (value) => normalizeGeneralizedTime(value.toString('latin1')) !== undefined],
  [`${rfc}.25`, enhancedGuide],
  [`${rfc}.26`, ia5],
  [`${rfc}.27`, integer],
  [`${rfc}.28`, anything],
  [`${rfc}.30`, description],
  [`${rfc}.31`, description],
  [`${rfc}.34`, (value) => isName(Buffer.from(value.toString('latin1').replace(/#'[01]*'B$/, ''), 'latin1'))],
  [`${rfc}.35`, description],
  [`${rfc}.36`, text(/^[0-9 ]+$/)],
  [`${rfc}.37`, description],
  [`${rfc}.38`, text(new RegExp(`^(?:${descriptor}|${numericOid})$`))],
  [`${rfc}.39`, (value) => value.length > 0 && isUtf8(value)],
  [`${rfc}.40`, anything],
  [`${rfc}.41`, postalAddress],
  [`${rfc}.44`, printable],
  [`${rfc}.50`, printable],
  [`${rfc}.51`, (value) => value.length > 0 && isUtf8(value)],
  [`${rfc}.52`, text(/^[A-Za-z0-9'()+,\-./:? =$]+$/)],
  [`${rfc}.53`, text(/^\d{10}(?:\d{2})?(?:Z|[+-]\d{4})$/)],
  [`${rfc}.54`, description],
  [`${rfc}.58`, anything],
  ['1.3.6.1.1.16.1', text(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)],
  [`${ad}.906`, integerWithin(64n)],
  [`${ad}.907`, anything],
]);
