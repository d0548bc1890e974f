/** What receiving asks of the rooms around it. The parts are handed in by `main.ts`. */
import type { SecureContext } from 'node:tls';
import type { Peer, Verdict } from '../../back-pressure/index.ts';
import type { Clock } from '../../base/index.ts';
import type { SnapshotSource } from '../../config/index.ts';
import type { Journal } from '../../logs/index.ts';
import type { AgentChain } from '../../pipeline/index.ts';
import type { RevocationVerdict, TrustAnchors } from '../../tls/index.ts';
import type { TlsUse } from '../connector/connector-profile.ts';
import type { MessageSink } from '../content/message-sink.ts';
import type { SharedNumbers } from '../limits/shared-numbers.ts';
import type { LogonChecker } from '../rights/logon.ts';

/** A certificate for STARTTLS, and the event that tells of the choice. CertificateStore has this shape. */
export interface CertificatePicker {
  pick(request: {
    readonly purpose: string;
    readonly tlsCertificateName?: string;
    readonly fqdn?: string;
    readonly serverFqdn: string;
    readonly use?: TlsUse;
  }): {
    /** Absent: STARTTLS is not offered. */
    readonly context?: SecureContext;
    readonly event: {
      readonly purpose: string;
      readonly wanted: string;
      readonly thumbprint: string;
      readonly subject: string;
      readonly reason: string;
      readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
    };
  };
  /** Whom clients' certificates may come from: all, or those of these thumbprints; nobody when absent. */
  trustAnchors?(only?: readonly string[]): TrustAnchors;
}

/** Asks the issuers of a chain (DER, leaf first, anchor last) whether it was revoked. Never rejects. RevocationChecker has this shape. */
export interface RevocationAsker {
  check(path: readonly Buffer[]): Promise<RevocationVerdict>;
}

/** The parts of the receiving service. */
export interface ReceiveParts {
  readonly snapshots: SnapshotSource;
  /** Where messages go. */
  readonly sink: MessageSink;
  readonly journal: Journal;
  readonly certificates: CertificatePicker;
  /** Without it no issuer is asked, and TlsRevocation Require defers. */
  readonly revocation?: RevocationAsker;
  readonly clock: Clock;
  readonly sessionIds: { next(): string };
  /** Checks who authenticates; without it AUTH is not offered. */
  readonly logons?: LogonChecker;
  /** Numbers that all workers see; without them this worker counts alone. */
  readonly numbers?: SharedNumbers;
  /** Says when resources run short; without it nothing is refused for that. */
  readonly pressure?: { verdict(peer: Peer): Verdict };
  /** Octets of headers that all sessions may hold. Default 24 MB. */
  readonly maxHeldOctets?: number;
  /** No agents when absent. */
  readonly agents?: AgentChain;
  /** Hears of bugs: the session that had one was ended with 421. */
  readonly onFault?: (error: unknown, session: string) => void;
}

/** A session for `edge status`. */
export interface SessionState {
  readonly id: string;
  readonly connector: string;
  readonly local: string;
  readonly remote: string;
  readonly helo: string;
  readonly secure: boolean;
  /** 'command', 'data' or 'commit'. */
  readonly stage: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly messages: number;
}
