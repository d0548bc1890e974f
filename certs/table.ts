/**
 * The table: every certificate with what is expected of it. Good ones; `name`: good, but with a name that is hard to
 * read; `bad`: each named after its fault, and with no other fault.
 */
import type { Name } from './authority.ts';
import type { Purpose, Uses } from './extensions.ts';
import { nameOf, octetsValue, oids, organization, organizationValue, step, value } from './names.ts';

/** The name that the good chains stand for. */
export const host = 'mail.edge.test';

export type KeyKind = 'rsa' | 'ec' | 'ed25519' | 'rsa512' | 'rsa1024' | 'rsa16384' | 'unknown-curve';
export type IssuerKind =
  | 'issuing'
  | 'stranger'
  | 'notCa'
  | 'expiredCa'
  | 'short'
  | 'constrained'
  | 'weak'
  | 'impostor'
  | 'itself';

/** One certificate: what differs from a good one. */
export interface Row {
  readonly kind: 'good' | 'name' | 'bad';
  /** Default 'rsa'. */
  readonly key?: KeyKind;
  /** Default 'issuing'. */
  readonly issuer?: IssuerKind;
  readonly subject?: Name;
  readonly uses?: Uses;
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
  readonly hash?: 'sha1';
  readonly version?: 1;
  readonly forged?: boolean;
  /** The server does not send the issuer's certificate. */
  readonly leafOnly?: boolean;
  /** The key in the file is another one. */
  readonly otherKey?: boolean;
  /** The issuer's CRL lists it, its OCSP responder says so. */
  readonly revoked?: boolean;
  /** Subjects, as an administrator may write them, that are this certificate's name. */
  readonly matches?: readonly string[];
  /** Subjects that look like it and are not. */
  readonly lookAlikes?: readonly string[];
  /** OpenSSL does not take the certificate at all. */
  readonly unreadable?: boolean;
}

const plain = 'CN=mail.edge.test, O=Edge Development, C=US';
const both: readonly Purpose[] = ['serverAuth', 'clientAuth'];

/** What every leaf has unless its row says otherwise. */
export const usual: Uses = { keyUsage: 0x80, purposes: both, dnsNames: [host] };

const good: Readonly<Record<string, Row>> = {
  'good-rsa': {
    kind: 'good',
    matches: [
      plain,
      'cn = MAIL.edge.TEST ,o= edge  development;C=us',
      '2.5.4.3=mail.edge.test,O=Edge Development,C=US',
    ],
    lookAlikes: ['C=US, O=Edge Development, CN=mail.edge.test', 'CN=mail.edge.test, O=Edge Development'],
  },
  'good-ec': { kind: 'good', key: 'ec', matches: [plain] },
  'good-ed25519': { kind: 'good', key: 'ed25519', matches: [plain] },
  'good-wildcard': {
    kind: 'good',
    subject: nameOf('*.edge.test'),
    uses: { dnsNames: ['*.edge.test'] },
    matches: ['CN=*.edge.test, O=Edge Development, C=US'],
    lookAlikes: [plain],
  },
  'good-sans': {
    kind: 'good',
    key: 'ec',
    uses: { dnsNames: ['other.edge.test', host], ipAddresses: ['192.0.2.1', '2001:db8::1'] },
  },
  'ten-thousand-sans': {
    kind: 'good',
    uses: { dnsNames: [host, ...Array.from({ length: 9_999 }, (_, i) => `h${i}.edge.test`)] },
    matches: [plain],
  },
};

/** A subject whose organization is one value. */
const of = (text: string): string => `CN=mail.edge.test, O=${text}, C=US`;

