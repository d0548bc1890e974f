/** Where a receive connector relays for anyone: the most costly mistake that an administrator can make. */
import { extent, type IpRange, parseIpRange } from '../../base/index.ts';
import { grantedRights } from '../rights/access-control.ts';
import { wellKnownSids } from '../rights/principals.ts';
import type { ReceiveConnector } from './receive-connector.ts';

/** Addresses that do not come from the Internet: RFC 1918, RFC 6598, loopback, link-local, RFC 4193. */
const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::1',
  'fe80::/10',
  'fc00::/7',
].map(parseIpRange);

/**
 * Ranges of a connector whose clients may relay to any domain without logging on, and that are more than one private
 * address. Empty: the connector is no open relay.
 */
export function openRelayRanges(connector: Pick<ReceiveConnector, 'acl' | 'remoteIPRanges'>): readonly IpRange[] {
  const rights = grantedRights(connector.acl, [wellKnownSids.anonymous, wellKnownSids.everyone]);
  if (!rights.has('ms-Exch-SMTP-Submit') || !rights.has('ms-Exch-SMTP-Accept-Any-Recipient')) return [];
  return connector.remoteIPRanges.filter((range) => extent(range) > 1n || !isPrivate(range));
}

function isPrivate({ family, first, last }: IpRange): boolean {
  return privateRanges.some((known) => known.family === family && known.first <= first && last <= known.last);
}
