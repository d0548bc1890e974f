/** A file of the replay folder as a message: an exported message behind the injected fields that are its envelope. Pure. */

import { isIP } from 'node:net';
import { formatDate, HeaderBlock, headerClasses, insertFields, removeFields } from '../mail/index.ts';
import { parseMailArgument, parseRcptArgument, SmtpError } from '../smtp/index.ts';
import { described, type PickupFacts, type PickupMessage, withLineEnds } from './pickup-message.ts';

/** Exchange's injected fields. None of them stays in the message. */
const injected: readonly string[] = [
  'x-createdby',
  'x-endofinjectedxheaders',
  'x-extendedmessageprops',
  'x-helodomain',
  'x-receiver',
  'x-sender',
  'x-source',
  'x-sourceipaddress',
];

/** Who may bring fields of the organization: a file that says Exchange wrote it. */
const byExchange = /^MSExchange(?:14|15|19)$/i;
const innerFields: readonly string[] = [...headerClasses.Organization, ...headerClasses.Forest];

const offered = { size: true, eightBitMime: true, smtpUtf8: true, dsn: true };

/** Reads a file. Throws RangeError with what is wrong with it. */
export function replayMessage(file: Buffer, { fqdn, guid, now }: PickupFacts): PickupMessage {
  const text = withLineEnds(file);
  const block = new HeaderBlock(text);
  const [first] = block.fields;
  if (first === undefined || !injected.includes(first.name))
    throw new RangeError('it does not begin with X-Sender, X-Receiver and the like');
  const [sender, ...others] = block.all('x-sender');
  if (sender === undefined || others.length > 0) throw new RangeError('it has no X-Sender, or several');
  const { from, smtpUtf8, ret, envid } = argumentOf(() => parseMailArgument(`FROM:${path(sender)}`, offered));
  const recipients = block.all('x-receiver').map((value) => {
    const { to, notify, orcpt } = argumentOf(() => parseRcptArgument(`TO:${path(value)}`, offered, true));
    if (to.domain === '') throw new RangeError('an X-Receiver has no domain');
    const { address, domain } = to;
    return { address, domain, ...(notify && { notify }), ...(orcpt !== undefined && { orcpt }) };
  });
  if (recipients.length === 0) throw new RangeError('it has no X-Receiver');
  const trusted = byExchange.test(block.first('x-createdby')?.trim() ?? '');
  const isGone = (name: string): boolean =>
    injected.includes(name) || (!trusted && innerFields.some((one) => name.startsWith(one)));
  const trace = `Received: by ${fqdn} (replay) id ${guid}; ${formatDate(now)}\r\n`;
  const header = insertFields([trace], removeFields(block, isGone));
  const content = Buffer.concat([header, Buffer.from(block.complete ? '' : '\r\n'), text.subarray(block.size)]);
  const { envelope, facts } = described(content, from?.address ?? '', recipients, fqdn);
  const address = block.first('x-sourceipaddress')?.trim() ?? '';
  return {
    content,
    facts,
    envelope: {
      ...envelope,
      smtpUtf8: envelope.smtpUtf8 || smtpUtf8,
      ...(ret && { ret }),
      ...(envid !== undefined && { envid }),
    },
    origin: {
      remoteAddress: isIP(address) === 0 ? '' : address,
      helo: (block.first('x-helodomain') ?? '')
        .trim()
        .replace(/[^!-~]/g, '')
        .slice(0, 255),
    },
  };
}

/** `a@b BODY=7bit` and `<a@b> BODY=7bit` are the same; nothing is the null sender. */
function path(value: string): string {
  const [, address = '', rest = ''] = /^\s*(<[^>]*>|\S*)(.*)$/s.exec(value) ?? [];
  return `${address.startsWith('<') ? address : `<${address}>`}${rest.trimEnd()}`;
}

function argumentOf<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SmtpError) throw new RangeError(error.reason, { cause: error });
    throw error;
  }
}
