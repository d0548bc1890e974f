/** What remote domains say of automatic messages and of names, as the message is received: RFC 3834 and Exchange's own fields. */
import type { RemoteDomain } from '../config/index.ts';
import { HeaderBlock } from '../mail/index.ts';
import type { AgentAction, EndOfHeadersArgs, MessageChanges, ReceiveAgent } from '../pipeline/index.ts';

type Settings = Pick<
  RemoteDomain,
  'name' | 'autoReplyEnabled' | 'autoForwardEnabled' | 'allowedOOFType' | 'displaySenderName' | 'messageCountThreshold'
>;

export interface RemoteDomainParts {
  /** Of a recipient's domain; undefined for domains of the organization. */
  readonly domainOf: (domain: string) => Settings | undefined;
  /** One more message to a remote domain. */
  readonly count: (domain: Settings) => void;
}

const pass: AgentAction<MessageChanges> = { kind: 'continue' };
/** Greatest value of the parameter: nothing is counted. */
const uncounted = 2_147_483_647;

/** Whether a remote domain asks for anything of this agent. */
export function isRestrictive(domain: Settings): boolean {
  const { autoReplyEnabled, autoForwardEnabled, allowedOOFType, displaySenderName, messageCountThreshold } = domain;
  return (
    !autoReplyEnabled ||
    !autoForwardEnabled ||
    allowedOOFType === 'None' ||
    !displaySenderName ||
    messageCountThreshold < uncounted
  );
}

/** In the order of Exchange's categorizer: behind everything that may refuse the message. */
const priority = 20;

export function remoteDomainAgent(parts: RemoteDomainParts): ReceiveAgent {
  return { name: 'Remote Domain Agent', priority, onEndOfHeaders: (args) => actionFor(args, parts) };
}

function actionFor(
  { envelope, header }: EndOfHeadersArgs,
  { domainOf, count }: RemoteDomainParts,
): AgentAction<MessageChanges> {
  const domains = new Map<string, Settings>();
  for (const { domain } of envelope.recipients) {
    const found = domains.has(domain) ? undefined : domainOf(domain);
    if (found !== undefined) domains.set(domain, found);
  }
  if (domains.size === 0) return pass;
  const block = new HeaderBlock(header);
  const kind = automaticKind(block);
  const recipients = envelope.recipients
    .filter(({ domain }) => isHeldBack(domains.get(domain), kind))
    .map(({ address }) => ({ kind: 'remove', address }) as const);
  const removed = new Set(recipients.map(({ address }) => address));
  const left = envelope.recipients.filter(({ address }) => !removed.has(address));
  const reached = new Set(left.flatMap(({ domain }) => domains.get(domain) ?? []));
  for (const one of reached) if (one.messageCountThreshold < uncounted) count(one);
  // A message is one: where it also goes elsewhere, the name is gone there too.
  const nameless = [...reached].some(({ displaySenderName }) => !displaySenderName) ? bareFrom(block) : undefined;
  if (recipients.length === 0 && nameless === undefined) return pass;
  const headerChanges = [
    { kind: 'remove', name: 'From' },
    { kind: 'add', name: 'From', value: nameless ?? '' },
  ] as const;
  return { kind: 'continue', changes: { recipients, ...(nameless !== undefined && { header: headerChanges }) } };
}

/** RFC 3834 §5, and what Exchange writes besides. */
function automaticKind(block: HeaderBlock): 'reply' | 'forward' | undefined {
  const [submitted = ''] = (block.first('auto-submitted') ?? '')
    .trim()
    .toLowerCase()
    .split(/[\s;(]/, 1);
  const has = (name: string): boolean => block.first(name) !== undefined;
  if (submitted === 'auto-forwarded' || has('x-ms-exchange-inbox-rules-loop')) return 'forward';
  if (submitted === 'auto-replied') return 'reply';
  return submitted === 'auto-generated' && has('x-auto-response-suppress') ? 'reply' : undefined;
}

function isHeldBack(domain: Settings | undefined, kind: 'reply' | 'forward' | undefined): boolean {
  if (domain === undefined || kind === undefined) return false;
  if (kind === 'forward') return !domain.autoForwardEnabled;
  return !domain.autoReplyEnabled || domain.allowedOOFType === 'None';
}

/** The From field without its display name; undefined where it has none, or names several. */
function bareFrom(block: HeaderBlock): string | undefined {
  const [from, ...others] = block.all('from');
  const [, name = '', address] = /^([^<>,]*|\s*"(?:[^"\\]|\\.)*"\s*)(<[^<>\s]+>)\s*$/.exec(from ?? '') ?? [];
  return others.length > 0 || name.trim() === '' ? undefined : address;
}
