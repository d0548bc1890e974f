/** What one transaction says, decided before anything is sent: only parameters that the peer offered (RFC 5321 §4.1.1.11). */
import type { DeliveryItem, StoredMessage } from '../../queue/index.ts';
import { encodeXtext, renderOrcpt, renderPath } from '../../smtp/index.ts';
import type { Capabilities } from '../connection/capabilities.ts';

/** Commands without CRLF, or why the message must not go to this peer. */
export type EnvelopePlan =
  | { readonly kind: 'refused'; readonly reply: string }
  | {
      readonly kind: 'send';
      readonly mail: string;
      /** One for each of `recipients`. */
      readonly rcpts: readonly string[];
      /** Positions in the item's list of recipients. */
      readonly recipients: readonly number[];
      /** Recipients that this peer cannot be told of. */
      readonly refused: readonly {
        readonly position: number;
        readonly reply: string;
      }[];
    };

const nonAscii = /[^\x00-\x7f]/;

/** Pure. `positions` choose from item.recipients; all of them when absent. `organization`: told by XOORG where it is offered. */
export function planEnvelope(
  item: Pick<DeliveryItem, 'message' | 'recipients'>,
  offered: Capabilities,
  peer: string,
  positions: readonly number[] = item.recipients.map((_, position) => position),
  organization = '',
): EnvelopePlan {
  const { message } = item;
  const obstacle = obstacleOf(message, offered, peer);
  if (obstacle !== undefined) return { kind: 'refused', reply: obstacle };
  const rcpts: string[] = [];
  const recipients: number[] = [];
  const refused: { position: number; reply: string }[] = [];
  let utf8 = offered.smtpUtf8 && (message.envelope.smtpUtf8 || nonAscii.test(message.envelope.from));
  for (const position of positions) {
    const recipient = message.envelope.recipients[item.recipients[position] ?? -1];
    if (recipient === undefined) throw new RangeError(`the item has no recipient ${position}`);
    const address = spell(recipient.address, recipient.domain);
    if (nonAscii.test(address)) {
      if (!offered.smtpUtf8) {
        refused.push({
          position,
          reply: `553 5.6.7 ${peer} does not offer SMTPUTF8, which the recipient's address needs`,
        });
        continue;
      }
      utf8 = true;
    }
    rcpts.push(`RCPT TO:${renderPath(address)}`);
    recipients.push(position);
  }
  if (offered.dsn) {
    recipients.forEach((position, i) => {
      rcpts[i] += rcptParameters(message, item.recipients[position] ?? -1, utf8);
    });
  }
  return {
    kind: 'send',
    mail: `${mailCommand(message, offered, utf8)}${organization !== '' && offered.oorg ? ` XOORG=${organization}` : ''}`,
    rcpts,
    recipients,
    refused,
  };
}

/** What the whole message demands and the peer does not offer. */
function obstacleOf({ envelope, facts }: StoredMessage, offered: Capabilities, peer: string): string | undefined {
  if (facts.size > offered.maxSize) {
    return `552 5.3.4 The message has ${facts.size} octets, ${peer} takes ${offered.maxSize} at most`;
  }
  if (!offered.smtpUtf8) {
    if (nonAscii.test(envelope.from)) {
      return `553 5.6.7 ${peer} does not offer SMTPUTF8, which the sender's address needs`;
    }
    if (envelope.smtpUtf8 && facts.utf8Header) {
      return `554 5.6.7 ${peer} does not offer SMTPUTF8, which the message's header needs`;
    }
  }
  return undefined;
}

function mailCommand({ envelope, facts }: StoredMessage, offered: Capabilities, utf8: boolean): string {
  let command = `MAIL FROM:${renderPath(envelope.from)}`;
  if (offered.size) command += ` SIZE=${facts.size}`;
  if (envelope.body === 'BINARYMIME' && offered.binaryMime) command += ' BODY=BINARYMIME';
  else if (offered.eightBitMime && (facts.eightBit || envelope.body === '8BITMIME')) command += ' BODY=8BITMIME';
  if (utf8) command += ' SMTPUTF8';
  if (envelope.tls === 'required' && offered.requireTls) command += ' REQUIRETLS';
  if (offered.dsn) {
    if (envelope.ret !== undefined) command += ` RET=${envelope.ret}`;
    if (envelope.envid !== undefined) command += ` ENVID=${encodeXtext(envelope.envid)}`;
  }
  return command;
}

function rcptParameters(message: StoredMessage, index: number, utf8: boolean): string {
  const { notify, orcpt } = message.envelope.recipients[index] ?? {};
  const wish = notify === undefined || notify.length === 0 ? '' : ` NOTIFY=${notify.join(',')}`;
  return orcpt === undefined ? wish : `${wish} ORCPT=${renderOrcpt(orcpt, utf8)}`;
}

/** An ASCII local part needs no SMTPUTF8: its domain goes as A-labels (RFC 6531 §3.2). */
function spell(address: string, domain: string): string {
  if (!nonAscii.test(address)) return address;
  const local = address.slice(0, address.lastIndexOf('@'));
  return nonAscii.test(local) ? address : `${local}@${domain}`;
}
