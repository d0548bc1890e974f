/** What a connector makes of the certificate that a client shows: RFC 3207 §4.1, Exchange's domain security. */
import { printable } from '../../base/index.ts';
import type { ReceiveConnector } from '../../config/index.ts';
import { replies, SmtpError } from '../../smtp/index.ts';
import {
  type ClientCertificate,
  type ClientVerdict,
  judgeClient,
  parseSenderCertificateName,
  type RevocationVerdict,
  readCertificate,
  type SenderCertificateName,
  standsForDomain,
  type TrustAnchors,
  verifyChain,
} from '../../tls/index.ts';

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
  /** Domains whose hosts may bring cross-premises header fields (TlsDomainCapabilities), lower case. */
  readonly cloudDomains: readonly string[];
  readonly revocation: ReceiveConnector['tlsRevocation'];
  /** Thumbprints of the authorities that count; empty: all. */
  readonly authorities: readonly string[];
}

/** Of a connector and the organization's list. */
export function clientPolicyOf(
  connector: ReceiveConnector,
  secureDomains: readonly string[],
): ClientPolicy | undefined {
  const { tlsSenderCertificateName: name, domainSecureEnabled, authMechanism, tlsDomainCapabilities } = connector;
  const asks = domainSecureEnabled || tlsDomainCapabilities.length > 0 || connector.externalAuthEnabled;
  if (name === null && !asks) return undefined;
  if (!authMechanism.includes('Tls') && name === null) return undefined;
  return {
    ...(name !== null && { name: parseSenderCertificateName(name) }),
    secureDomains: new Set(domainSecureEnabled ? secureDomains.map((domain) => domain.toLowerCase()) : []),
    eku: connector.clientEku,
    cloudDomains: tlsDomainCapabilities.map((one) => one.replace(/:.*$/, '').toLowerCase()),
    revocation: connector.tlsRevocation,
    authorities: connector.tlsTrustedAuthorities,
  };
}

/** What a client showed, and the path from it to the anchor. */
interface Shown extends ClientCertificate {
  /** DER. */
  readonly leaf: Buffer;
  /** DER, leaf first; as far as it went for a chain that is not trusted. */
  readonly path: readonly Buffer[];
}

/** The client of one session, judged once, and once more when its issuers were asked. */
export class ClientIdentity {
  readonly #policy: ClientPolicy;
  readonly #shown: Shown | undefined;
  /** Of the demand that every client has to meet; of trust alone where there is none. */
  readonly verdict: ClientVerdict;

  private constructor(policy: ClientPolicy, shown: Shown | undefined) {
    this.#policy = policy;
    this.#shown = shown;
    const { name } = policy;
    this.verdict = judgeClient({ ...trustOf(policy), ...(name !== undefined && { name }) }, shown);
  }

  static of(policy: ClientPolicy, shown: ShownChain, parts: { anchors: TrustAnchors; now: number }): ClientIdentity {
    return new ClientIdentity(policy, readShown(shown, parts));
  }

  /** The path whose issuers are to be asked for revocation; undefined: nobody is asked, or the client is refused as it is. */
  get toAsk(): readonly Buffer[] | undefined {
    const shown = this.#shown;
    if (this.#policy.revocation === 'None' || shown?.chain.trusted !== true || !this.verdict.acceptable)
      return undefined;
    return shown.path;
  }

  /** The same client with the word of its issuers. */
  after(revocation: RevocationVerdict): ClientIdentity {
    return this.#shown === undefined ? this : new ClientIdentity(this.#policy, { ...this.#shown, revocation });
  }

  /** Subject of what was shown; '' for nothing. */
  get subject(): string {
    return this.#shown?.certificate.subjectText ?? '';
  }

  /** The certificate that was shown, in DER; undefined for none. */
  get leaf(): Buffer | undefined {
    return this.#shown?.leaf;
  }

  /** The client is a partner: it met a demand by name. */
  get isPartner(): boolean {
    return this.#policy.name !== undefined && this.verdict.acceptable;
  }

  /** AcceptCloudServicesMail: its cross-premises header fields count. */
  get acceptsCloudServices(): boolean {
    return this.#policy.cloudDomains.some((domain) => this.standsFor(domain));
  }

  /** Whether the trusted certificate stands for a sender's domain. */
  standsFor(domain: string): boolean {
    const trusted = judgeClient(trustOf(this.#policy), this.#shown).acceptable;
    return trusted && this.#shown !== undefined && standsForDomain(this.#shown.certificate, domain);
  }
}

function trustOf({ eku, revocation }: ClientPolicy): { eku: ClientPolicy['eku']; revocationRequired: boolean } {
  return { eku, revocationRequired: revocation === 'Require' };
}

function readShown(
  { certificates, opensslError }: ShownChain,
  { anchors, now }: { anchors: TrustAnchors; now: number },
): Shown | undefined {
  const [leaf] = certificates;
  if (leaf === undefined) return undefined;
  try {
    const chain = verifyChain({ shown: certificates, anchors, now });
    return { leaf, certificate: readCertificate(leaf), opensslError, chain, path: chain.path.map(({ raw }) => raw) };
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
