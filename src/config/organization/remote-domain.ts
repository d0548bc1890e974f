/** Remote domains: what kinds of automatic messages go to other organizations, and in which form. */
import { adminDisplayNameRow, exchangeVersionRow } from '../properties/fixed-properties.ts';
import { domainPattern } from '../properties/network-syntaxes.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { property, type Syntax } from '../properties/property.ts';
import { integer, maybe, oneOf, orUnlimited, text, yesNo } from '../properties/syntaxes.ts';
import { withReasons } from '../properties/without-meaning.ts';

/** Bits of msExchDomainContentConfigFlags; ours. */
const contentFlags = 'msExchDomainContentConfigFlags';

const byteEncoders = [
  'Use7Bit',
  'UseQP',
  'UseBase64',
  'UseQPHtmlDetectTextPlain',
  'UseBase64HtmlDetectTextPlain',
  'UseQPHtml7BitTextPlain',
  'UseBase64Html7BitTextPlain',
  'Undefined',
] as const;

/** A name of a character set (WHATWG Encoding), but for those that are no superset of ASCII. */
const charset = text('String', (value) => {
  if (!/^utf-?16|^(?:unicode|ucs-?2)/i.test(value) && canDecode(value)) return value;
  throw new RangeError(`'${value}' is not a character set such as iso-8859-15`);
});

function canDecode(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== 'replacement';
  } catch {
    return false;
  }
}

const percent = integer(0, 100);
/** A whole number from 0 to 100, or nothing. */
const percentOrNull: Syntax<number | null> = {
  ...percent,
  parse: (value) => (value === null || value === '' ? null : percent.parse(value)),
  write: (value) => (value === null ? [] : percent.write(value)),
  show: (value) => value,
};

