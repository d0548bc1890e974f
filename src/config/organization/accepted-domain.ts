/** Accepted domains: what this organization takes mail for. */
import { adminDisplayNameRow, constantRow, exchangeVersionRow } from '../properties/fixed-properties.ts';
import { domainPattern } from '../properties/network-syntaxes.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { property } from '../properties/property.ts';
import { oneOf, yesNo } from '../properties/syntaxes.ts';

/** Bits of msExchAcceptedDomainFlags; ours. The two lowest are the type: 0 Authoritative, 1 ExternalRelay, 2 InternalRelay. */
const domainFlags = 'msExchAcceptedDomainFlags';

const fixed = (bit: number, help: string) =>
  property({ attribute: domainFlags, bit, syntax: yesNo, default: false, readOnly: true, help });

const properties = {
  domainName: property({
    attribute: 'msExchAcceptedDomainName',
    syntax: domainPattern,
    default: '*',
    help: 'Domain: example.com, *.example.com (with example.com itself), or * for all.',
  }),
  catchAllRecipientID: constantRow('ADObjectId', null),
  domainType: property({
    attribute: domainFlags,
    bit: [0, 1],
    syntax: {
      ...oneOf(['Authoritative', 'InternalRelay', 'ExternalRelay'], {
        Authoritative: 0,
        InternalRelay: 2,
        ExternalRelay: 1,
      }),
      type: 'AcceptedDomainType',
    },
    default: 'Authoritative',
    help: 'Authoritative: all recipients are here. InternalRelay: some are, the rest is passed inwards. ExternalRelay: passed on.',
  }),
  matchSubDomains: property({
    attribute: domainFlags,
    bit: 3,
    syntax: yesNo,
    default: false,
    help: 'Takes mail for all domains below it too.',
  }),
  addressBookEnabled: property({
    attribute: domainFlags,
    bit: 4,
    syntax: { ...yesNo, toBits: (value) => (value ? 0 : 1), fromBits: (bits) => bits === 0 },
    default: true,
    help: 'Recipients of this domain are validated (Set-RecipientFilterConfig); off for a domain that is shared with another system.',
  }),
  default: property({
    attribute: domainFlags,
    bit: 2,
    syntax: yesNo,
    default: false,
    readOnly: true,
    help: 'The default domain of the organization: set with MakeDefault.',
  }),
  emailOnly: fixed(5, 'Reserved by Exchange.'),
  externallyManaged: fixed(6, 'Reserved by Exchange.'),
  authenticationType: constantRow('AuthenticationType', null),
  liveIdInstanceType: constantRow('LiveIdInstanceType', null),
  pendingRemoval: fixed(7, 'Reserved by Exchange.'),
  pendingCompletion: fixed(8, 'Reserved by Exchange.'),
  federatedOrganizationLink: constantRow('ADObjectId', null),
  mailFlowPartner: constantRow('ADObjectId', null),
  outboundOnly: fixed(9, 'Exchange Online only.'),
  pendingFederatedAccountNamespace: constantRow('Boolean', false),
  pendingFederatedDomain: constantRow('Boolean', false),
  isCoexistenceDomain: constantRow('Boolean', false),
  perimeterDuplicateDetected: constantRow('Boolean', false),
  isDefaultFederatedDomain: constantRow('Boolean', false),
  enableNego2Authentication: constantRow('Boolean', false),
  initialDomain: fixed(10, 'Exchange Online only.'),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow('0.20 (15.0.0.0)'),
};

/** The one list of an accepted domain's properties. */
export const acceptedDomain: ObjectTable<typeof properties> = {
  noun: 'AcceptedDomain',
  title: 'Accepted domain',
  objectClass: 'msExchAcceptedDomain',
  objectClasses: ['top', 'msExchAcceptedDomain'],
  scope: 'organization',
  path: 'CN=Accepted Domains,CN=Transport Settings',
  properties,
  rules: [
    {
      name: 'star-is-not-authoritative',
      fields: ['domainType', 'domainName'],
      check: ({ domainName, domainType }) =>
        domainName === '*' && domainType === 'Authoritative'
          ? 'The domain * stands for all domains and cannot be Authoritative; use InternalRelay or ExternalRelay.'
          : undefined,
    },
  ],
};

/** An accepted domain as recipient check and routing see it. */
export type AcceptedDomain = ObjectOf<typeof acceptedDomain>;
