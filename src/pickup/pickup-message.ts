/** A file of the pickup folder as a message: what Exchange asks of it, and what is made of it. Pure. */

import type { Envelope, EnvelopeRecipient } from '../mail/index.ts';
import { formatDate, HeaderBlock, headerClasses, insertFields, removeFields } from '../mail/index.ts';
import type { ContentFacts } from '../queue/index.ts';
import { ContentScanner } from '../smtp/index.ts';
import { addressesIn } from './address-list.ts';

export interface PickupLimits {
  /** Octets of the header. */
  readonly maxHeaderSize: number;
  readonly maxRecipients: number;
}

export interface PickupFacts {
  readonly fqdn: string;
  readonly guid: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface PickupMessage {
  /** Where it came from first, as far as the file says it; '' for nothing. */
  readonly origin: { readonly remoteAddress: string; readonly helo: string };
  readonly envelope: Envelope;
  readonly content: Buffer;
  readonly facts: ContentFacts;
}

/** Fields that nobody brings this way, and Bcc, which is told to nobody. */
const forbidden: readonly string[] = ['bcc', 'return-path', ...Object.values(headerClasses).flat()];

/** Reads a file. Throws RangeError or AddressError with what is wrong with it. */
export function pickupMessage(file: Buffer, limits: PickupLimits, { fqdn, guid, now }: PickupFacts): PickupMessage {
  const text = withLineEnds(file);
  const block = new HeaderBlock(text);
  if (block.size > limits.maxHeaderSize) throw new RangeError(`the header is larger than PickupDirectoryMaxHeaderSize`);
  if (block.fields.length === 0 || block.fields.some(({ name }) => name === ''))
    throw new RangeError('it does not begin with a header');
  const [sender, ...others] = addressesIn(block.all('sender').join(',') || block.all('from').join(','));
  if (sender === undefined || others.length > 0) throw new RangeError('it names no sender, or several without Sender');
  const to = [...block.all('to'), ...block.all('cc'), ...block.all('bcc')].flatMap((value) => addressesIn(value));
  const recipients = [...new Map(to.map(({ address, domain }) => [address, { address, domain }])).values()];
  if (recipients.length === 0) throw new RangeError('it names no recipient in To, Cc or Bcc');
  if (recipients.length > limits.maxRecipients) {
    throw new RangeError(`it has ${recipients.length} recipients, more than PickupDirectoryMaxRecipientsPerMessage`);
  }
  const isForbidden = (name: string): boolean =>
    forbidden.some((one) => (one.endsWith('-') ? name.startsWith(one) : name === one));
  const added = [
    `Received: by ${fqdn} (pickup) id ${guid}; ${formatDate(now)}\r\n`,
    ...(block.first('message-id') === undefined ? [`Message-ID: <${guid}@${fqdn}>\r\n`] : []),
    ...(block.first('date') === undefined ? [`Date: ${formatDate(now)}\r\n`] : []),
  ];
  const header = insertFields(added, removeFields(block, isForbidden));
  const separator = block.complete ? '' : '\r\n';
  const content = Buffer.concat([header, Buffer.from(separator), text.subarray(block.size)]);
  return { content, origin: { remoteAddress: '', helo: '' }, ...described(content, sender.address, recipients, fqdn) };
}

/** Envelope and facts of a content. */
export function described(
  content: Buffer,
  from: string,
  recipients: readonly EnvelopeRecipient[],
  fqdn: string,
): Pick<PickupMessage, 'envelope' | 'facts'> {
  const scanner = new ContentScanner();
  scanner.push(content);
  scanner.end();
  const { messageId, subject } = new HeaderBlock(content).facts(fqdn);
  const { size, headerSize, eightBit, utf8Header } = scanner;
  const utf8 = [from, ...recipients.map(({ address }) => address)].some((one) => /[^\0-\x7f]/.test(one));
  return {
    envelope: { from, recipients, body: eightBit ? '8BITMIME' : '7BIT', smtpUtf8: utf8 || utf8Header },
    facts: { size, headerSize, leadingDots: true, eightBit, utf8Header, bareLines: false, messageId, subject },
  };
}

/** Scripts write lines in their system's way: every line ends in CRLF afterwards. */
export function withLineEnds(file: Buffer): Buffer {
  return Buffer.from(file.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}
