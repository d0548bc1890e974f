/**
 * Makes, with openssl, a development CA and the whole table of good and bad certificates, into a folder given:
 *
 *     node certs/make.ts FOLDER
 *
 * For each row `<name>.chain.pem` (what a server sends) and, where there is one, `<name>.key.pem`; `root.pem` is what a
 * client trusts; `table.jsonl` has a line for each row and name, as `edge tls match --jsonl` reads them, with the answer
 * that is expected. Private keys are made anew each time and never committed.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { makeCertificates, type Name, type Template, tlv } from './authority.ts';
import { extensionsFor, type Uses } from './extensions.ts';
import { nameOf } from './names.ts';
import { host, type IssuerKind, type KeyKind, type Row, rows, usual } from './table.ts';

export { host } from './table.ts';

const dayMs = 86_400_000;

interface KeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  /** Absent: a public key that nobody has the other half of. */
  readonly privateKey?: KeyObject;
}

interface Authority extends Required<KeyPair> {
  readonly name: Name;
  readonly pem: string;
}

/** What was made, by name. */
export interface MadeChain {
  readonly kind: Row['kind'];
  /** '' where there is no key. */
  readonly keyPem: string;
  /** Leaf first, as a server sends it. */
  readonly chainPem: string;
  readonly der: Buffer;
  readonly row: Row;
}

export interface MadeAuthority {
  readonly pem: string;
  readonly keyPem: string;
}

export interface Made {
  /** PEM of the root that tests trust. */
  readonly rootPem: string;
  readonly root: MadeAuthority;
  /** The authority that issued the good ones. */
  readonly issuing: MadeAuthority;
  readonly chains: Readonly<Record<string, MadeChain>>;
}

function makePair(kind: KeyKind): KeyPair {
  if (kind === 'unknown-curve') return { spki: unknownCurve() };
  if (kind === 'rsa16384') return { spki: hugeModulus() };
  const { publicKey, privateKey } = generatePair(kind);
  return { spki: publicKey.export({ type: 'spki', format: 'der' }), privateKey };
}

function generatePair(kind: KeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: kind === 'rsa' ? 2048 : Number(kind.slice(3)) });
}

/** A key on a curve with an identifier that nobody has given out. */
function unknownCurve(): Buffer {
  const algorithm = tlv(0x30, Buffer.from('06072a8648ce3d0201', 'hex'), Buffer.from('06032a0304', 'hex'));
  return tlv(0x30, algorithm, tlv(3, Buffer.of(0, 4), randomBytes(64)));
}