const names: Readonly<Record<string, Row>> = {
  'multi-valued-rdn': {
    kind: 'name',
    subject: [step(oids.country, 'US', 'printable'), [value(oids.unit, 'R&D'), value(oids.commonName, host)]],
    matches: ['OU=R&D + CN=mail.edge.test, C=US', 'CN=mail.edge.test+OU=R&D,C=US'],
    lookAlikes: [
      'CN=mail.edge.test, OU=R&D, C=US',
      'OU=R&D, CN=mail.edge.test, C=US',
      'OU="R&D + CN=mail.edge.test", C=US',
    ],
  },
  'utf8-name': {
    kind: 'name',
    key: 'ec',
    subject: organization('Müller & Söhne, Köln'),
    matches: [
      of('"Müller & Söhne, Köln"'),
      of(String.raw`M\C3\BCller & S\c3\b6hne\, K\C3\B6ln`),
      of('"MÜLLER & SÖHNE, KÖLN"'),
    ],
    lookAlikes: [of('"Muller & Sohne, Koln"'), of('Müller & Söhne') + ', L=Köln'],
  },
  'decomposed-name': {
    kind: 'name',
    subject: organization('Mu\u0308ller'),
    matches: [of('Müller'), of('MÜLLER')],
    lookAlikes: [of('Muller')],
  },
  'bmp-name': {
    kind: 'name',
    key: 'ed25519',
    subject: organization('Müller 株式会社', 'bmp'),
    matches: [of('Müller 株式会社'), of('#1E16004D00FC006C006C006500720020682A5F0F4F1A793E')],
    // What the octets are when only the low half of each character is looked at.
    lookAlikes: [of('䴪'), of('Müller'), of('Müller *\u000f\u001a>')],
  },
  'universal-name': {
    kind: 'name',
    subject: organization('Müller 株式会社', 'universal'),
    matches: [of('Müller 株式会社')],
    lookAlikes: [of('Müller')],
  },
  'teletex-name': {
    kind: 'name',
    key: 'ec',
    subject: organization('M\u00fcller', 'teletex'),
    matches: [of('Müller')],
    lookAlikes: [of('Muller')],
  },
  'quoted-name': {
    kind: 'name',
    subject: organization('Contoso, "Inc." <a>; b=c + d # '),
    matches: [of('"Contoso, ""Inc."" <a>; b=c + d # "'), of(String.raw`Contoso\, \"Inc.\" \<a\>\; b=c \+ d #\ `)],
    lookAlikes: [of('"Contoso, Inc."')],
  },
  'backslash-name': {
    kind: 'name',
    subject: organization(String.raw`Contoso\2C Inc.`),
    matches: [of(String.raw`"Contoso\2C Inc."`), of(String.raw`Contoso\5C2C Inc.`), of(String.raw`Contoso\\2C Inc.`)],
    lookAlikes: [of('"Contoso, Inc."'), of(String.raw`Contoso\2C Inc.`)],
  },
  'comma-name': {
    kind: 'name',
    subject: organization('Contoso, Inc.'),
    matches: [
      of('"Contoso, Inc."'),
      of(String.raw`Contoso\, Inc.`),
      of(String.raw`Contoso\2C Inc.`),
      of(String.raw`Contoso\2c Inc.`),
    ],
    lookAlikes: [of('Contoso, OU=Inc.'), of('Contoso Inc.'), of(String.raw`"Contoso\, Inc."`)],
  },
  'hash-name': {
    kind: 'name',
    subject: organization('#1 Mail'),
    matches: [of('"#1 Mail"'), of(String.raw`\#1 Mail`), of(String.raw`\231 Mail`)],
    lookAlikes: [of('1 Mail')],
  },
  'domain-components': {
    kind: 'name',
    key: 'ec',
    subject: [
      step(oids.domainComponent, 'test', 'ia5'),
      step(oids.domainComponent, 'edge', 'ia5'),
      step(oids.commonName, host),
    ],
    matches: ['CN=mail.edge.test, DC=edge, DC=test'],
    lookAlikes: ['CN=mail.edge.test, DC=test, DC=edge', 'CN=mail.edge.test, DC=edge.test'],
  },
  'repeated-units': {
    kind: 'name',
    subject: [step(oids.unit, 'a'), step(oids.unit, 'b'), step(oids.commonName, host)],
    matches: ['CN=mail.edge.test, OU=b, OU=a'],
    lookAlikes: ['CN=mail.edge.test, OU=a, OU=b', 'CN=mail.edge.test, OU=b', 'CN=mail.edge.test, OU=a + OU=b'],
  },
  'empty-value': {
    kind: 'name',
    subject: organization(''),
    matches: [of('""'), of('')],
    lookAlikes: ['CN=mail.edge.test, C=US'],
  },
  'empty-subject': { kind: 'name', key: 'ec', subject: [], lookAlikes: ['', 'CN=""', 'CN=mail.edge.test'] },
};

