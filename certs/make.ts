/**
 * Makes a development CA and the chains that tests and trials need, into a folder given:
 *
 *     node certs/make.ts FOLDER
 *
 * For each row `<name>.chain.pem` (what a server sends) and `<name>.key.pem`; `root.pem` is what a client trusts. Every
 * bad chain is named after its fault and has no other. Private keys are made anew each time and never committed.
 */
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import {
  buildCertificate,
  type CertificateRequest,
  type NameSteps,
  type NameStringType,
  purposes,
  randomSerial,
} from '../src/certificates/index.ts';

/** The name that the good chains stand for. */
export const host = 'mail.edge.test';

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Authority extends Pair {
  readonly name: NameSteps;
  readonly pem: string;
}

/** One chain: what differs from a good one. */
interface Row {
  /** 'good', 'name' (good, but hard to read), or 'bad'. */
  readonly kind: 'good' | 'name' | 'bad';
  /** Default 'rsa'. */
  readonly key?: 'rsa' | 'ec' | 'ed25519' | 'rsa1024';
  /** Default 'issuing'. */
  readonly issuer?: 'issuing' | 'stranger' | 'notCa' | 'expiredCa' | 'itself';
  readonly change?: Partial<CertificateRequest>;
  /** The server does not send the issuer's certificate. */
  readonly leafOnly?: boolean;
}

const dayMs = 86_400_000;

function step(oid: string, value: string, type: NameStringType = 'utf8'): NameSteps[number] {
  return [{ oid, value, type }];
}

const [country, organization, unit, commonName, domainComponent] = [
  '2.5.4.6',
  '2.5.4.10',
  '2.5.4.11',
  '2.5.4.3',
  '0.9.2342.19200300.100.1.25',
];

function nameOf(common: string): NameSteps {
  return [step(country, 'US', 'printable'), step(organization, 'Edge Development'), step(commonName, common)];
}

/** `now`: milliseconds since 1970. */
function rows(now: number): Readonly<Record<string, Row>> {
  return {
    'good-rsa': { kind: 'good' },
    'good-ec': { kind: 'good', key: 'ec' },
    'good-ed25519': { kind: 'good', key: 'ed25519' },
    'good-wildcard': { kind: 'good', change: { subject: nameOf('*.edge.test'), dnsNames: ['*.edge.test'] } },
    'multi-valued-rdn': {
      kind: 'name',
      change: {
        subject: [
          step(country, 'US', 'printable'),
          [
            { oid: unit, value: 'R&D' },
            { oid: commonName, value: host },
          ],
        ],
      },
    },
    'utf8-name': {
      kind: 'name',
      change: {
        subject: [step(country, 'DE', 'printable'), step(organization, 'Müller & Söhne, Köln'), step(commonName, host)],
      },
    },
    'bmp-name': {
      kind: 'name',
      change: { subject: [step(organization, 'Müller 株式会社', 'bmp'), step(commonName, host, 'bmp')] },
    },
    'quoted-name': {
      kind: 'name',
      change: { subject: [step(organization, 'Contoso, "Inc." <a>; b=c + d # '), step(commonName, host)] },
    },
    'domain-components': {
      kind: 'name',
      change: {
        subject: [step(domainComponent, 'test', 'ia5'), step(domainComponent, 'edge', 'ia5'), step(commonName, host)],
      },
    },
    'repeated-units': { kind: 'name', change: { subject: [step(unit, 'a'), step(unit, 'b'), step(commonName, host)] } },
    'empty-subject': { kind: 'name', change: { subject: [] } },
    expired: { kind: 'bad', change: { notBefore: now - 20 * dayMs, notAfter: now - dayMs } },
    'not-yet-valid': { kind: 'bad', change: { notBefore: now + dayMs, notAfter: now + 20 * dayMs } },
    'wrong-name': { kind: 'bad', change: { subject: nameOf('other.edge.test'), dnsNames: ['other.edge.test'] } },
    'wildcard-too-deep': { kind: 'bad', change: { subject: nameOf('*.test'), dnsNames: ['*.test'] } },
    'no-san': { kind: 'bad', change: { dnsNames: [] } },
    'self-signed': { kind: 'bad', issuer: 'itself' },
    'unknown-ca': { kind: 'bad', issuer: 'stranger' },
    'missing-intermediate': { kind: 'bad', leafOnly: true },
    'issuer-is-no-ca': { kind: 'bad', issuer: 'notCa' },
    'expired-issuer': { kind: 'bad', issuer: 'expiredCa' },
    'weak-key-1024': { kind: 'bad', key: 'rsa1024' },
    'sha1-signed': { kind: 'bad', change: { hash: 'sha1' } },
    'client-only-eku': { kind: 'bad', change: { extendedKeyUsage: [purposes.clientAuth] } },
  };
}

