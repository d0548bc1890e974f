import { formatTimeSpan } from '../base/index.ts';
import type { ReceiveConnector } from '../config/index.ts';
import type { DecisionEvent } from '../logs/index.ts';
import { type AgentChanges, type AgentDecision, describeChanges, type SmtpSession } from '../pipeline/index.ts';
import { oneLine, type Reply, replies, SmtpError } from '../smtp/index.ts';
import type { NegotiatedTls, TlsDescription } from '../tls/index.ts';
import { type CommandLine, type Objection, objection, readCommandLine } from './commands/command-line.ts';
import { Tarpit } from './limits/tarpit.ts';
import type { ClientIdentity, ShownChain } from './rights/client-certificate.ts';
import { anonymous, type Principal, partner } from './rights/principal.ts';
import type { RightCheck, SessionRights } from './rights/session-rights.ts';
import { tellAgentActed } from './session/agent-acted.ts';
import type { CommandSession, LineReader, MailDataState } from './session/command-session.ts';
import type { CertificatePicker, SessionState } from './session/contract.ts';
import { type SizeLimit, sizeLimit } from './session/organization-limits.ts';
import { SessionLog } from './session/session-log.ts';
import type { SessionOrigin, SessionParts, Wire } from './session/session-parts.ts';
import { SessionSecurity } from './session/session-security.ts';
import { TraceFields } from './session/trace.ts';
import type { Transaction } from './session/transaction.ts';

/** RFC 5321 §4.2.2: 421 as the service stops. */
export const shuttingDown: Reply = {
  ...replies.serviceNotAvailable,
  lines: ['Service not available, closing transmission channel'],
};

/** Replies that tell of a broken client; MaxProtocolErrors of them end the session. */
const protocolErrors: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 555]);

/** NOOP, RSET, VRFY, HELP, HELO and EHLO that a client may say for each message; beyond, each counts as a protocol error. */
const mostIdle = 100;

const aboveAscii = /[^\0-\x7f]/;

/** One conversation, without a socket: what is said goes in by takeLine(), what is answered goes out on the wire. */
export class Session implements CommandSession {
  readonly origin: SessionOrigin;
  readonly parts: SessionParts;
  readonly wire: Wire;
  readonly log: SessionLog;
  helo: string | undefined;
  extended = false;
  transaction: Transaction | undefined;
  mailData: MailDataState | undefined;
  messages = 0;
  thrownAway = 0;
  logonFailures = 0;
  chunkRefused = false;
  rights: SessionRights;
  readonly #startedAt: number;
  #ready = false;
  /** An AUTH was refused: unknown lines that follow may be credentials. */
  #mayBeSecret = false;
  #ended = false;
  #protocolErrors = 0;
  /** Commands since the message before that brought none nearer. */
  #idle = { messages: 0, commands: 0 };
  #toldRights: Set<RightCheck> | undefined;
  #lineReader: LineReader | undefined;
  #traceFields: TraceFields | undefined;
  readonly #tarpit: Tarpit;
  readonly #security: SessionSecurity;

  constructor(origin: SessionOrigin, parts: SessionParts, wire: Wire) {
    this.origin = origin;
    this.parts = parts;
    this.wire = wire;
    this.#startedAt = parts.clock.now();
    this.log = new SessionLog(origin, parts);
    this.rights = origin.profile.initialRights;
    this.#tarpit = new Tarpit(parts.clock);
    this.#security = new SessionSecurity(origin, parts, this.log);
  }

  /** Made with the first message: an idle session has none. */
  get traceFields(): TraceFields {
    this.#traceFields ??= new TraceFields();
    return this.#traceFields;
  }

  get tls(): TlsDescription | undefined {
    return this.#security.tls;
  }

  get client(): ClientIdentity | undefined {
    return this.#security.client;
  }

  get clientKnown(): Promise<void> | undefined {
    return this.#security.clientKnown;
  }

  get connector(): ReceiveConnector {
    return this.origin.profile.connector;
  }

