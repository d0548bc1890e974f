/** The session as its commands see it. Commands know this interface and not the session. */
import type { ReceiveConnector } from '../../config/index.ts';
import type { DecisionEvent } from '../../logs/index.ts';
import type { AgentChanges, AgentDecision, SmtpSession } from '../../pipeline/index.ts';
import type { Reply } from '../../smtp/index.ts';
import type { TlsDescription } from '../../tls/index.ts';
import type { ClientIdentity } from '../rights/client-certificate.ts';
import type { Principal } from '../rights/principal.ts';
import type { RightCheck, SessionRights } from '../rights/session-rights.ts';
import type { CertificatePicker } from './contract.ts';
import type { SizeLimit } from './organization-limits.ts';
import type { SessionLog } from './session-log.ts';
import type { SessionOrigin, SessionParts, Wire } from './session-parts.ts';
import type { TraceFields } from './trace.ts';
import type { Transaction } from './transaction.ts';

/** Content that is being received, or committed. */
export interface MailDataState {
  readonly stage: 'data' | 'commit';
  /** The connection is lost. */
  cancel(reason: string): void;
}

/** Takes one line that is no command: the answer to a challenge (RFC 4954 §4). May throw SmtpError. */
export interface LineReader {
  /** Octets without the line end. */
  readonly maxBytes: number;
  take(line: string): void | Promise<void>;
  tooLong(): void | Promise<void>;
}

export interface CommandSession {
  readonly origin: SessionOrigin;
  readonly parts: SessionParts;
  readonly wire: Wire;
  readonly log: SessionLog;
  readonly connector: ReceiveConnector;
  /** Of the principal that the session is now. */
  readonly rights: SessionRights;
  /** What a message may have. */
  readonly sizeLimit: SizeLimit;
  /** Argument of HELO or EHLO; undefined before it. */
  helo: string | undefined;
  /** EHLO was used. */
  extended: boolean;
  readonly tls: TlsDescription | undefined;
  /** The certificate of the client, judged; undefined where none is asked for, or before TLS. */
  readonly client: ClientIdentity | undefined;
  /** Who the session is now. */
  readonly principal: Principal;
  /** Settles when the issuers of that certificate have answered; undefined when nobody is asked. */
  readonly clientKnown: Promise<void> | undefined;
  /** From now on the session is `principal`. */
  become(principal: Principal): void;
  transaction: Transaction | undefined;
  mailData: MailDataState | undefined;
  /** Messages that were taken. */
  messages: number;
  /** Logons that failed. */
  logonFailures: number;
  /** The session is somebody by AUTH. */
  readonly authenticated: boolean;
  /** Octets of chunks that were read only to be refused. */
  thrownAway: number;
  /** The command before was a BDAT that was refused. */
  chunkRefused: boolean;
  readonly ended: boolean;
  readonly traceFields: TraceFields;
  /** As agents see it. */
  readonly smtpSession: SmtpSession;
  reply(reply: Reply): void;
  /** Answers with a refusal, and tells why (of which message). `counted`: it may be a protocol error; true by default. */
  refuse(command: string, reply: Reply, reason: string, message?: number, counted?: boolean): void;
  /** Obeys the decision of an agent on a command. True: the command is over. */
  obey(decision: AgentDecision | undefined, command: string): boolean;
  /** Tells what agents changed. */
  tellChanges(changes: readonly AgentChanges[], message: number): void;
  /** Tells once in a session that a right was looked at. Returns whether the session holds it. */
  holds(check: RightCheck): boolean;
  /** From now on the session is `principal`. */
  become(principal: Principal): void;
  /** Waits so many seconds before the reply; told in the protocol log. Settles at once when the session ends. */
  delay(seconds: number, reply: Reply): void | Promise<void>;
  pickCertificate(): ReturnType<CertificatePicker['pick']>;
  /** The next line is for `reader`. */
  expectLine(reader: LineReader): void;
  head(message?: number): { at: number; session: string; message: number };
  emit(event: DecisionEvent): void;
  resetTransaction(): void;
  end(reason: string): void;
  /** Ends the session, and not the connection. */
  handOver(reason: string): void;
  stop(): void;
  /** Runs a step; what it throws ends the session and goes no further. */
  guard(step: () => void | Promise<void>): void | Promise<void>;
  /** Goes on with a value at once, or when it has come. */
  afterwards<T>(value: T | Promise<T>, step: (value: T) => void | Promise<void>): void | Promise<void>;
}
