/** Rules between the properties of one send connector. */
import type { Rule } from '../properties/object-table.ts';

/** The properties of a send connector that the rules look at. */
interface RuledProperties {
  readonly requireTLS: boolean;
  readonly ignoreSTARTTLS: boolean;
  readonly tlsAuthLevel: string | null;
  readonly tlsDomain: unknown;
  readonly dnsRoutingEnabled: boolean;
  readonly smartHosts: readonly unknown[];
  readonly smartHostAuthMechanism: string;
  readonly authenticationCredential: unknown;
  readonly domainSecureEnabled: boolean;
  readonly addressSpaces: readonly { readonly type: string }[];
}

type Check = Rule<RuledProperties>;

const tlsOrNot: Check = {
  name: 'require-tls-excludes-ignore',
  fields: ['requireTLS', 'ignoreSTARTTLS'],
  check: ({ requireTLS, ignoreSTARTTLS }) =>
    requireTLS && ignoreSTARTTLS ? 'RequireTLS $true and IgnoreSTARTTLS $true exclude each other.' : undefined,
};

const level: Check = {
  name: 'tls-auth-level-needs-require-tls',
  fields: ['tlsAuthLevel', 'requireTLS', 'ignoreSTARTTLS'],
  check({ tlsAuthLevel, requireTLS, ignoreSTARTTLS }) {
    if (tlsAuthLevel === null) return undefined;
    if (ignoreSTARTTLS) return `TlsAuthLevel ${tlsAuthLevel} cannot be combined with IgnoreSTARTTLS $true.`;
    return requireTLS ? undefined : `TlsAuthLevel ${tlsAuthLevel} needs RequireTLS $true.`;
  },
};

const tlsDomain: Check = {
  name: 'tls-domain-with-domain-validation',
  fields: ['tlsDomain', 'tlsAuthLevel', 'dnsRoutingEnabled'],
  check({ tlsDomain: name, tlsAuthLevel, dnsRoutingEnabled }) {
    if (name !== null && tlsAuthLevel !== 'DomainValidation') return 'TlsDomain needs TlsAuthLevel DomainValidation.';
    return name === null && tlsAuthLevel === 'DomainValidation' && !dnsRoutingEnabled
      ? 'TlsAuthLevel DomainValidation with smart hosts needs TlsDomain: the name in their certificate.'
      : undefined;
  },
};

const routing: Check = {
  name: 'smart-hosts-or-dns',
  fields: ['smartHosts', 'dnsRoutingEnabled'],
  check({ smartHosts, dnsRoutingEnabled }) {
    if (dnsRoutingEnabled && smartHosts.length > 0) return 'SmartHosts need DNSRoutingEnabled $false.';
    return !dnsRoutingEnabled && smartHosts.length === 0
      ? 'DNSRoutingEnabled $false needs SmartHosts: the hosts that take the mail.'
      : undefined;
  },
};

const logon: Check = {
  name: 'smart-host-auth-needs-smart-hosts',
  fields: ['smartHostAuthMechanism', 'smartHosts', 'authenticationCredential'],
  check({ smartHostAuthMechanism: how, dnsRoutingEnabled, authenticationCredential }) {
    if (how === 'None') return undefined;
    if (dnsRoutingEnabled) return `SmartHostAuthMechanism ${how} needs SmartHosts and DNSRoutingEnabled $false.`;
    return how.startsWith('BasicAuth') && authenticationCredential === null
      ? `SmartHostAuthMechanism ${how} needs AuthenticationCredential.`
      : undefined;
  },
};

const domainSecure: Check = {
  name: 'domain-secure-needs-dns',
  fields: ['domainSecureEnabled', 'dnsRoutingEnabled', 'ignoreSTARTTLS'],
  check: ({ domainSecureEnabled, dnsRoutingEnabled, ignoreSTARTTLS }) =>
    domainSecureEnabled && (!dnsRoutingEnabled || ignoreSTARTTLS)
      ? 'DomainSecureEnabled $true needs DNSRoutingEnabled $true and IgnoreSTARTTLS $false.'
      : undefined,
};

const spaces: Check = {
  name: 'address-spaces',
  fields: ['addressSpaces'],
  check({ addressSpaces }) {
    if (addressSpaces.length === 0) {
      return 'AddressSpaces must name at least one domain, such as * or SMTP:example.com;1.';
    }
    // One of another type would be kept and never routed to.
    const foreign = addressSpaces.find(({ type }) => type !== 'SMTP');
    return foreign && `AddressSpaces of the type ${foreign.type} are not routed here: only SMTP ones can be set.`;
  },
};

/** Every rule, in the order in which it is checked. */
export const sendConnectorRules: readonly Check[] = [tlsOrNot, level, tlsDomain, routing, logon, domainSecure, spaces];
