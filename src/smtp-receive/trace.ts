/** What is written about a message that is received: its trace field, its envelope and its reply. Pure. */
import { buildReceived } from '../mail/index.ts';
import type { ContentFacts, NewMessage } from '../queue/index.ts';
import { type Reply, replies } from '../smtp/index.ts';
import type { CommandSession } from './command-session.ts';
import type { Transaction } from './transaction.ts';

/** A Message-ID that may stand in a reply line. */
const plainMessageId = /^<[!-~]{1,250}>$/;

type TracedSession = Pick<CommandSession, 'origin' | 'helo' | 'extended' | 'tls' | 'authenticated'>;
/** Internal and network message id. */
interface MessageIds {
  readonly id: number;
  readonly guid: string;
}

/** RFC 5321 §4.4. `id`: network message id; `at`: milliseconds since 1970. */
export function receivedField(
  { origin, helo, extended, tls, authenticated }: TracedSession,
  { recipients, argument }: Pick<Transaction, 'recipients' | 'argument'>,
  { id, at }: { readonly id: string; readonly at: number },
): string {
  const [first, second] = recipients;
  return buildReceived({
    helo: helo === undefined || helo === '' ? `[${origin.remoteAddress}]` : helo,
    peerAddress: origin.remoteAddress,
    serverFqdn: origin.profile.fqdn,
    serverAddress: origin.externalAddress ?? origin.localAddress,
    extended,
    authenticated,
    smtpUtf8: argument.smtpUtf8,
    ...(tls === undefined ? {} : { tls: { protocol: tls.protocol, cipher: tls.cipher } }),
    id,
    // With several recipients it would tell each of them of one other.
    ...(first === undefined || second !== undefined ? {} : { recipient: first.address }),
    at,
  });
}

/** What the queue keeps with the content. */
export function newMessage(
  { origin, helo, tls }: TracedSession,
  { envelope }: Pick<Transaction, 'envelope'>,
  facts: ContentFacts,
): NewMessage {
  return {
    envelope,
    origin: {
      session: origin.id,
      connector: origin.profile.connector.name,
      remoteAddress: origin.remoteAddress,
      localAddress: origin.localAddress,
      helo: helo ?? '',
      ...(tls === undefined ? {} : { tls: `${tls.protocol} ${tls.cipher}` }),
    },
    facts,
  };
}

/** The answer to a message that is kept. A message without a Message-ID that a line can hold is named by its GUID. */
export function queuedReply({ id, guid }: MessageIds, messageId: string, serverFqdn: string): Reply {
  return replies.queued(plainMessageId.test(messageId) ? messageId : `<${guid}@${serverFqdn}>`, id, serverFqdn);
}
