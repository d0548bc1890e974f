/** As whom a session may send: the reverse path and the From field are held to the same rights. Pure. */
import type { AcceptedDomainTable } from '../../config/index.ts';
import type { HeaderBlock } from '../../mail/index.ts';
import { AddressError, parseDomain } from '../../smtp/index.ts';
import type { RightCheck, SessionRights } from './session-rights.ts';

type SenderRights = Pick<SessionRights, 'authoritativeSender' | 'anySender'>;

/**
 * The right that a sender needs: its own one for addresses of authoritative domains, which strangers might forge,
 * Accept-Any-Sender for all others. None for the null sender.
 */
export function senderRight(
  from: { readonly domain: string } | null,
  domains: AcceptedDomainTable,
  rights: SenderRights,
): RightCheck | undefined {
  if (from === null) return undefined;
  return domains.find(from.domain)?.domainType === 'Authoritative' ? rights.authoritativeSender : rights.anySender;
}

/** Octets of a From field that are read, and domains that are looked at. */
const mostOctets = 16_384;
const mostDomains = 100;

/** Domains of the addresses in every From field (RFC 5322 §3.6.2): names, comments and quoted local parts are skipped. */
function fromDomains(header: HeaderBlock): readonly string[] {
  const text = header.all('from', mostOctets).join(',');
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, 'q').replace(/\([^()]*\)/g, ' ');
  const found = bare.matchAll(/@\s*(\[[^\]]*\]|[^\s<>(),;:@"\\]+)/g);
  return [...new Set([...found].slice(0, mostDomains).map(([, domain = '']) => spelled(domain)))];
}

/** As accepted domains are compared; what is no domain stays as it is, and belongs to nobody here. */
function spelled(domain: string): string {
  try {
    return parseDomain(domain).name;
  } catch (error) {
    if (error instanceof AddressError) return domain.toLowerCase();
    throw error;
  }
}

/** The right that the From field needs and the session lacks. */
export function missingFromRight(
  header: HeaderBlock,
  domains: AcceptedDomainTable,
  rights: SenderRights,
): RightCheck | undefined {
  if (rights.anySender.granted && rights.authoritativeSender.granted) return undefined;
  return fromDomains(header)
    .map((domain) => senderRight({ domain }, domains, rights))
    .find((needed) => needed?.granted === false);
}
