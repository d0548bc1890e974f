import { X509Certificate } from 'node:crypto';

/** Authorities that are trusted, ready for many judgements. */
export class TrustAnchors {
  readonly #bySubject = new Map<string, X509Certificate[]>();
  /** PEM, for OpenSSL's own judgement in the handshake. */
  readonly pem: readonly string[];

  /** PEM of one certificate each; those that do not read are left out. */
  constructor(pem: readonly string[]) {
    this.pem = pem;
    for (const text of pem) {
      const certificate = parseCertificate(text);
      if (certificate === undefined) continue;
      const known = this.#bySubject.get(certificate.subject) ?? [];
      known.push(certificate);
      this.#bySubject.set(certificate.subject, known);
    }
  }

  /** Those with the name of an issuer. */
  named(issuer: string): readonly X509Certificate[] {
    return this.#bySubject.get(issuer) ?? [];
  }

  get size(): number {
    return this.#bySubject.size;
  }
}

/** PEM or DER; undefined for what OpenSSL does not read: it vouches for nobody. */
export function parseCertificate(data: string | Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    // As said.
    return undefined;
  }
}
