/** X.500 names: structure from the DER, comparison of RFC 5280 §7.1, print and parse as .NET does it. */
import { children, type DerNode, objectIdentifier, stringValue } from './der.ts';

export interface NameAttribute {
  /** Dotted object identifier. */
  readonly oid: string;
  /** Decoded text. */
  readonly value: string;
}

/** One step of the name; more than one attribute makes it multi-valued. */
export type RelativeName = readonly NameAttribute[];

/** In the order of the encoding: country first, common name last. */
export type DistinguishedName = readonly RelativeName[];

/** Structure of a Name as encoded. Multi-valued steps stay what they are. */
export function nameFromDer(name: DerNode | undefined): DistinguishedName {
  return children(name).map((step) =>
    children(step).map((attribute) => {
      const [type, value] = children(attribute);
      return { oid: objectIdentifier(type), value: stringValue(value) };
    }),
  );
}

/** RFC 5280 §7.1: same steps in the same order, attributes of a step in any order, case and spacing folded. */
export function sameName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.length === b.length && a.every((step, i) => comparable(step) === comparable(b[i] ?? []));
}

/** NUL and LF occur in no prepared value, so that no two steps can run into each other. */
function comparable(step: RelativeName): string {
  return step
    .map(({ oid, value }) => `${oid}\0${prepare(value)}`)
    .sort()
    .join('\n');
}

/** RFC 4518 §2.2: soft hyphens, joiners, variation selectors and other code points that nobody sees. */
const mappedToNothing = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff|\ufffc/g;

/** RFC 4518 §2: map, normalise (NFKC), fold case, and make insignificant spaces one. */
function prepare(value: string): string {
  return value
    .replace(mappedToNothing, '')
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[\t-\r\u0085\p{Z}]+/gu, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim();
}

/** Labels of .NET, in both directions; the first of an identifier is the one that is printed. */
const labels: readonly (readonly [label: string, oid: string])[] = [
  ['CN', '2.5.4.3'],
  ['SN', '2.5.4.4'],
  ['SERIALNUMBER', '2.5.4.5'],
  ['C', '2.5.4.6'],
  ['L', '2.5.4.7'],
  ['S', '2.5.4.8'],
  ['ST', '2.5.4.8'],
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
  ['EMAILADDRESS', '1.2.840.113549.1.9.1'],
  ['EMAIL', '1.2.840.113549.1.9.1'],
  ['GN', '2.5.4.42'],
];

/** As .NET and Exchange print it: `CN=mail.contoso.com, O="Contoso, Inc.", C=US`, the encoding's order reversed. */
export function formatName(name: DistinguishedName): string {
  return name
    .toReversed()
    .map((step) => step.map(({ oid, value }) => `${labelOf(oid)}=${quoted(value)}`).join(' + '))
    .join(', ');
}

function labelOf(oid: string): string {
  return labels.find((row) => row[1] === oid)?.[0] ?? `OID.${oid}`;
}

function quoted(value: string): string {
  const needed = value === '' || /[,+="\n<>#;]|^\s|\s$/.test(value);
  return needed ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Label, `=`, and a value in quotes (doubled inside) or up to the next separator; then the separator or the end. */
const attributeForm =
  /\s*([A-Za-z][A-Za-z0-9]*|(?:OID\.)?\d+(?:\.\d+)+)\s*=\s*(?:"((?:[^"]|"")*)"\s*|([^,;+="]*))([,;+]|$)/iy;

/** Reads what formatName prints. Throws RangeError that says where. */
export function parseName(text: string): DistinguishedName {
  if (text.trim() === '') return [];
  const steps: NameAttribute[][] = [[]];
  const form = new RegExp(attributeForm);
  let separator: string | undefined = ',';
  while (separator !== '') {
    const start = form.lastIndex;
    const [, label = '', inQuotes, bare = '', next] = form.exec(text) ?? [];
    if (next === undefined)
      throw new RangeError(`'${text}' is no X.500 name: '${text.slice(start).trim()}' is not label=value`);
    steps.at(-1)?.push({ oid: oidOf(label, text), value: inQuotes?.replaceAll('""', '"') ?? bare.trim() });
    if (next === ',' || next === ';') steps.push([]);
    separator = next;
  }
  return steps.reverse();
}

function oidOf(label: string, text: string): string {
  const known = labels.find((row) => row[0].toLowerCase() === label.toLowerCase());
  const oid = known?.[1] ?? /^(?:OID\.)?(\d[\d.]*)$/i.exec(label)?.[1];
  if (oid === undefined) throw new RangeError(`'${text}' is no X.500 name: '${label}' is not a known label`);
  return oid;
}
