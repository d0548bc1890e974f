/** What the tester found out about one endpoint: the published JSON, of which every report is made. */

/** An answer that was seen, or the reason why none was: 'not-tested(no answer within 10 s)'. */
export type Answer = 'offered' | 'not-offered' | `not-tested(${string})`;

export function notTested(reason: string): `not-tested(${string})` {
  return `not-tested(${reason})`;
}

/** The question makes no sense for this endpoint: 'not-applicable(no CBC suite is taken)'. */
export type NotApplicable = `not-applicable(${string})`;

export function notApplicable(reason: string): NotApplicable {
  return `not-applicable(${reason})`;
}

export function notApplicableReason(answer: string): string | undefined {
  return /^not-applicable\((.*)\)$/s.exec(answer)?.[1];
}

/** The reason of an answer that is none; undefined for one that was seen. */
export function untestedReason(answer: string): string | undefined {
  return /^not-tested\((.*)\)$/s.exec(answer)?.[1];
}

/** What is published of a version: one bare word. The reason of the third stands in `Facts.untested` as 'protocols.ssl2'. */
type ProtocolAnswer = 'offered' | 'not-offered' | 'not-tested';

export const protocolNames = ['ssl2', 'ssl3', 'tls1_0', 'tls1_1', 'tls1_2', 'tls1_3'] as const;
export type ProtocolName = (typeof protocolNames)[number];

/** One certificate that was shown. */
export interface CertificateFact {
  /** Of the DER, lower-case hexadecimal. */
  readonly sha256: string;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  /** 3 for every certificate with extensions. */
  readonly version: number;
  readonly subject: string;
  readonly issuer: string;
  /** Last common name of the subject; absent without any. */
  readonly commonName?: string;
  /** A step of the subject has more than one value; absent where none has. */
  readonly multiValued?: boolean;
  /** dNSName and iPAddress entries. */
  readonly sans: readonly string[];
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly key: { readonly type: string; readonly bits: number; readonly curve?: string };
  readonly signatureAlgorithm: string;
  readonly selfSigned: boolean;
  readonly isCa: boolean;
  readonly keyUsage?: readonly string[];
  /** RFC 5280 §4.2.1.3; absent without a key usage. */
  readonly keyUsageCritical?: boolean;
  readonly extendedKeyUsage?: readonly string[];
  /** Addresses of OCSP responders and revocation lists; absent where none is named. */
  readonly revocation?: readonly string[];
  /** RFC 7633. */
  readonly mustStaple: boolean;
  /** SHA-256 of the SubjectPublicKeyInfo: what TLSA 3 1 1 names. */
  readonly spkiSha256: string;
  /** PEM, so that every later question can be answered. */
  readonly pem: string;
}

/** A chain as it was sent, and what a verifier makes of it. */
export interface ChainFact {
  /** Positions in `certificates`, leaf first. */
  readonly certificates: readonly number[];
  /** Where it was shown: 'tls1_2', 'tls1_3 sni=none' … */
  readonly seenWith: readonly string[];
  /** Each certificate was issued by the next one. */
  readonly inOrder: boolean;
  /** Up to a certificate that the trust store holds, without gap. */
  readonly complete: boolean;
  /** 'trusted', or why not. */
  readonly trust: string;
  /** The leaf names the host that was asked for; absent where an address was. */
  readonly matchesHost?: boolean;
  /** 'refused': it does not count; 'unverified': without the issuer nobody can say. */
  readonly staple: 'good' | 'revoked' | 'refused' | 'unverified' | 'none';
  /** What the responder says, or why its answer does not count; absent without a staple. */
  readonly stapleReason?: string;
  /** What the issuers of a trusted chain say by OCSP or CRL; absent: they were not asked, or no place is named. */
  readonly revocation?: { readonly state: 'good' | 'revoked' | 'unknown'; readonly reason: string };
  /** Signed certificate timestamps, wherever they stand. */
  readonly timestamps: number;
  /** Whether `<I>…<S>…` of the demand is met, where one was given. */
  readonly demanded?: string;
}

