/** Rows that every object shows in the same way. */
import { property, type Shown, type Syntax } from './property.ts';
import { list, text } from './syntaxes.ts';

/** Name of the server that a DN lies under; '' for none. */
export function serverOfDn(dn: string): string {
  return /(?:^|,)\s*CN=((?:\\.|[^,\\])+),\s*CN=Servers,/i.exec(dn)?.[1]?.replace(/\\(.)/g, '$1') ?? '';
}

const serverName: Syntax<string> = {
  type: 'ADObjectId',
  parse: String,
  read: ([dn = '']) => serverOfDn(dn),
  write: () => [],
  show: (name) => (name === '' ? null : name),
};

/** The server that an object belongs to, from its DN. */
export const serverRow = property({
  attribute: 'distinguishedName',
  syntax: serverName,
  default: '',
  readOnly: true,
  help: 'Server that the object belongs to.',
});

/** Name for administrators. */
export const adminDisplayNameRow = property({
  attribute: 'adminDisplayName',
  syntax: text(),
  default: null,
  readOnly: true,
  help: 'Name shown to administrators.',
});

/** Version of the object's form. */
export function exchangeVersionRow(version = '0.1 (8.0.535.0)') {
  return property({
    attribute: 'msExchVersion',
    syntax: { ...text('ExchangeObjectVersion'), read: () => version, write: () => [] },
    default: version,
    readOnly: true,
    help: 'Oldest version of Exchange that can read the object.',
  });
}

/** Free text. */
export const commentRow = property({
  attribute: 'adminDescription',
  syntax: text('String', String, 256),
  default: null,
  help: 'A note for other administrators.',
});

const serverDns = list(
  (dn) => {
    if (!/^CN=.+,/i.test(dn)) throw new RangeError(`'${dn}' is not the DN of a server`);
    return dn;
  },
  String,
  { separator: '' },
);

const serverNames = list((name) => {
  if (!/^(?:CN=.+|[\w.-]{1,255})$/i.test(name)) throw new RangeError(`'${name}' is not the name of a server`);
  return name;
}, String);

/** Servers by the DN of their entries, shown by name. Lines name them in any way; one that stores them looks them up. */
export const serverLinks: Syntax<readonly string[]> = {
  ...serverDns,
  parse: (value) => (String(value).includes('=') ? serverDns : serverNames).parse(value),
  show: (dns) => dns.map((dn) => /^CN=((?:\\.|[^,\\])+)/i.exec(dn)?.[1] ?? dn),
};

/** A list of words. */
export const textList = list((value) => value, String);

/** What Exchange prints and what has but one value here. */
export function constantRow(type: string, value: Shown) {
  const syntax: Syntax<Shown> = { type, parse: () => value, read: () => value, write: () => [], show: () => value };
  return property({ attribute: 'cn', syntax, default: value, readOnly: true, help: 'Always the same here.' });
}
