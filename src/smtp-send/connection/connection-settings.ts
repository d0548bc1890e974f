/** What a connection is made with, and who listens to it. */
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../base/index.ts';
import type { StartTlsUse } from '../../tls/index.ts';
import type { ConnectionLost } from './connection-lost.ts';
import type { PhaseTimeouts } from './phase-timeouts.ts';
import type { PeerReply } from './reply-reader.ts';

/** Hears the conversation; a protocol log. Secrets and content never reach it. */
export interface ConversationObserver {
  sent(line: string): void;
  received(reply: PeerReply): void;
}

/** Who answers the peer's replies after the connection is open. */
export interface Dialogue {
  reply(reply: PeerReply): void;
  lost(loss: ConnectionLost): void;
}

export interface ConnectionSettings {
  /** Connected; owned by the connection from now on. */
  readonly socket: Socket;
  /** Name or address of the peer, for messages. */
  readonly host: string;
  /** Name for SNI; absent for a peer that is only an address. */
  readonly serverName?: string;
  /** Our name in EHLO, HELO or LHLO. */
  readonly helloName: string;
  readonly protocol: 'SMTP' | 'LMTP';
  /** ForceHELO: do not even ask for extensions. */
  readonly forceHelo: boolean;
  readonly startTls: StartTlsUse;
  readonly tls?: ConnectionOptions;
  /** Hears of sessions that a later connection to the same peer can resume. */
  readonly onTlsSession?: ((session: Buffer) => void) | undefined;
  readonly timeouts: PhaseTimeouts;
  readonly clock: Clock;
  readonly observer?: ConversationObserver | undefined;
}