  get sizeLimit(): SizeLimit {
    return sizeLimit(this.origin.limits, this.rights, this.authenticated || this.rights.countsAsInternal);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get principal(): Principal {
    return this.rights.principal;
  }

  /** From now on the session is `principal`, with its rights on the connector. */
  become(principal: Principal): void {
    this.rights = this.origin.profile.rights.of(principal);
    this.log.info(this.rights.permissions, 'Set Session Permissions');
  }

  get authenticated(): boolean {
    // A partner has shown a certificate; it may still log on.
    return this.rights !== this.origin.profile.initialRights && this.principal !== partner;
  }

  delay(seconds: number, reply: Reply): void | Promise<void> {
    if (seconds > 0) this.log.info('', `Tarpit for '${formatTimeSpan(seconds)}' due to '${oneLine(reply)}'`);
    return this.#tarpit.wait(seconds);
  }

  get smtpSession(): SmtpSession {
    const { id, profile, remoteAddress, localAddress } = this.origin;
    return {
      id,
      connector: profile.connector.name,
      remoteAddress,
      localAddress,
      helo: this.helo ?? '',
      secure: this.tls !== undefined,
      bypassAntiSpam: this.rights.bypassAntiSpam,
    };
  }

  get state(): SessionState {
    const { id, profile, local, remote } = this.origin;
    return {
      id,
      connector: profile.connector.name,
      local,
      remote,
      helo: this.helo ?? '',
      secure: this.tls !== undefined,
      stage: this.mailData?.stage ?? 'command',
      since: this.#startedAt,
      messages: this.messages,
    };
  }

  /** Greets the client. A promise when agents think about it. */
  greet(date: string): void | Promise<void> {
    this.log.opened(this.rights.permissions);
    return this.guard(() => {
      const { onConnect } = this.parts.agents;
      if (onConnect === undefined) return this.#sayHello(date);
      return this.afterwards(onConnect(this.smtpSession), ({ decision }) => {
        if (decision === undefined) this.#sayHello(date);
        else this.#turnAway(decision);
      });
    });
  }

  #sayHello(date: string): void {
    if (this.#ended) return;
    this.#ready = true;
    this.reply(this.origin.profile.greeting(date));
  }

  /** Whatever an agent says at OnConnect but 'continue': the connection ends. */
  #turnAway(decision: AgentDecision): void {
    const { agent, action } = decision;
    tellAgentActed(this, decision, 'connect');
    const reply = action.kind === 'discard' ? replies.serviceNotAvailable : action.reply;
    this.refuse('connect', reply, `${agent}: ${action.reason}`);
    this.end('refused by an agent');
  }

