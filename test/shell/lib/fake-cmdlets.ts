import {
  type BoundParameters,
  type Cmdlet,
  type CmdletCatalogue,
  type CmdletContext,
  CmdletError,
  CmdletObject,
  type Parameter,
} from '../../../src/cmdlets/index.ts';
import { Quantity } from '../../../src/config/index.ts';

/** A few cmdlets with the forms of the product's: enough for the language to be tested without a directory. */

type Values = Map<string, unknown>;

const name = (value: unknown): string => String(value).replace(/^EDGE1\\/i, '');

function connector(values: Values): CmdletObject {
  return new CmdletObject('ReceiveConnector', [...values]);
}

function newConnector(own: string, more: readonly (readonly [string, unknown])[] = []): Values {
  return new Map<string, unknown>([
    ['AuthMechanism', 'Tls'],
    ['Banner', null],
    ['Bindings', ['0.0.0.0:25']],
    ['Fqdn', 'edge1.contoso.com'],
    ['Comment', null],
    ['Enabled', true],
    ['ConnectionTimeout', Quantity.seconds(600)],
    ['MaxInboundConnection', Quantity.count(5000)],
    ['MaxInboundConnectionPerSource', Quantity.count(Infinity)],
    ['MaxMessageSize', Quantity.bytes(36 * 1024 ** 2)],
    ['MaxRecipientsPerMessage', 200],
    ['PermissionGroups', 'AnonymousUsers, Partners'],
    ['ProtocolLoggingLevel', 'None'],
    ['RemoteIPRanges', ['0.0.0.0-255.255.255.255']],
    ['Server', 'EDGE1'],
    ['Name', own],
    ['Identity', `EDGE1\\${own}`],
    ['WhenChanged', new Date(2026, 1, 28, 17, 5, 9)],
    ...more,
  ]);
}

const size = (value: unknown): string | undefined =>
  /^\d+(?:\.\d+)?\s*(?:B|KB|MB|GB)?(?: \(.*\))?$/i.test(String(value))
    ? undefined
    : `'${String(value)}' is not a size such as 36MB`;
const yesNo = (value: unknown): string | undefined =>
  typeof value === 'boolean' ? undefined : `'${String(value)}' is neither $true nor $false`;

const settable: readonly Parameter[] = [
  {
    name: 'AuthMechanism',
    type: 'AuthMechanisms',
    allowed: ['None', 'Tls', 'Integrated', 'BasicAuth'],
    check: oneOf('None', 'Tls', 'Integrated', 'BasicAuth'),
  },
  { name: 'Banner', type: 'String' },
  { name: 'Bindings', type: 'MultiValuedProperty', multivalued: true },
  { name: 'Comment', type: 'String' },
  { name: 'ConnectionTimeout', type: 'EnhancedTimeSpan' },
  { name: 'Enabled', type: 'Boolean', check: yesNo },
  { name: 'MaxInboundConnection', type: 'Unlimited' },
  { name: 'MaxMessageSize', type: 'ByteQuantifiedSize', check: size, help: 'Largest message accepted.' },
  { name: 'MaxRecipientsPerMessage', type: 'Int32' },
  {
    name: 'PermissionGroups',
    type: 'PermissionGroups',
    multivalued: true,
    allowed: ['None', 'AnonymousUsers', 'ExchangeUsers', 'Partners'],
  },
  {
    name: 'ProtocolLoggingLevel',
    type: 'ProtocolLoggingLevel',
    allowed: ['None', 'Verbose'],
    check: oneOf('None', 'Verbose'),
  },
  { name: 'RemoteIPRanges', type: 'MultiValuedProperty', multivalued: true },
  { name: 'TarpitInterval', type: 'EnhancedTimeSpan', notImplementedYet: true },
];

const identity: Parameter = {
  name: 'Identity',
  type: 'ReceiveConnectorIdParameter',
  position: 1,
  pipeline: true,
  identityOf: 'ReceiveConnector',
  help: 'The connector: its name, or SERVER\\name.',
};

function oneOf(...allowed: readonly string[]) {
  return (value: unknown): string | undefined => {
    const unknown = String(value)
      .split(/,\s*/)
      .find((text) => !allowed.some((one) => one.toLowerCase() === text.toLowerCase()));
    return unknown === undefined
      ? undefined
      : `Unable to match the identifier name ${unknown} to a valid enumerator name. Specify one of the following enumerator names and try again: ${allowed.join(', ')}`;
  };
}

