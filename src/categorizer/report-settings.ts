/** What the organization and the remote domain say about reports to a sender. Pure. */
import { domainToASCII } from 'node:url';
import { AcceptedDomainTable, type RemoteDomain, type Snapshot } from '../config/index.ts';
import type { ReportKind } from '../mail/index.ts';
import { fit } from './domain-match.ts';

export interface ReportSettings {
  /** Originals up to this size, in octets, are returned whole. */
  readonly attachable: number;
  /** DsnReportingAuthority; null: this server. */
  readonly authority: string | null;
  /** From of the report; null: the postmaster of the default domain. */
  readonly postmaster: string | null;
  readonly remote: RemoteDomain | undefined;
  /** The human part is HTML as well. */
  readonly html: boolean;
  /** Language where that of the sender is not found out. */
  readonly language: string;
  /** The sender's own language is looked for. */
  readonly detects: boolean;
}

/** There is one set for senders inside, which are those of accepted and of internal remote domains, and one for those outside. */
export function reportSettings(snapshot: Snapshot, domain: string): ReportSettings {
  const { organization } = snapshot;
  const remote = remoteDomainOf(snapshot, domain);
  if (isInside(snapshot, domain))
    return {
      attachable: organization.internalDsnMaxMessageAttachSize,
      authority: organization.internalDsnReportingAuthority,
      postmaster: null,
      remote,
      html: organization.internalDsnSendHtml,
      language: organization.internalDsnDefaultLanguage,
      detects: organization.internalDsnLanguageDetectionEnabled,
    };
  return {
    attachable: organization.externalDsnMaxMessageAttachSize,
    authority: organization.externalDsnReportingAuthority,
    postmaster: organization.externalPostmasterAddress,
    remote,
    html: organization.externalDsnSendHtml,
    language: organization.externalDsnDefaultLanguage,
    detects: organization.externalDsnLanguageDetectionEnabled,
  };
}

/** The most specific remote domain that stands for a domain (lower case, A-labels). */
export function remoteDomainOf(
  { remoteDomains }: Pick<Snapshot, 'remoteDomains'>,
  domain: string,
): RemoteDomain | undefined {
  return remoteDomains
    .map((one) => ({ one, fit: fit(one.domainName, domain) }))
    .filter((found) => found.fit > 0)
    .toSorted((a, b) => b.fit - a.fit)[0]?.one;
}

function isInside(snapshot: Snapshot, domain: string): boolean {
  const accepted = new AcceptedDomainTable(snapshot.acceptedDomains).find(domain) !== undefined;
  return accepted || remoteDomainOf(snapshot, domain)?.isInternal === true;
}

/** Why no report of this kind goes to a sender; undefined: it goes. */
export function turnedOff(snapshot: Snapshot, kind: ReportKind, sender: string): string | undefined {
  const domain = domainToASCII(sender.slice(sender.lastIndexOf('@') + 1)).toLowerCase();
  const inside = isInside(snapshot, domain);
  const remote = inside ? undefined : remoteDomainOf(snapshot, domain);
  const { internalDelayDsnEnabled, externalDelayDsnEnabled } = snapshot.organization;
  if (kind === 'delayed' && !(inside ? internalDelayDsnEnabled : externalDelayDsnEnabled))
    return `${inside ? 'Internal' : 'External'}DelayDsnEnabled of the organization is off`;
  if (remote === undefined) return undefined;
  if (kind === 'failed' && !remote.ndrEnabled) return `NDREnabled of the remote domain '${remote.name}' is off`;
  if ((kind === 'delivered' || kind === 'relayed') && !remote.deliveryReportEnabled)
    return `DeliveryReportEnabled of the remote domain '${remote.name}' is off`;
  return undefined;
}
