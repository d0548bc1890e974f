/**
 * What the configuration means: property tables of every object, their mapping to and from directory entries, the rules
 * between properties, permissions as access control entries, and the immutable snapshot that the mail path works with.
 * Pure but for SnapshotHolder. Leaves out: where entries come from (`directory/`) and the cmdlets (`cmdlets/`).
 */

export { type AcceptedDomain, acceptedDomain } from './accepted-domain.ts';
export { AcceptedDomainTable, defaultDomain } from './accepted-domain-table.ts';
export {
  type Ace,
  ace,
  decidingEntry,
  describeAce,
  grantedRights,
  parseAcl,
  sameAce,
  writeAcl,
} from './access-control.ts';
export { attributesOf, decode, encode, tryDecode } from './codec.ts';
export { ConfigError } from './config-error.ts';
export { type ConnectorConflict, connectorConflict } from './connector-conflict.ts';
export type { InternalServer, Snapshot, SnapshotSource } from './contract.ts';
export { type Credential, credentialPurpose } from './credential.ts';
export { exchangeServer } from './exchange-server.ts';
export { frontEndTransportService } from './front-end-transport-service.ts';
export { InternalServers, internalServerClass, internalServersPath } from './internal-server.ts';
export { pathSyntax } from './log-properties.ts';
export { mailboxTransportService } from './mailbox-transport-service.ts';
export type { Binding } from './network-syntaxes.ts';
export {
  brokenRules,
  defaultsOf,
  defaultValues,
  type ObjectTable,
  type TableShape,
} from './object-table.ts';
export { openRelayRanges } from './open-relay.ts';
export { acesOfGroups, type PermissionGroup } from './permission-groups.ts';
export { principalName, sidOf, wellKnownPrincipals, wellKnownSids } from './principals.ts';
export {
  type AnyProperty,
  defaultOf,
  isBuilt,
  type ObjectIdentity,
  type Properties,
  propertyName,
  type ServerRole,
  type Shown,
  type ValuesOf,
} from './property.ts';
export { type ReceiveConnector, receiveConnector } from './receive-connector.ts';
export { type RecipientFilterConfig, recipientFilterConfig } from './recipient-filter-config.ts';
export { type RemoteDomain, remoteDomain } from './remote-domain.ts';
export { type Right, rightOfName, rights, withoutEffect } from './rights.ts';
export { type SendConnector, sendConnector } from './send-connector.ts';
export { inheritedSendAcl, nextHopSid, sendRights } from './send-rights.ts';
export { parseSmartHost, readSmartHost } from './smart-host.ts';
export { type EntrySource, SnapshotBuilder, type SnapshotPlace } from './snapshot-builder.ts';
export { SnapshotHolder } from './snapshot-holder.ts';
export { byteSize, oneOf, orUnlimited, timeSpan, yesNo } from './syntaxes.ts';
export {
  testAcceptedDomain,
  testReceiveConnector,
  testSendConnector,
  testSnapshot,
  testSnapshotSource,
} from './test-snapshot.ts';
export { generatedLimits, type TransportConfig, transportConfig } from './transport-config.ts';
export { transportService } from './transport-service.ts';
export { Quantity } from './values/quantity.ts';
export { StructuredValue } from './values/structured-value.ts';
export { parametersWithoutMeaning } from './without-meaning.ts';
