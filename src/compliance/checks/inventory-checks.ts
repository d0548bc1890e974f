/** Checks that no handshake decides: they name what was seen, for a person to hold against a list. Never more than `info`. */
import type { CertificateFact, Facts } from '../facts/facts.ts';
import { type Check, type Finding, missed, notApplied, untested } from '../facts/verdict.ts';
import { versionTexts } from '../facts/version-texts.ts';

type Subject = (facts: Facts) => Finding | string;

const subjects: Readonly<Record<string, Subject>> = {
  /** Host, subject, issuer, serial, digest and end of each leaf. */
  certificates: (facts) => {
    const leaves = [...new Set(facts.chain.map(({ certificates }) => certificates[0] ?? -1))].flatMap(
      (place) => facts.certificates[place] ?? [],
    );
    if (leaves.length === 0) return noCertificate(facts);
    return `${leaves.map(lineOf).join('; ')}: keep it with its owner`;
  },
  /** Versions with the number of their suites. */
  suites: ({ protocols, cipherSuites, untested: unknown }) => {
    const taken = Object.entries(protocols).filter(([, answer]) => answer === 'offered');
    if (taken.length === 0) return untested(unknown['protocols.tls1_2'] ?? 'no version of TLS was seen');
    const texts = taken.map(([name]) => {
      const suites = cipherSuites[name as keyof typeof cipherSuites];
      const version = versionTexts[name] ?? name;
      return suites === undefined ? version : `${version} with ${suites.length} suites`;
    });
    return `${texts.join(', ')}: keep it with the date of its next review`;
  },
  /** Resumption without a new key exchange (RFC 8446 §4.2.9): every ticket here asks for one with it. */
  resumption: () =>
    'psk_ke is not offered here: see that the server leaves it off (OpenSSL: SSL_OP_ALLOW_NO_DHE_KEX, off unless set)',
  /** Who vouches for each leaf. */
  authority: (facts) => {
    const leaves = facts.chain.flatMap(({ certificates }) => facts.certificates[certificates[0] ?? -1] ?? []);
    if (leaves.length === 0) return noCertificate(facts);
    if (leaves.every(({ selfSigned }) => selfSigned)) return notApplied('no authority issued it: it is self-signed');
    const issuers = [...new Set(leaves.filter(({ selfSigned }) => !selfSigned).map(({ issuer }) => issuer))];
    return `issued by ${issuers.join('; ')}: see whether the BSI lists its operator as certified to TR-03145`;
  },
};

export const inventorySubjectNames: readonly string[] = Object.keys(subjects);

export const inventoryChecks: Readonly<Record<string, Check>> = {
  inventory: (facts, rule) => {
    const subject = subjects[rule.subject ?? ''];
    if (subject === undefined) throw new RangeError(`rule ${rule.id}: there is no subject '${rule.subject ?? ''}'`);
    const seen = subject(facts);
    return typeof seen === 'string' ? missed({ miss: 'info' }, seen) : seen;
  },
};

function noCertificate({ untested: unknown }: Facts): Finding {
  return untested(unknown['certificates'] ?? 'no certificate was seen');
}

function lineOf({ subject, issuer, serial, sha256, notAfter }: CertificateFact): string {
  return `${subject}, issued by ${issuer}, serial ${serial}, SHA-256 ${sha256}, until ${notAfter.slice(0, 10)}`;
}
