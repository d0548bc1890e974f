/** Limits of the whole organization, and which of them and the connector's is the narrower one. Pure. */
import type { TransportConfig } from '../../config/index.ts';
import type { SessionRights } from '../rights/session-rights.ts';
import type { OrganizationLimits } from './session-parts.ts';

/** Of Set-TransportConfig. */
export function organizationLimits(
  organization: Pick<TransportConfig, 'maxReceiveSize' | 'maxSendSize' | 'maxRecipientEnvelopeLimit'>,
): OrganizationLimits {
  return {
    receive: organization.maxReceiveSize,
    send: organization.maxSendSize,
    recipients: organization.maxRecipientEnvelopeLimit,
  };
}

/** The size that a message may have, in octets, and the parameter that says so. */
export interface SizeLimit {
  readonly octets: number;
  readonly parameter: string;
}

/**
 * The narrowest limit holds: that of the connector, or of the organization for messages from outside or, where who sends has
 * logged on, for those from inside. ms-Exch-Bypass-Message-Size-Limit lifts both.
 */
export function sizeLimit(
  { receive, send }: OrganizationLimits,
  { maxMessageSize }: Pick<SessionRights, 'maxMessageSize'>,
  authenticated: boolean,
): SizeLimit {
  const connector = { octets: maxMessageSize, parameter: 'MaxMessageSize' };
  if (maxMessageSize === Infinity) return connector;
  const organization = authenticated
    ? { octets: send, parameter: 'MaxSendSize of the organization' }
    : { octets: receive, parameter: 'MaxReceiveSize of the organization' };
  return organization.octets < connector.octets ? organization : connector;
}
