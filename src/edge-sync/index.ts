/**
 * EdgeSync: joins an appliance to the organization. Inside, it reads the recipients of a directory (Active Directory, Samba AD,
 * OpenLDAP and any other LDAP server), plans what an edge is to change, and writes it over pinned LDAPS, addresses as hashes. On
 * the edge, it knows the subscription, its accounts and its lease, and answers whether an address is known. The perimeter never
 * holds a credential of the inside. Leaves out: cmdlets and commands, which only call this; the mail path, which asks one function.
 */
export { EdgeSideCmdlets, InsideCmdlets } from './administration.ts';
export { EdgeSide } from './edge/edge-side.ts';
export { RecipientWrites } from './edge/recipient-writes.ts';
export type { EdgePlan } from './inside/dry-run.ts';
export { EdgeSync } from './inside/edge-sync.ts';
export { InsideState, type Subscription, type SyncSettings, SyncStateError } from './inside/inside-state.ts';
export type { ServiceConfig } from './inside/service-config.ts';
export { SyncService } from './inside/sync-service.ts';
export { type EdgeResult, isNews } from './inside/synchronization.ts';
export { SubscriptionFileError } from './subscription-file.ts';
