import type { DecisionEvent, EventKind, EventOf, PassedOver } from './events.ts';

type Sentences = { readonly [K in EventKind]: (event: EventOf<K>) => string };

const list = (items: readonly string[]): string => {
  if (items.length <= 3) return items.join(', ');
  return `${items.slice(0, 3).join(', ')} and ${items.length - 3} more`;
};
const because = (passedOver: readonly PassedOver[]): string =>
  passedOver.length === 0
    ? ''
    : `; passed over: ${passedOver.map(({ name, reason }) => `${name} (${reason})`).join(', ')}`;
const time = (ms: number): string => new Date(ms).toISOString();

const tlsFacts = ({ demanded = '', certificate = '' }: { demanded?: string; certificate?: string }): string =>
  `${demanded === '' ? '' : `; demanded: ${demanded}`}${certificate === '' ? '' : `; shown: ${certificate}`}`;

const agentActions = {
  reject: 'refuses the message',
  defer: 'makes the message wait',
  discard: 'throws the message away',
} as const;

/** One sentence for each kind of decision, for the person who asks why. */
const sentences: Sentences = {
  'connector-chosen': (e) =>
    `connection from ${e.remote} to ${e.local} taken by receive connector '${e.connector}' (binding ${e.binding}, range ${e.range})${because(e.passedOver)}`,
  'connection-refused': (e) => `connection from ${e.remote} to ${e.local} refused with '${e.reply}': ${e.reason}`,
  'session-closed': (e) => `session ended: ${e.reason}`,
  'agent-acted': (e) => `${e.agent} at ${e.on}: ${e.action} (${e.reason})`,
  'protocol-line': (e) => `${e.event} ${e.data}${e.context === '' ? '' : ` (${e.context})`}`,
  'right-checked': (e) => `right ${e.right} ${e.granted ? 'granted' : 'not granted'} to ${e.principal}: ${e.by}`,
  'certificate-chosen': (e) =>
    e.thumbprint === ''
      ? `no certificate for ${e.purpose} (wanted ${e.wanted}): ${e.reason}${because(e.passedOver)}`
      : `certificate ${e.subject} (${e.thumbprint}) for ${e.purpose}, wanted ${e.wanted}: ${e.reason}${because(e.passedOver)}`,
  'tls-reached': (e) =>
    `TLS ${e.direction === 'receive' ? 'with the client' : 'with the next hop'}: ${e.protocol}, ${e.cipher}, level ${e.level}${e.peer === '' ? '' : `, peer ${e.peer}`}${tlsFacts(e)}`,
  'direct-trust': (e) =>
    e.server === ''
      ? `no direct trust: ${e.reason}${e.key === '' ? '' : ` (${e.key})`}`
      : `direct trust: the client is the internal server ${e.server} by its key ${e.key}`,
  'revocation-checked': (e) => `revocation of the certificate of ${e.peer}: ${e.state}, ${e.reason}`,
  'tls-failed': (e) => `TLS failed: ${e.reason}; ${e.consequence}${tlsFacts(e)}`,
  'sender-accepted': (e) => `sender <${e.from}> accepted`,
  'recipients-accepted': (e) =>
    `recipient${e.recipients.length === 1 ? '' : 's'} ${list(e.recipients.map((address) => `<${address}>`))} accepted: ${e.because}`,
  'command-refused': (e) => `${e.command} refused with '${e.reply}': ${e.reason}`,
  'agent-changed': (e) => `agent ${e.agent} ${list(e.changes)}`,
  'agent-decided': (e) =>
    `agent ${e.agent} ${agentActions[e.action]}${e.reply === '' ? '' : ` with '${e.reply}'`}: ${e.reason}`,
  'message-queued': (e) =>
    `message ${e.messageId === '' ? e.guid : e.messageId} from <${e.from}> to ${list(e.recipients)} (${e.size} bytes) is on disk${e.reply === '' ? '' : `; answered '${e.reply}'`}`,
  'route-chosen': (e) =>
    `${list(e.recipients)} goes to ${e.hop}${e.connector === '' ? '' : ` by send connector '${e.connector}'`}: ${e.because}${because(e.passedOver)}`,
  'content-converted': (e) =>
    `content changed for ${e.host}: ${e.changes.join(', ')}${e.broken.length === 0 ? '' : `; broken by it: ${e.broken.join(', ')}`}`,
  'connection-opened': (e) => `connected to ${e.host} (${e.remote}) for ${e.hop}`,
  'connection-failed': (e) => `no connection to ${e.host} for ${e.hop}: ${e.reason}`,
  'connection-closed': (e) => `connection to ${e.host} closed after ${e.messages} messages, ${e.bytes} bytes`,
  delivered: (e) => `delivered to ${list(e.recipients)} by ${e.remote}, attempt ${e.attempt}: ${list(e.replies)}`,
  deferred: (e) =>
    `deferred for ${list(e.recipients)}, attempt ${e.attempt}: ${list(e.replies)}; next try ${time(e.retryAt)}`,
  failed: (e) => `failed for ${list(e.recipients)}, attempt ${e.attempt}: ${list(e.replies)}`,
  'message-expired': (e) => `expired for ${list(e.recipients)}`,
  notification: (e) =>
    e.suppressed === ''
      ? `'${e.action}' report on ${list(e.recipients)} is on its way to <${e.to}>${e.report === '' ? '' : ` as ${e.report}`}`
      : `no '${e.action}' report on ${list(e.recipients)}: ${e.suppressed}`,
  'queue-state': (e) =>
    `queue ${e.hop} is ${e.status}: ${e.reason}${e.retryAt > 0 ? `; next try ${time(e.retryAt)}` : ''}`,
  'configuration-applied': (e) =>
    `configuration of update ${e.usn} in force${e.problems.length > 0 ? `, with faults: ${e.problems.join('; ')}` : ''}`,
};

/** What an event says to a person, without time and ids. */
export function sentenceOf(event: DecisionEvent): string {
  return (sentences[event.kind] as (event: DecisionEvent) => string)(event);
}

/** Every kind of event there is. */
export const eventKinds = Object.keys(sentences) as readonly EventKind[];
