/** Queues and messages as the shell gets them, and how lines choose among them. */
import { nearestNameHint, wildcardTest } from '../base/index.ts';
import { Quantity, StructuredValue } from '../config/index.ts';
import { notImplemented } from './changes.ts';
import { parseOpath } from './opath.ts';
import { badArgument, identityOf, isObject, plainText, resultSizeOf, textOf, textsOf } from './parameter-values.ts';
import { type BoundParameters, type CmdletContext, CmdletError, CmdletObject } from './runtime.ts';
import type { MessageInfo, QueueInfo, TransportAdministration } from './transport-administration.ts';

/** The running service. Throws CmdletError when it does not run. */
export function runningTransport({ transport }: CmdletContext): TransportAdministration {
  if (transport !== undefined) return transport;
  const text =
    'The transport service is not running on this server, so there are no queues to reach. Start it with: edge start.';
  throw new CmdletError('TransportServiceNotRunning', 'ResourceUnavailable', text);
}

/** Microsoft.Exchange.Data.QueueViewer.QueueIdentity: `SERVER\\3`, `SERVER\\Submission`. */
function queueIdentity(text: string, nextHopDomain = ''): StructuredValue {
  const [server = '', number = ''] = text.split('\\');
  const isNumbered = /^\d+$/.test(number);
  return new StructuredValue('QueueIdentity', text, [
    ['Server', server],
    ['Type', isNumbered ? 'Delivery' : number],
    ['RowId', isNumbered ? Number(number) : 0],
    ['NextHopDomain', nextHopDomain],
    ['IsLocal', true],
    ['IsFullySpecified', true],
    ['IsEmpty', false],
  ]);
}

/** Microsoft.Exchange.Data.QueueViewer.MessageIdentity: `SERVER\\3\\12345`. */
function messageIdentity(text: string, queue: string): StructuredValue {
  return new StructuredValue('MessageIdentity', text, [
    ['InternalId', Number(text.split('\\').at(-1))],
    ['QueueIdentity', queueIdentity(queue)],
    ['IsFullySpecified', true],
  ]);
}

/** A queue, by Exchange's property names. */
export function presentQueue(queue: QueueInfo): CmdletObject {
  return new CmdletObject('ExtensibleQueueInfo', [
    ['DeliveryType', queue.deliveryType],
    ['NextHopDomain', queue.nextHopDomain],
    ['TlsDomain', queue.tlsDomain],
    ['NextHopConnector', queue.nextHopConnector],
    ['Status', queue.status],
    ['MessageCount', queue.messageCount],
    ['LastError', queue.lastError === '' ? null : queue.lastError],
    ['RetryCount', queue.retryCount],
    ['LastRetryTime', queue.lastRetryTime],
    ['NextRetryTime', queue.nextRetryTime],
    ['FirstRetryTime', queue.firstRetryTime],
    ['DeferredMessageCount', queue.deferredMessageCount],
    ['LockedMessageCount', 0],
    ['RiskLevel', 'Normal'],
    ['OutboundIPPool', 0],
    ['NextHopCategory', queue.deliveryType === 'SmtpDeliveryToMailbox' ? 'Internal' : 'External'],
    ['IncomingRate', queue.incomingRate],
    ['OutgoingRate', queue.outgoingRate],
    ['Velocity', Number((queue.outgoingRate - queue.incomingRate).toFixed(2))],
    ['Identity', queueIdentity(queue.identity, queue.nextHopDomain)],
    ['IsValid', true],
    ['ObjectState', 'New'],
  ]);
}

/** A message, by Exchange's property names. */
export function presentMessage(message: MessageInfo, withRecipients = false): CmdletObject {
  return new CmdletObject('ExtensibleMessageInfo', [
    ['Subject', message.subject],
    ['InternetMessageId', message.internetMessageId],
    ['FromAddress', message.fromAddress],
    ['Status', message.status],
    ['Size', Quantity.bytes(message.size)],
    ['MessageSourceName', message.messageSourceName],
    ['SourceIP', message.sourceIP],
    ['SCL', message.scl],
    ['DateReceived', message.dateReceived],
    ['ExpirationTime', message.expirationTime],
    ['LastError', message.lastError === '' ? null : message.lastError],
    ['RetryCount', message.retryCount],
    ['Queue', queueIdentity(message.queue)],
    [
      'Recipients',
      withRecipients ? message.recipients.map((one) => `${one.address};${one.status};${one.lastError}`) : null,
    ],
    ['Identity', messageIdentity(message.identity, message.queue)],
    ['IsValid', true],
    ['ObjectState', 'New'],
  ]);
}

