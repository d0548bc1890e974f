/** What the agent log says of an agent's decision. */
import type { AgentDecision } from '../../pipeline/index.ts';
import { oneLine } from '../../smtp/index.ts';
import type { CommandSession } from './command-session.ts';
import type { Transaction } from './transaction.ts';

/** Exchange's names, by the verb. */
const events: ReadonlyMap<string, string> = new Map([
  ['CONNECT', 'OnConnect'],
  ['HELO', 'OnHeloCommand'],
  ['EHLO', 'OnEhloCommand'],
  ['MAIL', 'OnMailCommand'],
  ['RCPT', 'OnRcptCommand'],
]);

/** Exchange's names. */
const actions = {
  reject: 'RejectCommand',
  disconnect: 'Disconnect',
  discard: 'DeleteMessage',
} as const;

/** Tells it. `command`: what the agent was asked about; `content`: the message, behind DATA. */
export function tellAgentActed(
  session: CommandSession,
  { agent, action }: AgentDecision,
  command: string,
  content?: { readonly id: number; readonly transaction: Transaction },
): void {
  const { local, remote } = session.origin;
  const transaction = content?.transaction ?? session.transaction;
  const verb = command.split(' ', 1)[0]?.toUpperCase() ?? '';
  session.emit({
    ...session.head(content?.id),
    kind: 'agent-acted',
    local,
    remote,
    from: transaction?.from ?? '',
    recipient: verb === 'RCPT' ? (/<(.*)>/.exec(command)?.[1] ?? '') : '',
    recipients: transaction?.recipients.length ?? 0,
    agent,
    on: events.get(verb) ?? 'OnEndOfData',
    action: action.kind === 'reject' && !events.has(verb) ? 'RejectMessage' : actions[action.kind],
    reply: 'reply' in action ? oneLine(action.reply) : '',
    reason: action.reason,
  });
}