const shown = (value: unknown): unknown => {
  const text = String(value);
  return /^\d+MB$/i.test(text) ? Quantity.bytes(Number.parseInt(text, 10) * 1024 ** 2) : value;
};

function idOf(value: unknown): string {
  return name(
    typeof value === 'object' && value !== null && 'get' in value ? (value as CmdletObject).get('Identity') : value,
  );
}

/** The fake world: three connectors, four queues. */
export class FakeCmdlets implements CmdletCatalogue {
  readonly #connectors = new Map<string, Values>(
    [
      newConnector('Default internal receive connector EDGE1'),
      newConnector('Relay', [
        ['Bindings', ['10.0.0.1:2525', '[::1]:2525']],
        ['RemoteIPRanges', ['10.0.0.5', '10.0.1.0/24', '10.0.2.0-10.0.2.9']],
        ['MaxMessageSize', Quantity.bytes(10 * 1024 ** 2)],
      ]),
      newConnector('Partners', [
        ['Enabled', false],
        ['Comment', 'for fabrikam.com only'],
        ['ProtocolLoggingLevel', 'Verbose'],
      ]),
    ].map((values) => [String(values.get('Name')).toLowerCase(), values]),
  );

  readonly all: readonly Cmdlet[] = [
    this.#cmdlet('Get-ReceiveConnector', [identity, { name: 'Server', type: 'ServerIdParameter' }], this.#get),
    this.#cmdlet(
      'Set-ReceiveConnector',
      [{ ...identity, mandatory: true }, { name: 'Name', type: 'String' }, ...settable],
      this.#set,
      true,
    ),
    this.#cmdlet(
      'New-ReceiveConnector',
      [
        { name: 'Name', type: 'String', position: 1, mandatory: true },
        ...settable.map((one) => (/^(?:Bindings|RemoteIPRanges)$/.test(one.name) ? { ...one, mandatory: true } : one)),
      ],
      this.#new,
      true,
    ),
    this.#cmdlet('Remove-ReceiveConnector', [{ ...identity, mandatory: true }], this.#remove, true),
    this.#cmdlet(
      'Get-Queue',
      [
        { name: 'Identity', type: 'QueueIdentity', position: 1, pipeline: true },
        { name: 'Filter', type: 'String' },
      ],
      this.#queues,
    ),
    this.#cmdlet(
      'Suspend-Queue',
      [{ name: 'Identity', type: 'QueueIdentity', position: 1, pipeline: true, mandatory: true }],
      this.#suspend,
      true,
    ),
    { ...this.#cmdlet('Get-SenderIdConfig', [], this.#queues), notImplementedYet: true },
    this.#cmdlet('Get-TransportService', [{ ...identity, identityOf: 'TransportService' }], this.#crash),
  ];

  find(wanted: string): Cmdlet | undefined {
    return this.all.find((cmdlet) => cmdlet.name.toLowerCase() === wanted.toLowerCase());
  }

  readonly views = new Map<string, never>();

  #cmdlet(
    own: string,
    parameters: readonly Parameter[],
    run: (this: FakeCmdlets, context: CmdletContext, bound: BoundParameters) => AsyncIterable<CmdletObject>,
    changes = false,
  ): Cmdlet {
    return {
      name: own,
      synopsis: `${own.replace('-', 's a ')} of the tests.`,
      parameters,
      supportsShouldProcess: changes,
      examples: own === 'Get-Queue' ? [{ line: 'Get-Queue', says: 'Lists all queues.' }] : [],
      run: (context, bound) => run.call(this, context, bound),
    };
  }

  #find(id: unknown): Values {
    const found = this.#connectors.get(idOf(id).toLowerCase());
    if (found !== undefined) return found;
    throw new CmdletError(
      'ManagementObjectNotFoundException',
      'ObjectNotFound',
      `The operation couldn't be performed because object '${idOf(id)}' couldn't be found on 'EDGE1'.`,
      { target: idOf(id) },
    );
  }

  async *#get(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
    context.verbose('Reading connectors.');
    const id = bound.get('Identity');
    if (id !== undefined && !/[*?]/.test(idOf(id))) {
      yield connector(this.#find(id));
      return;
    }
    const pattern = new RegExp(`^${idOf(id ?? '*').replaceAll('*', '.*')}$`, 'i');
    for (const values of this.#connectors.values())
      if (pattern.test(String(values.get('Name')))) yield connector(values);
  }

  async *#set(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
    const values = this.#find(bound.get('Identity'));
    if (
      !(await context.shouldProcess({
        action: 'Setting Receive connector',
        target: String(values.get('Identity')),
        impact: 'Medium',
      }))
    )
      return;
    if (bound.size === 1)
      context.warning(
        `The command completed successfully but no settings of '${String(values.get('Identity'))}' have been modified.`,
      );
    for (const [key, value] of bound) if (key !== 'Identity') values.set(key, change(values.get(key), value));
    context.changed({ object: String(values.get('Identity')), dn: '', properties: [] });
    yield* [];
  }

  async *#new(_: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
    const own = String(bound.get('Name'));
    if (this.#connectors.has(own.toLowerCase())) {
      throw new CmdletError(
        'ADObjectAlreadyExistsException',
        'ResourceExists',
        `Active Directory operation failed. The object '${own}' already exists.`,
        { target: own },
      );
    }
    const values = newConnector(
      own,
      [...bound].map(
        ([key, value]) => [key, shown(['Bindings', 'RemoteIPRanges'].includes(key) ? [value].flat() : value)] as const,
      ),
    );
    this.#connectors.set(own.toLowerCase(), values);
    yield connector(values);
  }

  async *#remove(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
    const values = this.#find(bound.get('Identity'));
    const target = String(values.get('Identity'));
    if (await context.shouldProcess({ action: 'Removing Receive connector', target, impact: 'High' }))
      this.#connectors.delete(idOf(target).toLowerCase());
    yield* [];
  }

  readonly #queueStatus = new Map([
    ['EDGE1\\3', 'Ready'],
    ['EDGE1\\4', 'Retry'],
    ['EDGE1\\5', 'Retry'],
    ['EDGE1\\Submission', 'Ready'],
  ]);

  async *#queues(_: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
    const id = bound.get('Identity');
    for (const [i, [own, status]] of [...this.#queueStatus].entries()) {
      if (id !== undefined && idOf(id) !== name(own)) continue;
      yield new CmdletObject('ExtensibleQueueInfo', [
        ['Identity', own],
        ['DeliveryType', own.endsWith('Submission') ? 'Undefined' : 'DnsConnectorDelivery'],
        ['NextHopDomain', ['contoso.com', 'fabrikam.com', 'tailspintoys.example', 'Submission'][i]],
        ['Status', status],
        ['MessageCount', [0, 12, 105, 3][i]],
        ['LastError', status === 'Retry' ? '451 4.4.0 DNS query failed' : null],
        ['NextRetryTime', status === 'Retry' ? new Date(2026, 1, 28, 17, 5 + i, 0) : null],
        ['Velocity', 0],
        ['RiskLevel', 'Normal'],
        ['OutboundIPPool', 0],
      ]);
    }
  }

  async *#suspend(context: CmdletContext, bound: BoundParameters): AsyncGenerator<CmdletObject> {
    const own = `EDGE1\\${idOf(bound.get('Identity'))}`;
    if (!this.#queueStatus.has(own))
      throw new CmdletError('QueueNotFoundException', 'ObjectNotFound', `No queue '${own}' exists.`, { target: own });
    if (await context.shouldProcess({ action: 'Suspending queue', target: own, impact: 'Medium' }))
      this.#queueStatus.set(own, 'Suspended');
    yield* [];
  }

  async *#crash(): AsyncGenerator<CmdletObject> {
    yield* [];
    throw new TypeError('a bug of the tests');
  }
}

/** A new value, or @{Add=…; Remove=…} on the old one. */
function change(before: unknown, value: unknown): unknown {
  if (
    value === null ||
    typeof value !== 'object' ||
    !('keys' in value) ||
    typeof value.keys !== 'function' ||
    Array.isArray(value)
  ) {
    return Array.isArray(before) ? [value].flat() : shown(value);
  }
  const table = value as unknown as { get(key: string): unknown };
  const list = (key: string): unknown[] => [table.get(key) ?? []].flat();
  const removed = new Set(list('Remove'));
  return [...[before].flat().filter((one) => !removed.has(one)), ...list('Add')];
}
