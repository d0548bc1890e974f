/** Names for the table's certificates: any string type, any octets. */
import type { Name, NameValue } from './authority.ts';

/** Universal tags and how text becomes octets in them. */
const encodings = {
  utf8: [12, (text: string) => Buffer.from(text)],
  printable: [19, (text: string) => Buffer.from(text, 'latin1')],
  teletex: [20, (text: string) => Buffer.from(text, 'latin1')],
  ia5: [22, (text: string) => Buffer.from(text, 'latin1')],
  universal: [28, (text: string) => Buffer.from(text, 'utf16le').swap16().toString('hex').replace(/.{4}/g, '0000$&')],
  bmp: [30, (text: string) => Buffer.from(text, 'utf16le').swap16()],
} as const;

export type StringType = keyof typeof encodings;

/** Identifiers of attribute types. */
export const oids = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  unit: '2.5.4.11',
  domainComponent: '0.9.2342.19200300.100.1.25',
} as const;

/** A value from text; `type` is utf8 unless told otherwise. */
export function value(oid: string, text: string, type: StringType = 'utf8'): NameValue {
  const [tag, encode] = encodings[type];
  const octets = encode(text);
  return { oid, tag, octets: typeof octets === 'string' ? Buffer.from(octets, 'hex') : octets };
}

/** A value from octets, which need not be text of its type. */
export function octetsValue(oid: string, tag: number, hex: string): NameValue {
  return { oid, tag, octets: Buffer.from(hex, 'hex') };
}

/** A step of one value. */
export function step(oid: string, text: string, type: StringType = 'utf8'): Name[number] {
  return [value(oid, text, type)];
}

/** `CN=…, O=Edge Development, C=US`. */
export function nameOf(common: string): Name {
  return [
    step(oids.country, 'US', 'printable'),
    step(oids.organization, 'Edge Development'),
    step(oids.commonName, common),
  ];
}

/** The same with another organization, which is where the table's names differ. */
export function organization(text: string, type: StringType = 'utf8'): Name {
  return organizationValue(value(oids.organization, text, type));
}

export function organizationValue(one: NameValue): Name {
  return [step(oids.country, 'US', 'printable'), [one], step(oids.commonName, 'mail.edge.test')];
}
