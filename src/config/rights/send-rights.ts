/**
 * What peers may get on a send connector: rights of the principal that a next hop is. Every send connector inherits what Exchange gives by
 * default; entries of its own come before that.
 */
import { type Ace, ace, grantedRights } from './access-control.ts';
import { wellKnownSids } from './principals.ts';
import type { Right } from './rights.ts';

const { anonymous, partner, hub, edge, externallySecured, legacy } = wellKnownSids;

const defaults: readonly (readonly [Right, readonly string[]])[] = [
  ['ms-Exch-Send-Headers-Routing', [anonymous, partner, hub, edge, externallySecured, legacy]],
  ['ms-Exch-Send-Headers-Organization', [hub, edge]],
  ['ms-Exch-Send-Headers-Forest', [hub, edge]],
  ['ms-Exch-SMTP-Send-XShadow', [hub, edge]],
  ['ms-Exch-SMTP-Send-Exch50', [hub, edge, externallySecured, legacy]],
];

/** The entries that every send connector inherits. */
export const inheritedSendAcl: readonly Ace[] = defaults.flatMap(([right, sids]) =>
  sids.map((sid) => ({ ...ace(sid, right), inherited: true })),
);

/** Who the next hop of a connector is. */
export function nextHopSid(connector: {
  readonly smartHostAuthMechanism: string;
  readonly domainSecureEnabled: boolean;
}): string {
  if (connector.smartHostAuthMechanism === 'ExchangeServer') return hub;
  if (connector.smartHostAuthMechanism === 'ExternalAuthoritative') return externallySecured;
  return connector.domainSecureEnabled ? partner : anonymous;
}

/** Rights of the next hop, each with the entry that decided. `acl`: the connector's own entries. */
export function sendRights(acl: readonly Ace[], sid: string): ReadonlyMap<Right, string> {
  return grantedRights([...acl, ...inheritedSendAcl], [sid]);
}
