/**
 * What the configuration means: property tables of every object, their mapping to and from directory entries, the rules
 * between properties, permissions as access control entries, and the immutable snapshot that the mail path works with.
 * Pure but for SnapshotHolder. Leaves out: where entries come from (`directory/`) and the cmdlets (`cmdlets/`).
 */

export { type ConnectorConflict, connectorConflict } from './connectors/connector-conflict.ts';
export { type Credential, credentialPurpose } from './connectors/credential.ts';
export { openRelayRanges } from './connectors/open-relay.ts';
export { type ReceiveConnector, receiveConnector } from './connectors/receive-connector.ts';
export { type SendConnector, sendConnector } from './connectors/send-connector.ts';
export type { InternalServer, Snapshot, SnapshotSource } from './contract.ts';
export {
  InternalServers,
  internalServerCertificates,
  internalServerClass,
  internalServersPath,
} from './internal-server.ts';
export { type AcceptedDomain, acceptedDomain } from './organization/accepted-domain.ts';
export { AcceptedDomainTable, defaultDomain } from './organization/accepted-domain-table.ts';
export { type RecipientFilterConfig, recipientFilterConfig } from './organization/recipient-filter-config.ts';
export { type RemoteDomain, remoteDomain } from './organization/remote-domain.ts';
export { generatedLimits, type TransportConfig, transportConfig } from './organization/transport-config.ts';
export { attributesOf, decode, encode, tryDecode } from './properties/codec.ts';
export { ConfigError } from './properties/config-error.ts';
export { pathSyntax } from './properties/log-properties.ts';
export type { Binding } from './properties/network-syntaxes.ts';
export {
  brokenRules,
  defaultsOf,
  defaultValues,
  type ObjectTable,
  type TableShape,
} from './properties/object-table.ts';
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
} from './properties/property.ts';
export { parseSmartHost, readSmartHost } from './properties/smart-host.ts';
export { byteSize, oneOf, orUnlimited, timeSpan, yesNo } from './properties/syntaxes.ts';
export { parametersWithoutMeaning } from './properties/without-meaning.ts';
export {
  type Ace,
  ace,
  decidingEntry,
  describeAce,
  grantedRights,
  parseAcl,
  sameAce,
  writeAcl,
} from './rights/access-control.ts';
export { acesOfGroups, type PermissionGroup } from './rights/permission-groups.ts';
export { principalName, sidOf, wellKnownPrincipals, wellKnownSids } from './rights/principals.ts';
export { type Right, rightOfName, rights, withoutEffect } from './rights/rights.ts';
export { inheritedSendAcl, nextHopSid, sendRights } from './rights/send-rights.ts';
export { exchangeServer } from './servers/exchange-server.ts';
export { frontEndTransportService } from './servers/front-end-transport-service.ts';
export { mailboxTransportService } from './servers/mailbox-transport-service.ts';
export { transportService } from './servers/transport-service.ts';
export { type EntrySource, SnapshotBuilder, type SnapshotPlace } from './snapshot-builder.ts';
export { SnapshotHolder } from './snapshot-holder.ts';
export {
  testAcceptedDomain,
  testReceiveConnector,
  testSendConnector,
  testSnapshot,
  testSnapshotSource,
} from './test-snapshot.ts';
export { Quantity } from './values/quantity.ts';
export { StructuredValue } from './values/structured-value.ts';