export type Features = Readonly<Record<FeatureName, Answer | NotApplicable>> & {
  /** Seconds that a session ticket lives; absent: no ticket was seen. */
  readonly ticketLifetime?: number;
  /** Bits and name of the finite field that DHE uses. */
  readonly dhe?: { readonly bits: number; readonly group: string };
  /** The application protocol chosen, where any. */
  readonly alpn?: string;
};

export const featureNames = [
  'extendedMasterSecret',
  'encryptThenMac',
  'secureRenegotiation',
  'clientRenegotiation',
  'compression',
  'truncatedHmac',
  'heartbeat',
  'sessionTickets',
  'earlyData',
  'fallbackScsv',
  'downgradeSentinel',
  'ocspStaple',
  'statusRequestV2',
  'clientCertificateUrl',
  'rawPublicKeys',
  'alpnSelected',
  'largeClientHello',
  'grease',
  'helloWithoutSni',
  'dheWithoutNamedGroups',
] as const;
/** 'offered' means: present, allowed or tolerated. */
export type FeatureName = (typeof featureNames)[number];

/** What the mail protocol around TLS showed. */
export interface MailFacts {
  readonly starttls: Answer;
  /** Greeting and EHLO lines before TLS. */
  readonly greeting: string;
  readonly ehloBefore: readonly string[];
  readonly ehloAfter: readonly string[];
  /** Each is 'yes', 'no' or 'not-tested(…)'. */
  readonly [check: string]: unknown;
}

export interface Facts {
  readonly protocols: Readonly<Record<ProtocolName, ProtocolAnswer>>;
  /** IANA names by protocol, in the order found; a protocol that was not tested to the end is absent. */
  readonly cipherSuites: Readonly<Partial<Record<ProtocolName, readonly string[]>>>;
  /** Who decides on the suite: 'server', 'client', or why it is not known. */
  readonly serverOrder: Readonly<Partial<Record<ProtocolName, string>>>;
  readonly groups: readonly string[];
  readonly signatureAlgorithms: readonly string[];
  /** Parts that could not be tested to their end, with the reason: 'protocols.ssl2', 'groups', 'cipherSuites.tls1_2' … */
  readonly untested: Readonly<Record<string, string>>;
  readonly certificates: readonly CertificateFact[];
  readonly chain: readonly ChainFact[];
  readonly features: Features;
  readonly mail?: MailFacts;
}

/** Answers as they are published, and the reasons that belong into `Facts.untested`. */
export function publishedProtocols(
  answers: Readonly<Record<ProtocolName, Answer>>,
): Pick<Facts, 'protocols' | 'untested'> {
  const protocols: Partial<Record<ProtocolName, ProtocolAnswer>> = {};
  const untested: Record<string, string> = {};
  for (const name of protocolNames) {
    const answer = answers[name];
    const reason = untestedReason(answer);
    if (reason !== undefined) untested[`protocols.${name}`] = reason;
    protocols[name] = answer === 'offered' || answer === 'not-offered' ? answer : 'not-tested';
  }
  return { protocols: protocols as Facts['protocols'], untested };
}

/** Why it is not known which suites a version takes; undefined where they are, or where it is not taken. */
export function suitesReason(
  facts: Pick<Facts, 'protocols' | 'untested' | 'cipherSuites'>,
  name: ProtocolName,
): string | undefined {
  const { protocols, untested, cipherSuites } = facts;
  if (protocols[name] === 'not-offered') return undefined;
  const reason = protocolReason(facts, name) ?? untested[`cipherSuites.${name}`] ?? untested['cipherSuites'];
  return reason ?? (cipherSuites[name] === undefined ? 'the cipher suites are not known' : undefined);
}

/** Why it is not known whether a version is taken; undefined where it is. */
export function protocolReason(
  { protocols, untested }: Pick<Facts, 'protocols' | 'untested'>,
  name: ProtocolName,
): string | undefined {
  return protocols[name] === 'not-tested' ? (untested[`protocols.${name}`] ?? 'it was not tried') : undefined;
}
