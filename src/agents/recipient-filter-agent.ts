/** The recipient filter: unknown recipients are refused at RCPT. RFC 5321 §3.6, §4.5.1; Exchange's wording. */
import type { AcceptedDomain, RecipientFilterConfig } from '../config/index.ts';
import type { AgentAction, RcptCommandArgs, ReceiveAgent } from '../pipeline/index.ts';
import { parseMailbox, type Reply } from '../smtp/index.ts';

/** What is known of an address. */
export type RecipientKnowledge =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' /** Since the last synchronization, in milliseconds. */; readonly ageMs: number }
  | { readonly kind: 'no-subscription' };

export interface RecipientFilterParts {
  /** In force now. */
  readonly settings: () => RecipientFilterConfig;
  readonly domainOf: (
    domain: string,
  ) => Pick<AcceptedDomain, 'addressBookEnabled' | 'domainName' | 'domainType'> | undefined;
  /** Local part as meant, domain in A-labels and lower case. */
  readonly lookup: (localPart: string, domain: string) => RecipientKnowledge;
}

const userUnknown: Reply = { code: 550, detail: '1.1', lines: ['User unknown'] };
const recipientsStale: Reply = {
  code: 451,
  detail: '1.1',
  lines: ['Recipients cannot be validated now; try again later'],
};

const pass: AgentAction = { kind: 'continue' };

/** Runs late, as Exchange's does: connection and sender filters come before. */
const priority = 7;

export function recipientFilterAgent(parts: RecipientFilterParts): ReceiveAgent {
  return { name: 'Recipient Filter Agent', priority, onRcptTo: (args) => actionFor(args, parts) };
}

function actionFor(
  { session, recipient }: RcptCommandArgs,
  { settings, domainOf, lookup }: RecipientFilterParts,
): AgentAction {
  const filter = settings();
  const { enabled, recipientValidationEnabled, internalMailEnabled, externalMailEnabled } = filter;
  if (!enabled || !recipientValidationEnabled) return pass;
  if (session.bypassAntiSpam ? !internalMailEnabled : !externalMailEnabled) return pass;
  const domain = domainOf(recipient.domain);
  // Of a shared domain (AddressBookEnabled off) the rest of the recipients is elsewhere: to refuse them would bounce good mail.
  if (domain === undefined || !domain.addressBookEnabled || domain.domainType === 'ExternalRelay') return pass;
  const { localPart } = parseMailbox(recipient.address);
  // RFC 5321 §4.5.1: postmaster is always there.
  if (localPart.toLowerCase() === 'postmaster') return pass;
  const knowledge = lookup(localPart, recipient.domain);
  if (knowledge.kind !== 'unknown') return pass;
  const isStale = knowledge.ageMs > filter.recipientValidationStaleAfter * 1000;
  if (!isStale || filter.recipientValidationStale === 'Reject') {
    const reason = isStale
      ? 'the recipient is unknown (the last synchronization is old)'
      : 'the recipient is unknown to the organization';
    return { kind: 'reject', reply: userUnknown, reason };
  }
  if (filter.recipientValidationStale === 'Accept') return pass;
  return {
    kind: 'reject',
    reply: recipientsStale,
    reason: 'the recipient is unknown and the last synchronization is too old',
  };
}