const properties = {
  domainName: property({
    attribute: 'domainName',
    syntax: domainPattern,
    default: '*',
    help: 'Domain: example.com, *.example.com, or * for all others.',
  }),
  isInternal: property({
    attribute: contentFlags,
    bit: 0,
    syntax: yesNo,
    default: false,
    help: 'Belongs to this organization.',
  }),
  targetDeliveryDomain: property({
    attribute: contentFlags,
    bit: 1,
    syntax: yesNo,
    default: false,
    help: 'Target of hybrid mailboxes.',
    notImplementedYet: true,
    builtFor: (value) => !value,
  }),
  byteEncoderTypeFor7BitCharsets: property({
    attribute: 'msExchContentByteEncoderTypeFor7BitCharsets',
    syntax: { ...oneOf(byteEncoders), type: 'ByteEncoderTypeFor7BitCharsetsEnum' },
    default: 'Undefined',
    help: 'Transfer encoding of text of seven bits to the domain.',
  }),
  characterSet: property({
    attribute: 'msExchContentCharacterSet',
    syntax: charset,
    default: null,
    help: 'Character set that text of MIME messages to the domain is put into, where it covers it.',
  }),
  nonMimeCharacterSet: property({
    attribute: 'msExchContentNonMimeCharacterSet',
    syntax: charset,
    default: null,
    help: 'The same for messages that are none of MIME.',
  }),
  allowedOOFType: property({
    attribute: 'msExchContentAllowedOOFType',
    syntax: { ...oneOf(['None', 'External', 'InternalLegacy', 'ExternalLegacy']), type: 'AllowedOOFType' },
    default: 'External',
    help: 'Which out-of-office answers go out. None holds back every automatic reply; which of the others a mailbox wrote is not to be seen here.',
  }),
  autoReplyEnabled: property({
    attribute: contentFlags,
    bit: 2,
    syntax: yesNo,
    default: true,
    help: 'Automatic replies go out.',
  }),
  autoForwardEnabled: property({
    attribute: contentFlags,
    bit: 3,
    syntax: yesNo,
    default: true,
    help: 'Automatically forwarded messages go out.',
  }),
  deliveryReportEnabled: property({
    attribute: contentFlags,
    bit: 4,
    syntax: yesNo,
    default: true,
    help: 'Delivery reports go out.',
  }),
  ndrEnabled: property({
    name: 'NDREnabled',
    attribute: contentFlags,
    bit: 5,
    syntax: yesNo,
    default: true,
    help: 'Non-delivery reports go out.',
  }),
  meetingForwardNotificationEnabled: property({
    attribute: contentFlags,
    bit: 6,
    syntax: yesNo,
    default: true,
    notImplementedYet: true,
    help: 'Notifications of forwarded meetings go out.',
  }),
  contentType: property({
    attribute: 'msExchContentType',
    syntax: { ...oneOf(['MimeHtmlText', 'MimeText', 'MimeHtml']), type: 'ContentType' },
    default: 'MimeHtmlText',
    help: 'Which of the alternatives of a text go: MimeText leaves HTML out, MimeHtml plain text.',
  }),
  displaySenderName: property({
    attribute: contentFlags,
    bit: 7,
    syntax: yesNo,
    default: true,
    help: 'The display name of the sender goes out. Without it a DKIM signature of From breaks.',
  }),
  preferredInternetCodePageForShiftJis: property({
    attribute: 'msExchContentPreferredInternetCodePageForShiftJis',
    syntax: {
      ...oneOf(['Undefined', '50220', '50221', '50222'], { Undefined: 0, 50220: 50_220, 50221: 50_221, 50222: 50_222 }),
      type: 'PreferredInternetCodePageForShiftJisEnum',
    },
    default: 'Undefined',
    help: 'Any of the code pages: text in Shift_JIS goes as ISO-2022-JP.',
  }),
  requiredCharsetCoverage: property({
    attribute: 'msExchContentRequiredCharsetCoverage',
    syntax: percentOrNull,
    default: null,
    help: 'Share of the characters that CharacterSet must cover, in per cent; empty: all.',
  }),
  tnefEnabled: property({
    name: 'TNEFEnabled',
    attribute: contentFlags,
    bit: [8, 9],
    syntax: maybe,
    default: null,
    notImplementedYet: true,
    help: 'Transport-neutral encapsulation goes out; empty: as the user chose.',
  }),
  lineWrapSize: property({
    attribute: 'msExchContentLineWrapSize',
    syntax: orUnlimited(integer(0, 132)),
    default: Infinity,
    help: 'Characters after which lines of plain text are wrapped.',
  }),
  trustedMailOutboundEnabled: property({
    attribute: contentFlags,
    bit: 10,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Mail to the domain counts as trusted.',
  }),
  trustedMailInboundEnabled: property({
    attribute: contentFlags,
    bit: 11,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Mail from the domain counts as trusted.',
  }),
  useSimpleDisplayName: property({
    attribute: contentFlags,
    bit: 12,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'The simple display name of the sender goes out.',
  }),
  ndrDiagnosticInfoEnabled: property({
    name: 'NDRDiagnosticInfoEnabled',
    attribute: contentFlags,
    bit: 13,
    syntax: yesNo,
    default: true,
    help: 'Non-delivery reports carry the diagnostic part.',
  }),
  messageCountThreshold: property({
    attribute: 'msExchContentMessageCountThreshold',
    syntax: integer(0),
    default: 2_147_483_647,
    help: 'Messages to the domain in an hour, on one worker, beyond which edge status warns.',
  }),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow(),
};

/** The one list of a remote domain's properties. */
export const remoteDomain: ObjectTable<typeof properties> = {
  noun: 'RemoteDomain',
  title: 'Remote domain',
  objectClass: 'msExchDomainContentConfig',
  objectClasses: ['top', 'msExchDomainContentConfig'],
  scope: 'organization',
  path: 'CN=Internet Message Formats,CN=Global Settings',
  properties: withReasons('RemoteDomain', properties),
  rules: [],
};

/** A remote domain as the rooms see it. */
export type RemoteDomain = ObjectOf<typeof remoteDomain>;
