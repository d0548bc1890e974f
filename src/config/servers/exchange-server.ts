/** The server as Get-ExchangeServer shows it: the same entry as the transport service's, other properties. */
import { adminDisplayNameRow, exchangeVersionRow, textList } from '../properties/fixed-properties.ts';
import { domainList, fqdn } from '../properties/network-syntaxes.ts';
import type { ObjectTable } from '../properties/object-table.ts';
import { property, type Syntax } from '../properties/property.ts';
import { integer, maybe, requiredText, text, yesNo } from '../properties/syntaxes.ts';

const later = { notImplementedYet: true } as const;
const shown = { readOnly: true } as const;

/** Roles by their bits in msExchCurrentServerRoles. */
const roleNames: readonly (readonly [bit: number, name: string])[] = [
  [2, 'Mailbox'],
  [4, 'ClientAccess'],
  [16, 'UnifiedMessaging'],
  [32, 'HubTransport'],
  [64, 'Edge'],
  [16_384, 'FrontendTransport'],
];

const roles: Syntax<number> = {
  ...integer(),
  type: 'ServerRole',
  show(value) {
    const names = roleNames.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
    return names.length === 0 ? 'None' : names.join(', ');
  },
};

const hasRole = (bit: number): Syntax<boolean> => ({
  ...yesNo,
  read: ([value = '0']) => (Number(value) & bit) !== 0,
  write: () => [],
});

const roleSwitch = (bit: number, name: string) =>
  property({
    attribute: 'msExchCurrentServerRoles',
    syntax: hasRole(bit),
    default: false,
    help: `The server has the ${name} role.`,
    ...shown,
  });

const properties = {
  customerFeedbackEnabled: property({
    attribute: 'msExchCustomerFeedbackEnabled',
    syntax: maybe,
    default: null,
    help: 'Sends usage figures; nothing does here.',
    ...later,
  }),
  dataPath: property({
    attribute: 'msExchDataPath',
    syntax: text('LocalLongFullPath'),
    default: null,
    help: 'Folder of the data.',
    ...shown,
  }),
  domain: property({
    attribute: 'networkAddress',
    syntax: {
      ...text('Fqdn'),
      read: (values) => fqdnOf(values).split('.').slice(1).join('.') || null,
      write: () => [],
    },
    default: null,
    help: 'Domain of the server.',
    ...shown,
  }),
  edition: property({
    attribute: 'msExchServerEdition',
    syntax: requiredText(),
    default: 'Standard',
    help: 'Edition.',
    ...shown,
  }),
  fqdn: property({
    attribute: 'networkAddress',
    syntax: { ...fqdn, read: (values) => fqdnOf(values) || null, write: () => [] },
    default: null,
    help: 'Full name of the server.',
    ...shown,
  }),
  isEdgeServer: roleSwitch(64, 'Edge Transport'),
  isHubTransportServer: roleSwitch(32, 'Hub Transport'),
  isMailboxServer: roleSwitch(2, 'Mailbox'),
  isClientAccessServer: roleSwitch(4, 'Client Access'),
  isFrontendTransportServer: roleSwitch(16_384, 'Front End Transport'),
  networkAddress: property({
    attribute: 'networkAddress',
    syntax: { ...textList, write: () => [] },
    default: [],
    help: 'Network addresses.',
    ...shown,
  }),
  serverRole: property({
    attribute: 'msExchCurrentServerRoles',
    syntax: roles,
    default: 64,
    help: 'Roles.',
    ...shown,
  }),
  site: property({ attribute: 'msExchServerSite', syntax: text('ADObjectId'), default: null, help: 'Site.', ...shown }),
  errorReportingEnabled: property({
    attribute: 'msExchErrorReportingEnabled',
    syntax: maybe,
    default: null,
    help: 'Sends error reports; nothing does here.',
    ...later,
  }),
  dataCollectionEnabled: property({
    attribute: 'msExchDataCollectionEnabled',
    syntax: yesNo,
    default: false,
    help: 'Sends diagnostic data; nothing does here.',
    ...later,
  }),
  internetWebProxy: property({
    attribute: 'msExchInternetWebProxy',
    syntax: text('Uri'),
    default: null,
    help: 'Web proxy for what the server fetches.',
    ...later,
  }),
  internetWebProxyBypassList: property({
    attribute: 'msExchInternetWebProxyBypassList',
    syntax: textList,
    default: [],
    help: 'Hosts that are reached without the proxy.',
    ...later,
  }),
  mitigationsEnabled: property({
    attribute: 'msExchMitigationsEnabled',
    syntax: yesNo,
    default: false,
    help: 'Emergency mitigations.',
    ...later,
  }),
  mitigationsApplied: property({
    attribute: 'msExchMitigationsApplied',
    syntax: textList,
    default: [],
    help: 'Mitigations in force.',
    ...later,
  }),
  mitigationsBlocked: property({
    attribute: 'msExchMitigationsBlocked',
    syntax: textList,
    default: [],
    help: 'Mitigations that are not to be applied.',
    ...later,
  }),
  monitoringGroup: property({
    attribute: 'msExchServerMonitoringGroup',
    syntax: text(),
    default: null,
    help: 'Monitoring group.',
    ...later,
  }),
  productKey: property({
    attribute: 'msExchProductKey',
    syntax: text('ProductKey'),
    default: null,
    hidden: true,
    help: 'Licence key; none is needed here.',
    ...later,
  }),
  ringLevel: property({
    attribute: 'msExchServerRingLevel',
    syntax: text(),
    default: null,
    help: 'Ring of the data collection.',
    ...later,
  }),
  staticConfigDomainController: property({
    attribute: 'msExchServerStaticConfigDomainController',
    syntax: fqdn,
    default: null,
    help: 'Domain controller that the configuration is read from.',
    ...later,
  }),
  staticDomainControllers: property({
    attribute: 'msExchServerStaticDomainControllers',
    syntax: domainList,
    default: [],
    help: 'Domain controllers to use.',
    ...later,
  }),
  staticExcludedDomainControllers: property({
    attribute: 'msExchServerStaticExcludedDomainControllers',
    syntax: domainList,
    default: [],
    help: 'Domain controllers not to use.',
    ...later,
  }),
  staticGlobalCatalogs: property({
    attribute: 'msExchServerStaticGlobalCatalogs',
    syntax: domainList,
    default: [],
    help: 'Global catalogues to use.',
    ...later,
  }),
  adminDisplayVersion: property({
    attribute: 'serialNumber',
    syntax: text('ServerVersion'),
    default: null,
    help: 'Version of the product.',
    ...shown,
  }),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow(),
};

function fqdnOf(values: readonly string[]): string {
  return values.find((value) => /^ncacn_ip_tcp:/i.test(value))?.slice('ncacn_ip_tcp:'.length) ?? '';
}

/** The one list of a server's properties. */
export const exchangeServer: ObjectTable<typeof properties> = {
  noun: 'ExchangeServer',
  title: 'Exchange server',
  objectClass: 'msExchExchangeServer',
  objectClasses: ['top', 'msExchExchangeServer'],
  scope: 'server',
  path: '',
  singleton: true,
  properties,
  rules: [],
};