/** -Server by name, FQDN or DN, or a server object. Throws CmdletError for another server: each has queues of its own. */
export function requireThisServer(context: CmdletContext, bound: BoundParameters): void {
  for (const text of textsOf(bound, 'Server')) {
    const name = (/^CN=([^,]+),/i.exec(text)?.[1] ?? text).split('.')[0] ?? '';
    if ([context.serverName.toLowerCase(), 'localhost'].includes(name.toLowerCase())) continue;
    throw badArgument('Server', `'${text}' is not this server: queues are reached on ${context.serverName} only.`);
  }
}

/** `Get-TransportService | Get-Queue`: a server that came through the pipeline is the -Server, whatever it was bound to. */
export function withServer(bound: BoundParameters, parameter: string): BoundParameters {
  const object = bound.get(parameter);
  if (!isObject(object) || !/^(?:Transport(?:Service|Server)|ExchangeServer)$/.test(object.typeName)) return bound;
  return new Map([...[...bound].filter(([name]) => name !== parameter), ['Server', object]]);
}

/** Objects that a line means by -Identity or -Filter. With an identity, `SERVER\` may be left out. */
export function choose(
  context: CmdletContext,
  bound: BoundParameters,
  objects: readonly CmdletObject[],
  what: string,
): readonly CmdletObject[] {
  const identity = identityOf(bound);
  requireThisServer(context, bound);
  const byFilter = filtered(bound, objects);
  if (identity === undefined) return byFilter;
  const full = identity.replace(/^\.(?=\\)/, context.serverName);
  const patterns = [full, `${context.serverName}\\${full}`].map(wildcardTest);
  const found = byFilter.filter((object) => patterns.some((test) => test(String(object.get('Identity')))));
  if (found.length > 0 || /[*?]/.test(identity)) return found;
  const names = objects.map((object) => String(object.get('Identity')));
  const text = `The ${what} '${identity}' doesn't exist on '${context.serverName}'.${nearestNameHint(identity, names)}`;
  throw new CmdletError('ObjectNotFoundException', 'ObjectNotFound', text, { target: identity });
}

function filtered(bound: BoundParameters, objects: readonly CmdletObject[]): readonly CmdletObject[] {
  const filter = textOf(bound, 'Filter');
  if (filter === undefined) return objects;
  const properties = (objects[0] ?? sample).entries().map(([name]) => name);
  const predicate = parseOpath(filter, properties);
  return objects.filter(predicate);
}

/** Names both kinds of properties for filters while there is nothing to filter. */
const sample = new CmdletObject('', [
  ...presentQueue({
    identity: '',
    deliveryType: '',
    nextHopDomain: '',
    nextHopConnector: '',
    tlsDomain: '',
    status: 'Ready',
    messageCount: 0,
    deferredMessageCount: 0,
    lastError: '',
    retryCount: 0,
    lastRetryTime: null,
    nextRetryTime: null,
    firstRetryTime: null,
    incomingRate: 0,
    outgoingRate: 0,
  }).entries(),
  ...[
    'Subject',
    'InternetMessageId',
    'FromAddress',
    'Size',
    'MessageSourceName',
    'SourceIP',
    'SCL',
    'DateReceived',
    'ExpirationTime',
    'Queue',
  ].map((name) => [name, null] as const),
]);

/** -SortOrder `+Size,-DateReceived` and -ResultSize. */
export function arranged(bound: BoundParameters, objects: readonly CmdletObject[]): readonly CmdletObject[] {
  const keys = textsOf(bound, 'SortOrder').flatMap((text) => text.split(','));
  const sorted = keys.reduceRight<readonly CmdletObject[]>((list, key) => {
    const [, sign = '+', name = ''] = /^\s*([+-])?\s*(\w+)\s*$/.exec(key) ?? [];
    const first = list[0];
    if (first !== undefined && !first.has(name)) {
      const names = first.entries().map(([one]) => one);
      throw badArgument('SortOrder', `There is no property '${name}'.${nearestNameHint(name, names)}`);
    }
    const direction = sign === '-' ? -1 : 1;
    return [...list].sort((a, b) => direction * compare(a.get(name), b.get(name)));
  }, objects);
  return sorted.slice(0, resultSizeOf(bound));
}

function compare(left: unknown, right: unknown): number {
  const plain = (value: unknown): string | number =>
    value instanceof Date
      ? value.getTime()
      : value instanceof Quantity
        ? value.value
        : typeof value === 'number'
          ? value
          : plainText(value);
  const [a, b] = [plain(left), plain(right)];
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en');
}

/** Refuses parameters that are known and not built. */
export function refuseOthers(bound: BoundParameters, built: readonly string[]): void {
  for (const [name, value] of bound) {
    if (!built.includes(name)) throw notImplemented(`The parameter ${name}`);
    if (name === 'Identity' && isObject(value) && value.get('Identity') === null) {
      throw badArgument('Identity', `An object of type ${value.typeName} has no Identity.`);
    }
  }
}