/** Organizations that a stranger may choose to be taken for Contoso or Kontoso. */
const disguises: Readonly<Record<string, readonly [shown: string, meant: string]>> = {
  'nul-in-name': ['Con\0toso', 'Contoso'],
  'nul-behind-name': ['Contoso\0', 'Contoso'],
  'tab-in-name': ['Contoso\tLtd', 'Contoso Ltd'],
  'newline-in-name': ['Contoso\r\nLtd', 'Contoso Ltd'],
  'delete-in-name': ['Contoso\x7f', 'Contoso'],
  'next-line-in-name': ['Contoso\u0085Ltd', 'Contoso Ltd'],
  'zero-width-in-name': ['Con\u200btoso', 'Contoso'],
  'soft-hyphen-in-name': ['Con\u00adtoso', 'Contoso'],
  'bidi-override-in-name': ['\u202eContoso', 'Contoso'],
  'no-break-space-in-name': ['Contoso\u00a0Ltd', 'Contoso Ltd'],
  'full-width-name': ['Ｃｏｎｔｏｓｏ', 'Contoso'],
  'long-s-name': ['Conto\u017fo', 'Contoso'],
  'kelvin-sign-name': ['\u212aontoso', 'Kontoso'],
  'dotless-i-name': ['M\u0131crosoft', 'Microsoft'],
  'dotted-capital-i-name': ['M\u0130CROSOFT', 'Microsoft'],
  'cyrillic-name': ['Cоntosо', 'Contoso'],
  'greek-name': ['Cοntοso', 'Contoso'],
  'ligature-name': ['ﬁle', 'file'],
  'superscript-name': ['Contoso²', 'Contoso2'],
  'sharp-s-name': ['Groß', 'Gross'],
};

const disguised = Object.entries(disguises).map(([name, [shown, meant]], i): [string, Row] => [
  name,
  {
    kind: 'name',
    key: (['rsa', 'ec', 'ed25519'] as const)[i % 3] ?? 'rsa',
    subject: organization(shown),
    lookAlikes: [of(meant), of(meant.toUpperCase())],
    ...(/\p{Cc}/u.test(shown) ? {} : { matches: [of(`"${shown}"`)] }),
  },
]);

/** Values that do not decode in their type, or are no text. `unreadable`: OpenSSL refuses the whole certificate. */
const undecodable: Readonly<Record<string, Row>> = {
  'bmp-of-odd-length': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 30, '0043006f00')),
    lookAlikes: [of('Co')],
    unreadable: true,
  },
  'bmp-with-surrogates': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 30, 'd83ddce7')),
    lookAlikes: [of('📧')],
    unreadable: true,
  },
  'universal-of-wrong-length': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 28, '0000004300006f')),
    lookAlikes: [of('C'), of('Co')],
    unreadable: true,
  },
  'universal-beyond-unicode': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 28, '00000043ffffffff')),
    lookAlikes: [of('C'), of('C\ufffd')],
    unreadable: true,
  },
  'utf8-that-is-none': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 12, '436fff')),
    lookAlikes: [of('Co'), of('Co\ufffd'), of('Coÿ')],
    unreadable: true,
  },
  'utf8-overlong': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 12, '43c1af')),
    lookAlikes: [of('Co')],
    unreadable: true,
  },
  'ia5-with-eighth-bit': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 22, '4dfc6c6c6572')),
    lookAlikes: [of('Müller'), of('M\ufffdller')],
  },
  'printable-with-eighth-bit': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 19, '4dc3bc6c6c6572')),
    lookAlikes: [of('Müller')],
  },
  'teletex-with-shift': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 20, '431b2d416f')),
    lookAlikes: [of('C-Ao'), of('Co')],
  },
  'octet-string-as-value': {
    kind: 'name',
    subject: organizationValue(octetsValue(oids.organization, 4, '436f')),
    lookAlikes: [of('Co'), of('#0402436F')],
    unreadable: true,
  },
  'padded-identifier': {
    kind: 'name',
    subject: organizationValue({ ...value(oids.organization, 'Contoso'), rawOid: Buffer.from('5580040a', 'hex') }),
    lookAlikes: [of('Contoso')],
    unreadable: true,
  },
};

