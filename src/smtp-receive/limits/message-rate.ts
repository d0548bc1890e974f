/** MessageRateLimit: how many messages one source may begin in a minute, over all workers. */
import { sourceNetwork } from '../../base/index.ts';
import type { ReceiveConnector } from '../../config/index.ts';
import { replies, SmtpError } from '../../smtp/index.ts';
import type { MinuteRates } from './minute-rates.ts';

type Limits = Pick<ReceiveConnector, 'dn' | 'messageRateLimit' | 'messageRateSource'>;

/** What MessageRateSource counts by. As in Exchange the user is whom MAIL FROM names, not who logged on. */
const sources: Readonly<Record<Limits['messageRateSource'], readonly ('IPAddress' | 'User')[]>> = {
  None: [],
  IPAddress: ['IPAddress'],
  User: ['User'],
  All: ['IPAddress', 'User'],
};

/** Counts one more message. Throws SmtpError when its source has sent too many. `from`: '' for the null sender. */
export function takeMessage(
  rates: MinuteRates,
  limits: Limits,
  message: { remoteAddress: string; from: string },
): void {
  const { dn, messageRateLimit, messageRateSource } = limits;
  if (messageRateLimit === Infinity) return;
  const names = { IPAddress: sourceNetwork(message.remoteAddress), User: message.from.toLowerCase() };
  for (const source of sources[messageRateSource]) {
    if (rates.take(`${source} ${names[source]} ${dn}`, messageRateLimit)) continue;
    const reason = `MessageRateLimit ${messageRateLimit} by ${source} is reached`;
    throw new SmtpError(replies.rateExceeded, reason);
  }
}
