/** Names as text: printed as .NET and Exchange do, read in that form and in that of RFC 4514. */
import { readDer } from '../der/der.ts';
import { directoryString } from '../der/directory-string.ts';
import type { DistinguishedName, NameAttribute, RelativeName } from './distinguished-name.ts';

/** Labels and their identifiers; the first label of an identifier is the one that .NET prints. */
const printed: readonly (readonly [label: string, oid: string])[] = [
  ['CN', '2.5.4.3'],
  ['SN', '2.5.4.4'],
  ['SERIALNUMBER', '2.5.4.5'],
  ['C', '2.5.4.6'],
  ['L', '2.5.4.7'],
  ['S', '2.5.4.8'],
  ['STREET', '2.5.4.9'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['T', '2.5.4.12'],
  ['Description', '2.5.4.13'],
  ['PostalCode', '2.5.4.17'],
  ['POBox', '2.5.4.18'],
  ['Phone', '2.5.4.20'],
  ['G', '2.5.4.42'],
  ['I', '2.5.4.43'],
  ['dnQualifier', '2.5.4.46'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['E', '1.2.840.113549.1.9.1'],
];

/** Labels that RFC 4514, RFC 4519 and OpenSSL write: read, not printed. */
const alsoRead: readonly (readonly [label: string, oid: string])[] = [
  ['ST', '2.5.4.8'],
  ['SP', '2.5.4.8'],
  ['EMAILADDRESS', '1.2.840.113549.1.9.1'],
  ['EMAIL', '1.2.840.113549.1.9.1'],
  ['GN', '2.5.4.42'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['commonName', '2.5.4.3'],
  ['surname', '2.5.4.4'],
  ['countryName', '2.5.4.6'],
  ['localityName', '2.5.4.7'],
  ['stateOrProvinceName', '2.5.4.8'],
  ['streetAddress', '2.5.4.9'],
  ['organizationName', '2.5.4.10'],
  ['organizationalUnitName', '2.5.4.11'],
  ['title', '2.5.4.12'],
  ['businessCategory', '2.5.4.15'],
  ['givenName', '2.5.4.42'],
  ['initials', '2.5.4.43'],
  ['organizationIdentifier', '2.5.4.97'],
  ['domainComponent', '0.9.2342.19200300.100.1.25'],
  ['jurisdictionL', '1.3.6.1.4.1.311.60.2.1.1'],
  ['jurisdictionST', '1.3.6.1.4.1.311.60.2.1.2'],
  ['jurisdictionC', '1.3.6.1.4.1.311.60.2.1.3'],
];

const labelByOid = new Map(printed.map(([label, oid]) => [oid, label]));
const oidByLabel = new Map([...printed, ...alsoRead].map(([label, oid]) => [label.toUpperCase(), oid]));

/** As .NET and Exchange print it: `CN=mail.contoso.com, O="Contoso, Inc.", C=US`, the encoding's order reversed. */
export function formatName(name: DistinguishedName): string {
  return name.toReversed().map(formatStep).join(', ');
}

/** `OU=R&D + CN=mail.contoso.com`. */
export function formatStep(step: RelativeName): string {
  return step.map(formatAttribute).join(' + ');
}

/** `O="Contoso, Inc."`. A value that does not decode is shown as RFC 4514 §2.4 has it: `#` and its DER in hexadecimal. */
export function formatAttribute({ oid, value, undecoded }: NameAttribute): string {
  const label = labelByOid.get(oid) ?? `OID.${oid}`;
  return `${label}=${undecoded === undefined ? formatValue(value) : `#${undecoded}`}`;
}

/**
 * In quotes, doubled inside, where .NET has them, and where a backslash would be read as an escape. Characters that a
 * terminal would act on are escaped as octets (RFC 4514 §2.4); such a value matches no configured name anyway.
 */
function formatValue(value: string): string {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) return escaped(value);
  const needed = value === '' || /[,+="\\<>#;]|^\s|\s$/.test(value);
  return needed ? `"${value.replaceAll('"', '""')}"` : value;
}

function escaped(value: string): string {
  return Array.from(value, (char) => {
    if (!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(char)) return char.replace(/[,+="\\<>#; ]/, '\\$&');
    return Buffer.from(char).toString('hex').replace(/../g, '\\$&');
  }).join('');
}

const label = String.raw`[A-Za-z][A-Za-z0-9-]*|(?:OID\.)?\d+(?:\.\d+)+`;
const inQuotes = String.raw` *"((?:[^"]|"")*)" *`;
/** Specials are escaped; a backslash before anything else stands for itself, as in .NET's form. */
const bare = String.raw`((?:\\[\s\S]|[^,;+"\\<>])*)`;

/** Label, `=`, a value, and the separator behind it or the end. */
const attributeForm = new RegExp(` *(${label}) *=(?:${inQuotes}|${bare})([,;+]|$)`, 'iy');

/**
 * Reads .NET's form (`O="Contoso, ""Inc."""`) and RFC 4514's (`O=Contoso\, \"Inc.\"`, `\2C`, `\C3\BC`, `=` in a value,
 * `#0C0161`). Throws RangeError that says where, also for control characters: no certificate is chosen by them.
 */
export function parseName(text: string): DistinguishedName {
  if (/^ *$/.test(text)) return [];
  const steps: NameAttribute[][] = [[]];
  const form = new RegExp(attributeForm);
  let separator: string | undefined = ',';
  while (separator !== '') {
    const start = form.lastIndex;
    const [, type = '', quoted, plain = '', next] = form.exec(text) ?? [];
    if (next === undefined)
      throw new RangeError(`'${text}' is no X.500 name: '${text.slice(start).trim()}' is not label=value`);
    const value = quoted?.replaceAll('""', '"') ?? unescape(plain, text);
    if (/[\p{Cc}\p{Co}\p{Cn}\p{Cs}\ufffd]/u.test(value))
      throw new RangeError(`'${text}' is no X.500 name: a value of '${type}' holds a character that no name may have`);
    steps.at(-1)?.push({ oid: oidOf(type, text), value });
    if (next === ',' || next === ';') steps.push([]);
    separator = next;
  }
  return steps.reverse();
}

function oidOf(type: string, text: string): string {
  const oid = oidByLabel.get(type.toUpperCase()) ?? /^(?:OID\.)?(\d[\d.]*)$/i.exec(type)?.[1];
  if (oid === undefined) throw new RangeError(`'${text}' is no X.500 name: '${type}' is not a known label`);
  return oid;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** RFC 4514 §3: `\` and a special character, `\` and two hexadecimal digits (an octet of UTF-8), `#` and the whole DER. */
function unescape(plain: string, text: string): string {
  const value = trimEnd(plain).replace(/^ +/, '');
  if (value.startsWith('#')) return fromHexadecimal(value, text);
  if (!value.includes('\\')) return value;
  const octets = [...value.matchAll(/\\([0-9A-Fa-f]{2})|\\([\\ "#+,;<=>])|([^\\]+|\\)/g)].map(
    ([, hex, special, literal = '']) => (hex === undefined ? Buffer.from(special ?? literal) : Buffer.from(hex, 'hex')),
  );
  try {
    return utf8.decode(Buffer.concat(octets));
  } catch (cause) {
    throw new RangeError(`'${text}' is no X.500 name: the octets of '${value}' are not UTF-8`, { cause });
  }
}

/** Blanks at the end go, save one that is escaped. */
function trimEnd(plain: string): string {
  let end = plain.length;
  while (end > 0 && plain[end - 1] === ' ') end--;
  let slashes = 0;
  while (plain[end - 1 - slashes] === '\\') slashes++;
  return plain.slice(0, slashes % 2 === 1 && end < plain.length ? end + 1 : end);
}

function fromHexadecimal(value: string, text: string): string {
  const decoded = /^#(?:[0-9A-Fa-f]{2})+$/.test(value) ? directoryString(readDerOf(value.slice(1))) : undefined;
  if (decoded === undefined) throw new RangeError(`'${text}' is no X.500 name: '${value}' is not the DER of a string`);
  return decoded;
}

function readDerOf(hex: string): ReturnType<typeof readDer> | undefined {
  try {
    return readDer(Buffer.from(hex, 'hex'));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