/** What was made, by name. */
export interface MadeChain {
  readonly kind: Row['kind'];
  readonly keyPem: string;
  /** Leaf first, as a server sends it. */
  readonly chainPem: string;
  readonly leaf: X509Certificate;
}

export interface Made {
  /** PEM of the root that tests trust. */
  readonly rootPem: string;
  readonly chains: Readonly<Record<string, MadeChain>>;
}

function makePair(type: NonNullable<Row['key']>): Pair {
  if (type === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (type === 'ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: type === 'rsa1024' ? 1024 : 2048 });
}

function printPem(der: Buffer): string {
  return new X509Certificate(der).toString();
}

/** A CA certificate; signed by itself unless an issuer is given. */
function makeAuthority(
  common: string,
  now: number,
  issuer?: Authority,
  change: Partial<CertificateRequest> = {},
): Authority {
  const pair = makePair('rsa');
  const name = nameOf(common);
  const der = buildCertificate({
    subject: name,
    issuer: issuer?.name ?? name,
    notBefore: now - 100 * dayMs,
    notAfter: now + 3650 * dayMs,
    serial: randomSerial(),
    publicKey: pair.publicKey,
    signingKey: issuer?.privateKey ?? pair.privateKey,
    issuerPublicKey: issuer?.publicKey ?? pair.publicKey,
    ca: true,
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...change,
  });
  return { ...pair, name, pem: printPem(der) };
}

/** Makes everything in memory. Takes about a second. `now` moves the validity, for tests with their own clock. */
export function makeChains(now: number = Date.now()): Made {
  const root = makeAuthority('Edge Development Root CA', now);
  const issuers = {
    issuing: makeAuthority('Edge Development Issuing CA', now, root),
    stranger: makeAuthority('Edge Development Stranger CA', now),
    notCa: makeAuthority('Edge Development No CA', now, root, { ca: false, keyUsage: ['digitalSignature'] }),
    expiredCa: makeAuthority('Edge Development Expired CA', now, root, { notAfter: now - dayMs }),
  };
  const pairs = {
    rsa: makePair('rsa'),
    ec: makePair('ec'),
    ed25519: makePair('ed25519'),
    rsa1024: makePair('rsa1024'),
  };
  const chains = Object.entries(rows(now)).map(([name, row]) => {
    const pair = pairs[row.key ?? 'rsa'];
    const issuer =
      row.issuer === 'itself' ? { ...pair, name: nameOf(host), pem: '' } : issuers[row.issuer ?? 'issuing'];
    return [name, makeChain(row, pair, issuer, now)] as const;
  });
  return { rootPem: root.pem, chains: Object.fromEntries(chains) };
}

function makeChain(row: Row, pair: Pair, issuer: Authority, now: number): MadeChain {
  const der = buildCertificate({
    subject: nameOf(host),
    issuer: issuer.name,
    notBefore: now - dayMs,
    notAfter: now + 90 * dayMs,
    serial: randomSerial(),
    publicKey: pair.publicKey,
    signingKey: issuer.privateKey,
    issuerPublicKey: issuer.publicKey,
    keyUsage:
      pair.publicKey.asymmetricKeyType === 'rsa' ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
    extendedKeyUsage: [purposes.serverAuth, purposes.clientAuth],
    dnsNames: [host],
    ...row.change,
  });
  return {
    kind: row.kind,
    keyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chainPem: `${printPem(der)}${row.leafOnly === true ? '' : issuer.pem}`,
    leaf: new X509Certificate(der),
  };
}

/** Writes what makeChains() made; keys with mode 0600. */
export async function writeChains(folder: string, { rootPem, chains }: Made): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/root.pem`, rootPem);
  for (const [name, { keyPem, chainPem }] of Object.entries(chains)) {
    await writeFile(`${folder}/${name}.key.pem`, keyPem, { mode: 0o600 });
    await writeFile(`${folder}/${name}.chain.pem`, chainPem);
  }
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
