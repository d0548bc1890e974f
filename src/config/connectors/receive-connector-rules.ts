/** Rules between the properties of one receive connector (those between connectors stand in connector-conflict.ts). */
import type { Rule } from '../properties/object-table.ts';

/** The properties of a receive connector that the rules look at. */
interface RuledProperties {
  readonly authMechanism: readonly string[];
  readonly permissionGroups: readonly string[];
  readonly requireTLS: boolean;
  readonly domainSecureEnabled: boolean;
  readonly binaryMimeEnabled: boolean;
  readonly chunkingEnabled: boolean;
  /** Seconds. */
  readonly connectionInactivityTimeout: number;
  readonly connectionTimeout: number;
  readonly bindings: readonly unknown[];
  readonly remoteIPRanges: readonly unknown[];
}

type Check = Rule<RuledProperties>;

const bothTls: Check = {
  name: 'basic-auth-require-tls',
  fields: ['authMechanism'],
  check: ({ authMechanism: offered }) =>
    offered.includes('BasicAuthRequireTLS') && !(offered.includes('BasicAuth') && offered.includes('Tls'))
      ? 'AuthMechanism BasicAuthRequireTLS needs BasicAuth and Tls as well: use -AuthMechanism Tls,BasicAuth,BasicAuthRequireTLS.'
      : undefined,
};

const externalAlone: Check = {
  name: 'external-authoritative-alone',
  fields: ['authMechanism'],
  check: ({ authMechanism: offered }) =>
    offered.includes('ExternalAuthoritative') && offered.some((one) => one !== 'ExternalAuthoritative' && one !== 'Tls')
      ? 'AuthMechanism ExternalAuthoritative can only be combined with Tls: use -AuthMechanism Tls,ExternalAuthoritative.'
      : undefined,
};

const externalGroups: Check = {
  name: 'external-authoritative-needs-exchange-servers',
  fields: ['authMechanism', 'permissionGroups'],
  check: ({ authMechanism, permissionGroups }) =>
    authMechanism.includes('ExternalAuthoritative') && !permissionGroups.includes('ExchangeServers')
      ? 'AuthMechanism ExternalAuthoritative needs PermissionGroups ExchangeServers.'
      : undefined,
};

const requireTls: Check = {
  name: 'require-tls-needs-tls',
  fields: ['requireTLS', 'authMechanism'],
  check: ({ requireTLS, authMechanism }) =>
    requireTLS && !authMechanism.includes('Tls') ? 'RequireTLS $true needs Tls among AuthMechanism.' : undefined,
};

const domainSecure: Check = {
  name: 'domain-secure-needs-tls',
  fields: ['domainSecureEnabled', 'authMechanism'],
  check: ({ domainSecureEnabled, authMechanism: offered }) =>
    domainSecureEnabled && (!offered.includes('Tls') || offered.includes('ExternalAuthoritative'))
      ? 'DomainSecureEnabled $true needs Tls among AuthMechanism, and no ExternalAuthoritative.'
      : undefined,
};

const binaryMime: Check = {
  name: 'binary-mime-needs-chunking',
  fields: ['binaryMimeEnabled', 'chunkingEnabled'],
  check: ({ binaryMimeEnabled, chunkingEnabled }) =>
    binaryMimeEnabled && !chunkingEnabled
      ? 'BinaryMimeEnabled $true needs ChunkingEnabled $true: switch both off or both on.'
      : undefined,
};

const timeouts: Check = {
  name: 'inactivity-below-connection-timeout',
  fields: ['connectionInactivityTimeout', 'connectionTimeout'],
  check: ({ connectionInactivityTimeout, connectionTimeout }) =>
    connectionInactivityTimeout >= connectionTimeout
      ? `ConnectionInactivityTimeout (${connectionInactivityTimeout} s) must be less than ConnectionTimeout (${connectionTimeout} s).`
      : undefined,
};

const endpoints: Check = {
  name: 'bindings-and-ranges',
  fields: ['bindings', 'remoteIPRanges'],
  check({ bindings, remoteIPRanges }) {
    if (bindings.length === 0) return 'Bindings must name at least one endpoint, such as 0.0.0.0:25.';
    if (remoteIPRanges.length === 0)
      return 'RemoteIPRanges must name at least one range, such as 0.0.0.0-255.255.255.255.';
    return undefined;
  },
};

/** Every rule, in the order in which it is checked. */
export const receiveConnectorRules: readonly Check[] = [
  bothTls,
  externalAlone,
  externalGroups,
  requireTls,
  domainSecure,
  binaryMime,
  timeouts,
  endpoints,
];