const bad: Readonly<Record<string, Row>> = {
  expired: { kind: 'bad', from: -20, to: -1, matches: [plain] },
  'expired-ec': { kind: 'bad', key: 'ec', from: -20, to: -1 },
  'not-yet-valid': { kind: 'bad', key: 'ed25519', from: 1, to: 20 },
  'wrong-name': {
    kind: 'bad',
    subject: nameOf('other.edge.test'),
    uses: { dnsNames: ['other.edge.test'] },
    lookAlikes: [plain],
  },
  'wildcard-too-deep': { kind: 'bad', key: 'ec', subject: nameOf('*.test'), uses: { dnsNames: ['*.test'] } },
  'no-san': { kind: 'bad', uses: { dnsNames: [] } },
  'kelvin-sign-in-san': {
    kind: 'bad',
    subject: nameOf('\u212aail.edge.test'),
    uses: { dnsNames: ['\u212aail.edge.test'] },
  },
  'full-width-san': { kind: 'bad', subject: nameOf('ｍail.edge.test'), uses: { dnsNames: ['ｍail.edge.test'] } },
  'nul-in-san': {
    kind: 'bad',
    key: 'ec',
    subject: nameOf('mail.edge.test\0.evil.test'),
    uses: { dnsNames: ['mail.edge.test\0.evil.test'] },
  },
  'self-signed': { kind: 'bad', issuer: 'itself' },
  'self-signed-ec': { kind: 'bad', key: 'ec', issuer: 'itself' },
  'self-signed-server-only': { kind: 'bad', key: 'ec', issuer: 'itself', uses: { purposes: ['serverAuth'] } },
  'unknown-ca': { kind: 'bad', issuer: 'stranger' },
  // The stranger gave its authority our authority's name: only the signature tells.
  'impostor-ca': { kind: 'bad', key: 'ec', issuer: 'impostor', matches: [plain] },
  'forged-signature': { kind: 'bad', forged: true, matches: [plain] },
  'missing-intermediate': { kind: 'bad', leafOnly: true },
  'issuer-is-no-ca': { kind: 'bad', issuer: 'notCa' },
  'expired-issuer': { kind: 'bad', issuer: 'expiredCa' },
  'path-too-long': { kind: 'bad', issuer: 'short' },
  'outside-name-constraints': { kind: 'bad', issuer: 'constrained' },
  'weak-issuer': { kind: 'bad', issuer: 'weak' },
  'weak-key-512': { kind: 'bad', key: 'rsa512' },
  'weak-key-1024': { kind: 'bad', key: 'rsa1024' },
  'key-of-16384-bits': { kind: 'bad', key: 'rsa16384', matches: [plain] },
  'unknown-curve': { kind: 'bad', key: 'unknown-curve', matches: [plain] },
  'sha1-signed': { kind: 'bad', hash: 'sha1' },
  'version-1': { kind: 'bad', version: 1, matches: [plain] },
  'unknown-critical-extension': { kind: 'bad', key: 'ec', uses: { unknownCritical: true } },
  'client-only-eku': { kind: 'bad', uses: { purposes: ['clientAuth'] } },
  'server-only-eku': { kind: 'bad', key: 'ec', uses: { purposes: ['serverAuth'] } },
  'key-of-another': { kind: 'bad', otherKey: true, matches: [plain] },
  revoked: { kind: 'bad', key: 'ec', revoked: true },
};

export const rows: Readonly<Record<string, Row>> = {
  ...good,
  ...names,
  ...Object.fromEntries(disguised),
  ...undecodable,
  ...bad,
};