/** A modulus without its primes: a key of this size takes minutes to make. */
function hugeModulus(): Buffer {
  const modulus = randomBytes(2048);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[2047] = (modulus[2047] ?? 0) | 1;
  const key = tlv(0x30, tlv(2, Buffer.of(0), modulus), tlv(2, Buffer.of(1, 0, 1)));
  return tlv(0x30, Buffer.from('300d06092a864886f70d0101010500', 'hex'), tlv(3, Buffer.of(0), key));
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function randomSerial(): bigint {
  return BigInt(`0x4${randomBytes(15).toString('hex')}`);
}

/** What differs from a usual authority. */
interface AuthorityChange {
  readonly issuer?: Authority;
  readonly key?: KeyKind;
  readonly uses?: Uses;
  readonly to?: number;
}

/** A CA certificate; signed by itself unless an issuer is given. */
function makeAuthority(
  common: string,
  now: number,
  { issuer, key = 'rsa', uses, to = 3650 }: AuthorityChange = {},
): Authority {
  const { spki, privateKey } = makePair(key);
  if (privateKey === undefined) throw new Error('an authority needs a private key');
  const name = nameOf(common);
  const template: Template = {
    subject: name,
    issuer: issuer?.name ?? name,
    notBefore: now - 100 * dayMs,
    notAfter: now + to * dayMs,
    serial: randomSerial(),
    publicKey: spki,
    signingKey: issuer?.privateKey ?? privateKey,
    extensions: extensionsFor({ ca: true, keyUsage: 0x06, ...uses }, spki, issuer?.spki ?? spki),
  };
  const [der] = makeCertificates([template]);
  return { spki, privateKey, name, pem: pemOf(der ?? Buffer.alloc(0)) };
}

const issuingName = 'Edge Development Issuing CA';

type Issuer = Exclude<IssuerKind, 'itself'>;

/** Each is made when the first row asks for it: their keys are most of the time. */
function issuersUnder(root: Authority, now: number): (kind: Issuer) => Authority {
  const makers: Readonly<Record<Issuer, () => Authority>> = {
    issuing: () => makeAuthority(issuingName, now, { issuer: root }),
    stranger: () => makeAuthority('Edge Development Stranger CA', now),
    notCa: () => makeAuthority('Edge Development No CA', now, { issuer: root, uses: { ca: false, keyUsage: 0x80 } }),
    expiredCa: () => makeAuthority('Edge Development Expired CA', now, { issuer: root, to: -1 }),
    short: () => {
      const closed = makeAuthority('Edge Development Closed CA', now, { issuer: root, uses: { pathLength: 0 } });
      return withParent(makeAuthority('Edge Development Deep CA', now, { issuer: closed }), closed);
    },
    constrained: () =>
      makeAuthority('Edge Development Constrained CA', now, {
        issuer: root,
        uses: { permittedDns: 'elsewhere.test' },
      }),
    weak: () => makeAuthority('Edge Development Weak CA', now, { issuer: root, key: 'rsa1024' }),
    impostor: () => makeAuthority(issuingName, now),
  };
  const made = new Map<Issuer, Authority>();
  return (kind) => {
    const issuer = made.get(kind) ?? makers[kind]();
    made.set(kind, issuer);
    return issuer;
  };
}

/** The authority with the certificates above it, as a server sends them. */
function withParent(authority: Authority, parent: Authority): Authority {
  return { ...authority, pem: authority.pem + parent.pem };
}

/**
 * Makes the table in memory: about half a second. `now` moves the validity, for tests with their own clock; `wanted`
 * limits it to some rows.
 */
export function makeChains(now: number = Date.now(), wanted: readonly string[] = Object.keys(rows)): Made {
  const root = makeAuthority('Edge Development Root CA', now);
  const issuerOf = issuersUnder(root, now);
  const pairs = new Map<KeyKind, KeyPair>();
  const pairFor = (kind: KeyKind): KeyPair => {
    const known = pairs.get(kind) ?? makePair(kind);
    pairs.set(kind, known);
    return known;
  };
  const chosen = Object.entries(rows).filter(([name]) => wanted.includes(name));
  const made = chosen.map(([, row]) => {
    const pair = pairFor(row.key ?? 'rsa');
    return { row, pair, issuer: row.issuer === 'itself' ? itself(row, pair) : issuerOf(row.issuer ?? 'issuing') };
  });
  const ders = makeCertificates(made.map(({ row, pair, issuer }) => leaf(row, pair, issuer, now)));
  const chains = chosen.map(([name, row], i) => {
    const { pair, issuer } = made[i] ?? { pair: pairFor('rsa'), issuer: root };
    const der = ders[i] ?? Buffer.alloc(0);
    return [name, chainOf(row, der, row.otherKey === true ? makePair('rsa') : pair, issuer)] as const;
  });
  return {
    rootPem: root.pem,
    root: authorityOf(root),
    issuing: authorityOf(issuerOf('issuing')),
    chains: Object.fromEntries(chains),
  };
}

function itself({ subject = nameOf(host) }: Row, { spki, privateKey }: KeyPair): Authority {
  if (privateKey === undefined) throw new Error('nothing signs itself without a private key');
  return { spki, privateKey, name: subject, pem: '' };
}

function authorityOf({ pem, privateKey }: Authority): MadeAuthority {
  return { pem, keyPem: printKey(privateKey) };
}

function leaf(row: Row, { spki }: KeyPair, issuer: Authority, now: number): Template {
  const { key = 'rsa', subject = nameOf(host), from = -1, to = 90, uses } = row;
  const keyUsage = key.startsWith('rsa') ? 0xa0 : 0x80;
  return {
    subject,
    issuer: issuer.name,
    notBefore: now + from * dayMs,
    notAfter: now + to * dayMs,
    serial: randomSerial(),
    publicKey: spki,
    signingKey: issuer.privateKey,
    extensions: extensionsFor({ ...usual, keyUsage, ...uses }, spki, issuer.spki),
    ...(row.hash !== undefined && { hash: row.hash }),
    ...(row.version !== undefined && { version: row.version }),
    ...(row.forged !== undefined && { forged: row.forged }),
  };
}

function chainOf(row: Row, der: Buffer, { privateKey }: KeyPair, issuer: Authority): MadeChain {
  return {
    kind: row.kind,
    keyPem: privateKey === undefined ? '' : printKey(privateKey),
    chainPem: `${pemOf(der)}${row.leafOnly === true ? '' : issuer.pem}`,
    der,
    row,
  };
}

function printKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The issuer of most rows, as it is printed. */
export const issuerText = `CN=${issuingName}, O=Edge Development, C=US`;

/** One name against one certificate, and what is expected. */
export interface NameCase {
  readonly id: string;
  /** Row of the table. */
  readonly row: string;
  /** TlsCertificateName. */
  readonly name: string;
  readonly match: boolean;
}

/** Every row with each of its names, and with the plain name where a row has none. */
export function nameCases(): NameCase[] {
  return Object.entries(rows).flatMap(([row, { matches = [], lookAlikes = [], issuer = 'issuing' }]) => {
    const named = (subject: string): string =>
      `<I>${issuer === 'issuing' || issuer === 'impostor' ? issuerText : 'CN=x'}<S>${subject}`;
    return [
      ...matches.map((subject, i) => ({ id: `${row} is ${i + 1}`, row, name: named(subject), match: true })),
      ...lookAlikes.map((subject, i) => ({ id: `${row} is not ${i + 1}`, row, name: named(subject), match: false })),
      { id: `${row} is not a stranger`, row, name: '<I>CN=Stranger<S>CN=Stranger', match: false },
    ];
  });
}

/** Writes what makeChains() made; keys with mode 0600. */
export async function writeChains(folder: string, { rootPem, chains }: Made): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/root.pem`, rootPem);
  for (const [name, { keyPem, chainPem }] of Object.entries(chains)) {
    if (keyPem !== '') await writeFile(`${folder}/${name}.key.pem`, keyPem, { mode: 0o600 });
    await writeFile(`${folder}/${name}.chain.pem`, chainPem);
  }
  const lines = nameCases().map(({ id, row, name, match }) =>
    JSON.stringify({ id, cert: `${folder}/${row}.chain.pem`, name, expected: match }),
  );
  await writeFile(`${folder}/table.jsonl`, `${lines.join('\n')}\n`);
}

/** For tests of one certificate. Throws for a row whose certificate OpenSSL does not take. */
export function leafOf({ der }: MadeChain): X509Certificate {
  return new X509Certificate(der);
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error('usage: node certs/make.ts FOLDER');
    process.exitCode = 64;
  } else {
    const made = makeChains();
    await writeChains(folder, made);
    for (const [name, { kind }] of Object.entries(made.chains))
      console.log(`${kind.padEnd(5)} ${folder}/${name}.chain.pem`);
  }
}
