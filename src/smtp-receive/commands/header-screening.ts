/** What becomes of the header of a received message before any agent sees it, and what is told of that. */
import { crossPremises, renameFields, screenHeader } from '../../mail/index.ts';
import type { AgentChanges } from '../../pipeline/index.ts';
import type { MessageHeader } from '../content/message-header.ts';
import type { CommandSession } from '../session/command-session.ts';

/** Names of fields that one event tells. */
const mostTold = 20;

type Sender = Pick<CommandSession, 'rights' | 'client'>;

/**
 * Takes away what the session may not bring, and gives back what an organization's own fields were called. To be called behind the
 * count of hops, which needs the Received fields that it may take away. Returns what it did.
 */
export function screenReceived(header: MessageHeader, session: Sender): readonly AgentChanges[] {
  const screened = screenHeader(header.block, session.rights.forbiddenFields);
  if (screened !== undefined) header.change(screened.header);
  const promoted = promote(header, session);
  if (screened === undefined) return promoted;
  return [changeOf('Header firewall', screened.removed), ...promoted];
}

/**
 * TlsDomainCapabilities AcceptCloudServicesMail: fields of the organization that crossed the Internet under another name get
 * theirs back. Behind the firewall, which took away what others wrote under it.
 */
function promote(header: MessageHeader, { client }: Sender): readonly AgentChanges[] {
  if (client?.acceptsCloudServices !== true) return [];
  const outside = crossPremises.outside.toLowerCase();
  const names = header.block.fields.map(({ name }) => name).filter((name) => name.startsWith(outside));
  if (names.length === 0) return [];
  header.change(renameFields(header.block, outside, crossPremises.within));
  return [changeOf(`Cross-premises fields of ${client.subject}`, [...new Set(names)])];
}

function changeOf(agent: string, removed: readonly string[]): AgentChanges {
  return {
    agent,
    changes: { header: removed.slice(0, mostTold).map((name) => ({ kind: 'remove', name: name.slice(0, 80) })) },
  };
}
