/** What is written about a message that is received: its trace field, its envelope and its reply. Pure. */
import { finishReceived, type ReceivedStart, startReceived } from '../../mail/index.ts';
import type { ContentFacts, NewMessage } from '../../queue/index.ts';
import { type Reply, replies } from '../../smtp/index.ts';
import type { TlsDescription } from '../../tls/index.ts';
import type { SessionOrigin } from './session-parts.ts';
import type { Transaction } from './transaction.ts';

/** A Message-ID that may stand in a reply line. */
const plainMessageId = /^<[!-~]{1,250}>$/;

/** The session, as far as it is written about. */
interface TracedSession {
  readonly origin: SessionOrigin;
  readonly helo: string | undefined;
  readonly extended: boolean;
  readonly tls: TlsDescription | undefined;
  readonly authenticated: boolean;
}

/** Internal and network message id. */
interface MessageIds {
  readonly id: number;
  readonly guid: string;
}

/** The trace fields of one session (RFC 5321 §4.4): their beginning is made anew only when the session has become another. */
export class TraceFields {
  #said: Omit<TracedSession, 'origin'> & { readonly smtpUtf8: boolean } = nothingSaid;
  #start: ReceivedStart | undefined;

  /** `id`: network message id; `at`: milliseconds since 1970. */
  of(
    session: TracedSession,
    { recipients, argument }: Pick<Transaction, 'recipients' | 'argument'>,
    { id, at }: { readonly id: string; readonly at: number },
  ): string {
    const [first, second] = recipients;
    // With several recipients it would tell each of them of one other.
    const recipient = first === undefined || second !== undefined ? {} : { recipient: first.address };
    return finishReceived(this.#startOf(session, argument.smtpUtf8), { id, at, ...recipient });
  }

  #startOf(session: TracedSession, smtpUtf8: boolean): ReceivedStart {
    const { origin, helo, extended, tls, authenticated } = session;
    const said = this.#said;
    const same =
      said.helo === helo &&
      said.extended === extended &&
      said.tls === tls &&
      said.authenticated === authenticated &&
      said.smtpUtf8 === smtpUtf8;
    if (this.#start !== undefined && same) return this.#start;
    this.#said = { helo, extended, tls, authenticated, smtpUtf8 };
    this.#start = startReceived({
      helo: helo === undefined || helo === '' ? `[${origin.remoteAddress}]` : helo,
      peerAddress: origin.remoteAddress,
      serverFqdn: origin.profile.fqdn,
      serverAddress: origin.externalAddress ?? origin.localAddress,
      extended,
      authenticated,
      smtpUtf8,
      ...(tls === undefined ? {} : { tls: { protocol: tls.protocol, cipher: tls.cipher } }),
    });
    return this.#start;
  }
}

const nothingSaid = { helo: undefined, extended: false, tls: undefined, authenticated: false, smtpUtf8: false };

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
