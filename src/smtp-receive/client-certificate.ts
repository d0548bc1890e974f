/** What a connector makes of the certificate that a client shows: RFC 3207 §4.1, Exchange's domain security. */
import { printable } from '../base/index.ts';
import type { ReceiveConnector } from '../config/index.ts';
import { replies, SmtpError } from '../smtp/index.ts';
import {
  type ClientCertificate,
  type ClientVerdict,
  judgeClient,
  parseSenderCertificateName,
  readCertificate,
  type SenderCertificateName,
  standsForDomain,
  type TrustAnchors,
  verifyChain,
} from '../tls/index.ts';

/** What came with the handshake. */
export interface ShownChain {
  /** DER, leaf first; empty: the client showed none. */
  readonly certificates: readonly Buffer[];
  /** OpenSSL's verdict: '' when it trusts the chain. */
  readonly opensslError: string;
}

/** What a connector demands of clients; absent where it asks for no certificate. */
export interface ClientPolicy {
  /** TlsSenderCertificateName: of every client. */
  readonly name?: SenderCertificateName;
  /** Domains whose mail needs a certificate of theirs (TLSReceiveDomainSecureList), lower case. */
  readonly secureDomains: ReadonlySet<string>;
  readonly eku: ReceiveConnector['clientEku'];
}

/** Of a connector and the organization's list. */
export function clientPolicyOf(
  connector: ReceiveConnector,
  secureDomains: readonly string[],
): ClientPolicy | undefined {
  const { tlsSenderCertificateName: name, domainSecureEnabled, clientEku: eku, authMechanism } = connector;
  if (name === null && !domainSecureEnabled) return undefined;
  if (!authMechanism.includes('Tls') && name === null) return undefined;
  return {
    ...(name !== null && { name: parseSenderCertificateName(name) }),
    secureDomains: new Set(domainSecureEnabled ? secureDomains.map((domain) => domain.toLowerCase()) : []),
    eku,
  };
}

/** The client of one session, judged once. */
export class ClientIdentity {
  readonly #policy: ClientPolicy;
  readonly #shown: ClientCertificate | undefined;
  /** Of the demand that every client has to meet; of trust alone where there is none. */
  readonly verdict: ClientVerdict;

  constructor(
    policy: ClientPolicy,
    { certificates, opensslError }: ShownChain,
    parts: { anchors: TrustAnchors; now: number },
  ) {
    this.#policy = policy;
    this.#shown = readShown(certificates, opensslError, parts);
    const { name, eku } = policy;
    this.verdict = judgeClient({ eku, revocationRequired: false, ...(name !== undefined && { name }) }, this.#shown);
  }

  /** Subject of what was shown; '' for nothing. */
  get subject(): string {
    return this.#shown?.certificate.subjectText ?? '';
  }

  /** The client is a partner: it met a demand by name. */
  get isPartner(): boolean {
    return this.#policy.name !== undefined && this.verdict.acceptable;
  }

  /** Whether the trusted certificate stands for a sender's domain. */
  standsFor(domain: string): boolean {
    const trusted = judgeClient({ eku: this.#policy.eku, revocationRequired: false }, this.#shown).acceptable;
    return trusted && this.#shown !== undefined && standsForDomain(this.#shown.certificate, domain);
  }
}

function readShown(
  certificates: readonly Buffer[],
  opensslError: string,
  { anchors, now }: { anchors: TrustAnchors; now: number },
): ClientCertificate | undefined {
  const [leaf] = certificates;
  if (leaf === undefined) return undefined;
  try {
    const chain = verifyChain({ shown: certificates, anchors, now });
    return { certificate: readCertificate(leaf), opensslError, chain };
  } catch (error) {
    // OpenSSL took what we cannot read: it stands for nobody.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Throws SmtpError where MAIL must not go on: before STARTTLS, or with a certificate that is not the one that the
 * connector, or the sender's domain, asks for. `domain`: of the sender; undefined for the null sender.
 */
export function requireClient(
  policy: ClientPolicy | undefined,
  session: { readonly secure: boolean; readonly client: ClientIdentity | undefined },
  domain: string | undefined,
): 'partner' | 'anyone' {
  if (policy === undefined) return 'anyone';
  const secureDomain = domain !== undefined && policy.secureDomains.has(domain.toLowerCase());
  if (policy.name === undefined && !secureDomain) return 'anyone';
  const demand = policy.name === undefined ? `TLSReceiveDomainSecureList: ${domain ?? ''}` : 'TlsSenderCertificateName';
  if (!session.secure || session.client === undefined)
    throw new SmtpError(replies.mustStartTls, `${demand} demands a certificate, and the session is not encrypted`);
  const { verdict } = session.client;
  if (!verdict.acceptable) throw refusal(demand, verdict.reason);
  if (secureDomain && !session.client.standsFor(domain)) {
    const reason = `expected a certificate for a host of ${domain}, ${session.client.subject} came`;
    throw refusal(demand, reason);
  }
  return 'partner';
}

/** RFC 5321 §4.5.3.1.5: a reply line has 512 octets, and the stranger chose the names in it. */
const longestReason = 400;

function refusal(demand: string, reason: string): SmtpError {
  const told = printable(reason, longestReason);
  return new SmtpError(replies.certificateValidationFailure(told), `${demand}: ${told}`);
}
