/** PermissionGroups of a receive connector: no attribute of its own, but computed from the access control entries. */

import type { Syntax } from '../properties/property.ts';
import { flags } from '../properties/syntaxes.ts';
import { type Ace, ace, parseAcl, sameAce, writeAcl } from './access-control.ts';
import { wellKnownSids as sids } from './principals.ts';
import type { Right } from './rights.ts';

/** A set of rights for a kind of client. `Custom` only tells that entries deviate from the sets. */
export type PermissionGroup =
  | 'AnonymousUsers'
  | 'ExchangeUsers'
  | 'ExchangeServers'
  | 'ExchangeLegacyServers'
  | 'Partners'
  | 'Custom';

const externallySecured: readonly Right[] = [
  'ms-Exch-SMTP-Submit',
  'ms-Exch-SMTP-Accept-Any-Recipient',
  'ms-Exch-SMTP-Accept-Any-Sender',
  'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender',
  'ms-Exch-SMTP-Accept-Authentication-Flag',
  'ms-Exch-SMTP-Accept-Exch50',
  'ms-Exch-Accept-Headers-Routing',
  'ms-Exch-Bypass-Anti-Spam',
  'ms-Exch-Bypass-Message-Size-Limit',
];

const hub: readonly Right[] = [
  ...externallySecured,
  'ms-Exch-Accept-Headers-Organization',
  'ms-Exch-Accept-Headers-Forest',
  'ms-Exch-SMTP-Accept-XAttr',
  'ms-Exch-SMTP-Accept-XProxyFrom',
  'ms-Exch-SMTP-Accept-XSessionParams',
  'ms-Exch-SMTP-Accept-XSysProbe',
  'ms-Exch-SMTP-Accept-XMessageContext-ADRecipientCache',
  'ms-Exch-SMTP-Accept-XMessageContext-ExtendedProperties',
  'ms-Exch-SMTP-Accept-XMessageContext-FastIndex',
];

const allow = (sid: string, rights: readonly Right[]): readonly Ace[] => rights.map((right) => ace(sid, right));
const deny = (sid: string, rights: readonly Right[]): readonly Ace[] => rights.map((right) => ace(sid, right, true));

/** The entries that each group stands for. */
const groupAces: Readonly<Record<Exclude<PermissionGroup, 'Custom'>, readonly Ace[]>> = {
  AnonymousUsers: allow(sids.anonymous, [
    'ms-Exch-SMTP-Submit',
    'ms-Exch-SMTP-Accept-Any-Sender',
    'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender',
    'ms-Exch-Accept-Headers-Routing',
  ]),
  ExchangeUsers: allow(sids.authenticatedUsers, [
    'ms-Exch-SMTP-Submit',
    'ms-Exch-SMTP-Accept-Any-Recipient',
    'ms-Exch-Accept-Headers-Routing',
    'ms-Exch-Bypass-Anti-Spam',
  ]),
  ExchangeServers: [
    ...allow(sids.hub, hub),
    ...allow(sids.edge, [...hub, 'ms-Exch-SMTP-Accept-XShadow']),
    ...allow(sids.externallySecured, externallySecured),
  ],
  ExchangeLegacyServers: [
    ...deny(sids.legacy, ['ms-Exch-Accept-Headers-Organization', 'ms-Exch-Accept-Headers-Forest']),
    ...allow(sids.legacy, externallySecured),
  ],
  Partners: allow(sids.partner, ['ms-Exch-SMTP-Submit', 'ms-Exch-Accept-Headers-Routing']),
};

const names = Object.keys(groupAces) as readonly Exclude<PermissionGroup, 'Custom'>[];

/** Access control entries that groups stand for; `Custom` adds none. */
export function acesOfGroups(groups: readonly PermissionGroup[]): readonly Ace[] {
  return names.filter((name) => groups.includes(name)).flatMap((name) => groupAces[name]);
}

/** Groups whose entries are all there; `Custom` as well when entries are left over. */
function groupsOfAcl(acl: readonly Ace[]): readonly PermissionGroup[] {
  const found = names.filter((name) => groupAces[name].every((wanted) => acl.some((one) => sameAce(one, wanted))));
  const explained = acesOfGroups(found);
  const deviates = acl.some((one) => !one.inherited && !explained.some((wanted) => sameAce(one, wanted)));
  return deviates ? [...found, 'Custom'] : found;
}

const groupFlags = flags<PermissionGroup>({
  AnonymousUsers: 1,
  ExchangeUsers: 2,
  ExchangeServers: 4,
  ExchangeLegacyServers: 8,
  Partners: 16,
  Custom: 32,
});

/**
 * Reads and writes groups as entries. Setting groups removes every entry that belongs to a group not named and keeps
 * those that belong to none (a right given by Add-ADPermission), as `Custom` then still says.
 */
export const permissionGroups: Syntax<readonly PermissionGroup[]> = {
  ...groupFlags,
  type: 'PermissionGroups',
  read: (values) => groupsOfAcl(values.flatMap(parseAcl)),
  write: (groups) => [writeAcl(acesOfGroups(groups))],
  merge(groups, [current = 'D:']) {
    // Also what is left of a group that was taken away in part: whoever drops AnonymousUsers wants anonymous out.
    const known = acesOfGroups(names);
    const deviating = parseAcl(current).filter((one) => !known.some((other) => sameAce(one, other)));
    return [writeAcl([...acesOfGroups(groups), ...deviating], current)];
  },
};
