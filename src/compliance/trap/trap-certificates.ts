/** Certificates of the trap, made anew at each start: an authority of its own to trust, one to distrust, and the leaves. */
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { buildCertificate, type NameSteps, purposes, randomSerial } from '../../certificates/index.ts';
import type { TrapKind } from './trap-table.ts';

const dayMs = 86_400_000;

export interface TrapCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** SHA-256 of the key: what a TLSA 3 1 1 record holds. */
  readonly spkiSha256: string;
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const makePair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const nameOf = (common: string): NameSteps => [[{ oid: '2.5.4.3', value: common }]];

/** The authorities and what they issue. */
export class TrapAuthority {
  /** PEM of the root that senders under test are made to trust. */
  readonly rootPem: string;
  readonly #trusted: Pair = makePair();
  readonly #stranger: Pair = makePair();
  readonly #now: number;

  constructor(now: number) {
    this.#now = now;
    this.rootPem = pem(
      this.#build({
        common: 'Edge TLS trap root',
        issuer: 'Edge TLS trap root',
        key: this.#trusted,
        signer: this.#trusted,
        names: [],
        ca: true,
      }),
    );
  }

  /** A leaf for a host, wrong in the way that the kind says. */
  issue(host: string, kind: TrapKind['certificate']): TrapCertificate {
    const key = makePair();
    const stranger = kind === 'unknown-issuer';
    const names = kind === 'wrong-name' ? [`other-${host}`] : [host];
    const der = this.#build({
      common: names[0] ?? host,
      issuer: kind === 'self-signed' ? (names[0] ?? host) : stranger ? 'Unknown authority' : 'Edge TLS trap root',
      key,
      signer: kind === 'self-signed' ? key : stranger ? this.#stranger : this.#trusted,
      names,
      expired: kind === 'expired',
    });
    return {
      certPem: pem(der),
      keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      spkiSha256: digestOf(key.publicKey),
    };
  }

  #build(wish: {
    common: string;
    issuer: string;
    key: Pair;
    signer: Pair;
    names: readonly string[];
    ca?: boolean;
    expired?: boolean;
  }): Buffer {
    const { common, issuer, key, signer, names, ca = false, expired = false } = wish;
    return buildCertificate({
      subject: nameOf(common),
      issuer: nameOf(issuer),
      notBefore: this.#now - 30 * dayMs,
      notAfter: this.#now + (expired ? -1 : 30) * dayMs,
      serial: randomSerial(),
      publicKey: key.publicKey,
      signingKey: signer.privateKey,
      issuerPublicKey: signer.publicKey,
      ca,
      keyUsage: ca ? ['keyCertSign', 'cRLSign'] : ['digitalSignature'],
      ...(ca ? {} : { extendedKeyUsage: [purposes.serverAuth], dnsNames: names }),
    });
  }
}

const pem = (der: Buffer): string => new X509Certificate(der).toString();

function digestOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
