/** The hellos that the tester sends, each a plain offer that a probe narrows. */
import {
  curves12,
  type Extension,
  finiteFields,
  groups13,
  offer,
  shareable,
  signals,
  signatureSchemes,
  suitesOfVersion,
  versions,
} from '../../tls/wire/index.ts';
import type { HelloOffer } from './hello-exchange.ts';

/** Signature schemes in the order of preference that any server can live with. */
export const allSignatures: readonly number[] = [
  ...[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601],
  ...[...signatureSchemes.keys()].filter(
    (code) => ![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601].includes(code),
  ),
];

/** RFC 8446 §4.2.3: PKCS #1, SHA-1 and DSA do not sign handshakes of TLS 1.3. */
export const signatures13: readonly number[] = allSignatures.filter(
  (code) => code >= 0x0700 || [0x0403, 0x0503, 0x0603].includes(code),
);

/** x25519, the NIST curves and x448: shares of theirs are small. */
export const smallShares: readonly number[] = [29, 23, 24, 25, 30];

/** Of the groups that an endpoint takes the one to go on with: the hello stays small wherever it can. */
export function computable(groups: readonly number[]): number | undefined {
  return [...smallShares, ...shareable].find((code) => groups.includes(code));
}

export interface HelloWishes {
  /** SNI; undefined: none is sent. */
  readonly host: string | undefined;
  readonly suites?: readonly number[];
  readonly groups?: readonly number[];
  readonly signatures?: readonly number[];
  /** Added at the end. */
  readonly more?: readonly Extension[];
  readonly compression?: readonly number[];
}

/** Asked for with every chain, so that 'none' of a chain means that there was none: a staple, and timestamps. */
const proofs = (): Extension[] => [offer.statusRequest(), offer.timestamps()];

const sni = (host: string | undefined): Extension[] => (host === undefined ? [] : [offer.serverName(host)]);

/** Some servers take a finite field by its name alone (RFC 7919). */
const groups12: readonly number[] = [...curves12, ...finiteFields];

/** A hello for SSL 3.0 to TLS 1.2. SSL 3.0 has no extensions. */
export function hello12(version: number, wishes: HelloWishes): HelloOffer {
  const { host, suites = suitesOfVersion(version).map(({ code }) => code), groups = groups12, compression } = wishes;
  const { signatures = allSignatures, more = [] } = wishes;
  const common = {
    version,
    suites: version === versions.ssl3 ? suites : [...suites, signals.renegotiation],
    ...(compression === undefined ? {} : { compression }),
  };
  if (version === versions.ssl3) return common;
  const extensions = (): Extension[] => [
    ...sni(host),
    ...(groups.length === 0 ? [] : [offer.groups(groups), offer.pointFormats()]),
    ...(version >= versions.tls1_2 ? [offer.signatures(signatures)] : []),
    ...proofs(),
    ...more,
  ];
  return { ...common, extensions };
}

export interface Hello13Wishes extends HelloWishes {
  /** Groups that key shares are sent for; none: the server names its group in a HelloRetryRequest. */
  readonly shares?: readonly number[];
  readonly toTickets?: boolean;
}

/** A hello for TLS 1.3 alone. */
export function hello13(wishes: Hello13Wishes): HelloOffer {
  const { host, suites = suitesOfVersion(versions.tls1_3).map(({ code }) => code), groups = groups13 } = wishes;
  const { signatures = allSignatures, more = [], shares = [], toTickets = false } = wishes;
  return {
    version: versions.tls1_2,
    // A session id makes the hello look like one of TLS 1.2 to boxes on the way (RFC 8446 appendix D.4).
    sessionId: Buffer.alloc(32, 0x5a),
    suites,
    shares,
    toTickets,
    extensions: (made) => [
      ...sni(host),
      offer.versions([versions.tls1_3]),
      offer.groups(groups),
      offer.signatures(signatures),
      offer.pskModes(),
      ...proofs(),
      ...more,
      offer.keyShares(made),
    ],
  };
}