  /** One line from the client. */
  takeLine(line: string): void | Promise<void> {
    if (this.#ended) return;
    const text = aboveAscii.test(line) ? Buffer.from(line, 'latin1').toString() : line;
    const reader = this.#lineReader;
    if (reader === undefined) return this.guard(() => this.#command(text));
    this.#lineReader = undefined;
    // It may be a credential.
    this.log.received('****');
    return this.guard(() => this.#run('****', false, () => reader.take(text)));
  }

  /** `beginning`: its first octets. */
  takeLongLine(beginning: string): void | Promise<void> {
    if (this.#ended) return;
    const reader = this.#lineReader;
    this.#lineReader = undefined;
    this.log.received('(a line longer than allowed)');
    if (reader !== undefined) return this.guard(() => this.#run('****', false, () => reader.tooLong()));
    this.refuse('', replies.lineTooLong, 'a line is longer than allowed');
    // What comes next are octets of which nobody knows how many.
    if (/^BDAT /i.test(beginning)) this.end('the size of a chunk cannot be read: the line is too long');
  }

  #command(text: string): void | Promise<void> {
    const line = readCommandLine(text, this.#mayBeSecret);
    this.log.received(line.told);
    if (line.verb !== 'BDAT') this.chunkRefused = false;
    if (!this.#ready) {
      const reason = 'the client spoke before the greeting';
      return this.#object(line, {
        reply: replies.spokeTooEarly,
        reason,
        final: true,
      });
    }
    if (this.parts.draining()) return this.stop();
    if (line.row !== undefined) this.#mayBeSecret = line.row.secret ?? false;
    const tlsMissing = this.connector.requireTLS && this.tls === undefined;
    const objected = objection(line, {
      greeted: this.helo !== undefined,
      tlsMissing,
    });
    if (objected !== undefined) return this.#object(line, objected);
    return this.#act(line);
  }

  #object({ told, row, argument }: CommandLine, { reply, reason, final }: Objection): void {
    if (row?.refused !== undefined && final !== true) return row.refused(this, argument, { reply, reason });
    this.refuse(told, reply, reason);
    if (final) this.end(reason);
  }

  #act({ row, argument, told }: CommandLine): void | Promise<void> {
    if (row?.idle === true && this.#floods(told)) return;
    return this.#run(told, row?.tarpit ?? false, () => row?.act(this, argument));
  }

  /** True when the session ends for it. */
  #floods(told: string): boolean {
    if (this.#idle.messages !== this.messages) this.#idle = { messages: this.messages, commands: 0 };
    if (++this.#idle.commands <= mostIdle || !this.#tooManyErrors()) return false;
    this.log.refused(told, replies.tooManyErrors, `more than ${mostIdle} commands without a message`);
    return true;
  }

  /** One more protocol error. True when the session ends for it. */
  #tooManyErrors(): boolean {
    if (++this.#protocolErrors <= this.connector.maxProtocolErrors) return false;
    this.reply(replies.tooManyErrors);
    this.end(`more than ${this.connector.maxProtocolErrors} protocol errors`);
    return true;
  }

  #run(told: string, tarpit: boolean, step: () => void | Promise<void>): void | Promise<void> {
    try {
      const wait = step();
      return wait === undefined ? undefined : wait.catch((error: unknown) => this.#refuseError(told, tarpit, error));
    } catch (error) {
      return this.#refuseError(told, tarpit, error);
    }
  }

  #refuseError(command: string, tarpit: boolean, error: unknown): void | Promise<void> {
    if (!(error instanceof SmtpError)) throw error;
    const { reply, reason } = error;
    // What is only deferred (452 behind MaxRecipientsPerMessage) is nothing that a client guesses.
    if (!tarpit || reply.code < 500) return this.refuse(command, reply, reason);
    const pause = this.#tarpit.refused(this.connector.tarpitInterval, this.principal === anonymous);
    if (pause === 'over') {
      this.log.refused(command, reply, reason);
      this.reply(replies.tooManyErrors);
      return this.end('too many recipients were refused');
    }
    return this.afterwards(pause, () => this.refuse(command, reply, reason));
  }

  expectLine(reader: LineReader): void {
    this.#lineReader = reader;
    this.wire.limitLine(reader.maxBytes);
  }

  /** Answers, and writes it to the protocol log. */
  reply(reply: Reply): void {
    if (this.#ended) return;
    this.wire.write(this.origin.profile.text(reply));
    this.log.sent(reply);
  }

  /** Answers with a refusal, tells why (of which message), and ends the session when there were too many errors. */
  refuse(command: string, reply: Reply, reason: string, message = 0, counted = true): void {
    if (this.#ended) return;
    this.log.refused(command, reply, reason, message);
    if (counted && protocolErrors.has(reply.code) && this.#tooManyErrors()) return;
    this.reply(reply);
    if (reply.code === 421) this.end(reason);
  }

  /** `discard` means nothing to a command. */
  obey(decision: AgentDecision | undefined, command: string): boolean {
    if (decision === undefined) return this.#ended;
    const { agent, action } = decision;
    tellAgentActed(this, decision, command);
    if (action.kind === 'discard') return this.#ended;
    this.refuse(command, action.reply, `${agent}: ${action.reason}`);
    if (action.kind === 'disconnect') this.end(`${agent}: ${action.reason}`);
    return true;
  }

  tellChanges(changes: readonly AgentChanges[], message: number): void {
    for (const { agent, changes: made } of changes) {
      this.emit({
        ...this.head(message),
        kind: 'agent-changed',
        agent,
        changes: describeChanges(made),
      });
    }
  }

  holds(check: RightCheck): boolean {
    this.#toldRights ??= new Set();
    if (!this.#toldRights.has(check)) {
      this.#toldRights.add(check);
      const { right, principal, granted, by } = check;
      this.emit({
        ...this.head(),
        kind: 'right-checked',
        right,
        principal,
        granted,
        by,
      });
    }
    return check.granted;
  }

  /** Head of an event of this session; `message`: internal id, 0 for none. */
  head(message = 0): { at: number; session: string; message: number } {
    return { at: this.parts.clock.now(), session: this.origin.id, message };
  }

  emit(event: DecisionEvent): void {
    this.parts.journal.emit(event);
  }

  /** Forgets the message that was being told (RFC 5321 §4.1.1.5). */
  resetTransaction(): void {
    this.#dropTransaction();
  }

  #dropTransaction(): void {
    const { transaction } = this;
    this.transaction = undefined;
    transaction?.tell(this, 0);
    if (transaction?.chunked === undefined) transaction?.sink.abort();
    else transaction.chunked.cancel('it was given up');
  }

  /** The TLS handshake is done: what was said before it is forgotten (RFC 3207 §4.2). */
  secured(negotiated: NegotiatedTls, shown?: ShownChain): void {
    this.helo = undefined;
    this.extended = false;
    this.#dropTransaction();
    const { initialRights } = this.origin.profile;
    if (this.rights !== initialRights) this.become(initialRights.principal);
    this.#security.reached(negotiated, shown);
    const { server } = this.#security;
    if (server !== undefined) return this.become(server);
    // Who is still asked about becomes a partner with MAIL.
    if (this.clientKnown === undefined && this.client?.isPartner === true) this.become(partner);
  }

  tlsFailed(reason: string): void {
    this.#security.failed(reason);
  }

  pickCertificate(): ReturnType<CertificatePicker['pick']> {
    return this.#security.pickCertificate();
  }

  /** The service stops: 421, unless content is being received; then after it. */
  stop(): void {
    if (this.mailData !== undefined || this.#ended) return;
    this.reply(shuttingDown);
    this.end('the service stops');
  }

  /** A limit of time was reached. */
  expire(reply: Reply, reason: string): void {
    this.refuse('', reply, reason);
    this.end(reason);
  }

  /** Ends the session from our side, once the replies are out. */
  end(reason: string): void {
    this.#finish(reason, 'Local');
    this.wire.close();
  }

  handOver(reason: string): void {
    this.#finish(reason, 'Local');
  }

  /** The connection is gone or going. */
  left(reason: string): void {
    this.#finish(reason, reason === 'closed by the client' ? 'Remote' : `Remote(${reason})`);
  }

  #finish(reason: string, context: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tarpit.end();
    this.mailData?.cancel(reason);
    this.#dropTransaction();
    this.log.closed(reason, context);
  }

  /** A bug of ours ends this session and nothing else. */
  fault(error: unknown): void {
    this.parts.onFault?.(error, this.origin.id);
    if (this.#ended) return;
    const text = error instanceof Error ? error.message : String(error);
    this.log.refused('', replies.internalError, text);
    this.reply(replies.internalError);
    this.end(`internal error: ${text}`);
  }

  /** Runs a step of the session; nothing it throws gets out. */
  guard(step: () => void | Promise<void>): void | Promise<void> {
    try {
      const wait = step();
      return wait === undefined ? undefined : wait.catch((error: unknown) => this.fault(error));
    } catch (error) {
      this.fault(error);
    }
  }

  /** Goes on with a value at once, or when it has come. */
  afterwards<T>(value: T | Promise<T>, step: (value: T) => void | Promise<void>): void | Promise<void> {
    return value instanceof Promise ? value.then(step) : step(value);
  }
}
