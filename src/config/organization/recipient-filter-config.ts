/** Settings of the recipient filter: recipient validation against what EdgeSync replicated. */
import { textList } from '../properties/fixed-properties.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { property } from '../properties/property.ts';
import { oneOf, timeSpan, yesNo } from '../properties/syntaxes.ts';

const flags = 'edgeRecipientFilterFlags';
const week = 604_800;

const properties = {
  enabled: property({
    attribute: flags,
    bit: 0,
    syntax: yesNo,
    default: true,
    help: 'The filter looks at recipients at all.',
  }),
  externalMailEnabled: property({
    attribute: flags,
    bit: 1,
    syntax: yesNo,
    default: true,
    help: 'Looks at mail of anonymous sessions.',
  }),
  internalMailEnabled: property({
    attribute: flags,
    bit: 2,
    syntax: yesNo,
    default: false,
    help: 'Looks at mail of authenticated sessions and of those that bypass the anti-spam agents too.',
  }),
  blockListEnabled: property({
    attribute: flags,
    bit: 3,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    builtFor: (value) => !value,
    help: 'Refuses the recipients of BlockedRecipients.',
  }),
  blockedRecipients: property({
    attribute: 'edgeBlockedRecipients',
    syntax: textList,
    default: [],
    notImplementedYet: true,
    help: 'Recipients that are refused.',
  }),
  recipientValidationEnabled: property({
    attribute: flags,
    bit: 4,
    syntax: yesNo,
    default: false,
    help: 'Answers 550 5.1.1 for recipients that the organization does not have. Needs an Edge subscription.',
  }),
  recipientValidationStale: property({
    attribute: 'edgeRecipientValidationStale',
    syntax: { ...oneOf(['Accept', 'Defer', 'Reject']), type: 'RecipientValidationStale' },
    default: 'Reject',
    help: 'What becomes of unknown recipients when the last synchronization is too old; known ones always pass.',
  }),
  recipientValidationStaleAfter: property({
    attribute: 'edgeRecipientValidationStaleAfter',
    syntax: timeSpan(60, 31_536_000),
    default: week,
    help: 'Age of the last synchronization from which it is too old.',
  }),
};

/** The one list of the filter's properties. */
export const recipientFilterConfig: ObjectTable<typeof properties> = {
  noun: 'RecipientFilterConfig',
  title: 'Recipient filter',
  objectClass: 'edgeRecipientFilterConfig',
  objectClasses: ['top', 'edgeRecipientFilterConfig'],
  scope: 'organization',
  path: 'CN=RecipientFilterConfig,CN=Message Hygiene,CN=Transport Settings',
  singleton: true,
  properties,
  rules: [],
};

/** The filter as the agent sees it. */
export type RecipientFilterConfig = ObjectOf<typeof recipientFilterConfig>;
