/** One LDAP connection from its first octet to its last: RFC 4511 §3.1, §4.2.1, §4.4.1, §4.11, §4.14, §5. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FairTurns, Share } from '../../base/index.ts';
import { LdapError, type ResultCodeName } from '../../ldap/index.ts';
import { BoundPrincipal } from './access/bound-principal.ts';
import { anonymous, type Peer, type Principal } from './access/identity.ts';
import { sourceOf } from './access/peer.ts';
import { BerFault } from './ber/ber-reader.ts';
import { decodeControls } from './ber/controls.ts';
import type { FilterLimits } from './ber/decode-filter.ts';
import { decodeEnvelope, type Envelope } from './ber/decode-request.ts';
import { Framer, FramingFault } from './ber/framer.ts';
import { type AnsweredKind, type Call, responseTags, startTlsOid } from './ber/request.ts';
import { encodeDisconnection, encodeResult, type Result, resultOf } from './ber/result.ts';
import type { FaceLog } from './face-event.ts';
import type { LdapjsRouter } from './ldapjs-router.ts';
import type { FaceLimits } from './limits.ts';
import { Deadlines } from './operations/deadlines.ts';
import type { Operation, Session } from './operations/operation.ts';
import { type RunningOperation, RunningOperations } from './operations/running-operations.ts';
import { Outbox } from './outbox.ts';
import { type ContextParts, RunningContext } from './running-context.ts';

/** What a connection can do, by kind of request. */
export type Operations = { readonly [K in AnsweredKind]: Operation<Extract<Call, { kind: K }>> };

/** Brings TLS over a socket as the server side; rejects when the handshake fails or takes too long. */
export type TlsUpgrade = (socket: Socket) => Promise<{ readonly socket: TLSSocket; readonly peer: Peer }>;

/** Time of the one thread: strangers among themselves, and those who have bound among themselves. */
export interface Turns {
  readonly strangers: FairTurns;
  readonly accounts: FairTurns;
}

export interface ConnectionParts {
  readonly gate: LdapjsRouter;
  readonly operations: Operations;
  readonly limits: FaceLimits;
  readonly log: FaceLog;
  /** What someone who has bound is now; undefined when he may not bind any more. */
  readonly currently: (principal: Principal) => Principal | undefined;
  /** Takes a share of the memory for requests; `end` is called when all hold too much together. */
  readonly share: (end: () => void) => Share;
  readonly turns: Turns;
  /** Hears of octets received. */
  readonly received: (octets: number) => void;
  /** Takes a place among those that have bound, or gives it back. Throws LdapError busy. */
  readonly setBound: (bound: boolean) => void;
  /** Absent: StartTLS is not offered. */
  readonly startTls?: TlsUpgrade;
}

/** Longest time that the requests of one client are begun without giving way to other connections. */
const sliceMs = 5;
/** Silence after which the other end is asked whether it is still there. */
const keepAliveMs = 60_000;
/** What a request that runs is counted for besides its octets: its parts in memory. Else an account could begin any number of small ones. */
const bytesOfRunning = 4096;
/** Time that a client gets to read the notice of disconnection. */
const lingerMs = 2000;
/** Octets of memory for an element of a request. */
const elementBytes = 96;

export class LdapConnection implements Session {
  readonly id: string;
  readonly kept = new Map<string, Disposable>();
  readonly #parts: ConnectionParts;
  readonly #framer: Framer;
  readonly #running = new RunningOperations();
  readonly #deadlines = new Deadlines();
  readonly #share: Share;
  /** For what operations are given. */
  readonly #context: ContextParts;
  /** Octets of the messages of requests that run, and of what they were made into. */
  #runningBytes = 0;
  #socket: Socket;
  #outbox: Outbox;
  #peer: Peer;
  readonly #identity = new BoundPrincipal(() => this.recheck());
  /** A bind or StartTLS runs, or waits for the others to end: nothing is begun meanwhile. */
  #barred = false;
  /** Requests are being begun, or wait for their turn to be. */
  #pumping = false;
  #ended = false;
  #linger: NodeJS.Timeout | undefined;
  #reason = 'closed by the client';

  constructor(id: string, socket: Socket, peer: Peer, parts: ConnectionParts) {
    this.id = id;
    this.#socket = socket;
    this.#peer = peer;
    this.#parts = parts;
    this.#framer = new Framer(parts.limits.maxMessageBytesBeforeBind);
    this.#share = parts.share(() => this.disconnect('busy', 'the requests of all clients hold too much memory'));
    this.#context = {
      session: this,
      pace: parts.turns.accounts.paceOf(id),
      outbox: () => this.#outbox,
      deadline: (running, ms) => this.#deadlines.set(running, ms),
      persist: (running) => {
        this.#running.persist(running, parts.limits.maxPersistent);
        this.#pump();
      },
    };
    this.#outbox = this.#attach(socket);
    parts.log({ kind: 'connected', connection: id, peer });
  }

  get peer(): Peer {
    return this.#peer;
  }

  get principal(): Principal {
    return this.#identity.principal;
  }

  set principal(principal: Principal) {
    const { limits } = this.#parts;
    const bound = principal.kind !== 'anonymous';
    this.#parts.setBound(bound);
    this.#identity.principal = principal;
    this.#framer.maxBytes = bound ? limits.maxMessageBytes : limits.maxMessageBytesBeforeBind;
    this.#socket.setTimeout(bound ? limits.idleMs : limits.idleBeforeBindMs);
  }

  cancel(messageId: number): 'canceled' | 'noSuchOperation' | 'tooLate' | 'cannotCancel' {
    return this.#running.cancel(messageId);
  }

  /** Ends the connection when who has bound may not act any more, or no more as he did. */
  recheck(): void {
    if (this.#ended) return;
    const { principal } = this;
    const now = this.#parts.currently(principal);
    if (now?.kind === principal.kind) {
      this.#identity.principal = now;
      return;
    }
    this.#parts.log({ kind: 'revoked', connection: this.id, address: this.#peer.address, dn: principal.dn });
    this.disconnect('strongerAuthRequired', 'the account may not act any more as it did');
  }

  /** Ends the connection with a notice (RFC 4511 §4.4.1). */
  disconnect(code: ResultCodeName, message: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = message;
    this.#running.stopAll('disconnected');
    this.#framer.clear();
    this.#countHeld();
    this.#outbox.write(encodeDisconnection({ code, message }));
    this.#outbox.flush();
    this.#socket.end();
    this.#socket.resume();
    this.#linger = setTimeout(() => this.#socket.destroy(), lingerMs).unref();
  }

  /** Ends it for want of room: with a notice, but nothing more is read, so that those who connect without end do not pile up. */
  evict(message: string): void {
    this.disconnect('busy', message);
    this.#socket.destroySoon();
  }

  #attach(socket: Socket): Outbox {
    const { gate, limits } = this.#parts;
    gate.take(socket);
    socket.setNoDelay(true);
    // A client that waits for changes says nothing; one that is gone without a word must not keep its place.
    socket.setKeepAlive(true, keepAliveMs);
    socket.setTimeout(limits.idleBeforeBindMs);
    socket.on('data', (octets: Buffer) => {
      // What comes after the notice is read away, so that the client gets it and no reset.
      this.#parts.received(octets.length);
      if (this.#ended) return;
      this.#framer.push(octets);
      this.#pump();
    });
    socket.on('timeout', () => this.#idle());
    socket.on('error', (error) => (this.#reason = error.message));
    socket.on('close', () => {
      if (socket === this.#socket) this.#closed();
    });
    const bound = (): boolean => this.#bound;
    return new Outbox(socket, {
      stallMs: limits.stallMs,
      get maxUnsentBytes() {
        return bound() ? limits.maxUnsentBytes : 1;
      },
    });
  }

  get #bound(): boolean {
    return this.principal.kind !== 'anonymous';
  }

  get #filterLimits(): FilterLimits {
    const { limits } = this.#parts;
    return this.#bound ? limits.filter : limits.filterBeforeBind;
  }

  /** Begins as many of the received requests as may run now, and reads on only when all are begun. */
  #pump(when: 'run' | 'later' = 'run'): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const { strangers, accounts } = this.#parts.turns;
    if (this.#bound) accounts[when](this.id, () => this.#begin());
    else strangers[when](sourceOf(this.#peer.address), () => this.#begin());
    // Nothing is read while this waits.
    if (this.#pumping) this.#socket.pause();
  }

  #begin(): void {
    let hasMore = false;
    const until = performance.now() + sliceMs;
    try {
      while (this.#mayBegin()) {
        const message = this.#framer.next();
        if (message === undefined) break;
        this.#receive(message);
        // Strangers have one request at a time, then all others have their turn.
        if (!this.#bound || performance.now() > until) {
          hasMore = this.#framer.buffered > 0;
          break;
        }
      }
    } catch (error) {
      this.#fault(error);
    } finally {
      this.#pumping = false;
      this.#countHeld();
    }
    if (hasMore) this.#pump('later');
    else if (this.#ended || this.#mayBegin()) this.#socket.resume();
    else this.#socket.pause();
  }

  #countHeld(): void {
    const { outstanding } = this.#running;
    this.#share.hold(this.#ended ? 0 : this.#framer.held + this.#runningBytes + outstanding * bytesOfRunning);
  }

  get #maxOutstanding(): number {
    return this.#bound ? this.#parts.limits.maxOutstanding : 1;
  }

  #mayBegin(): boolean {
    if (this.#ended || this.#barred || this.#running.outstanding >= this.#maxOutstanding) return false;
    const room = this.#outbox.room();
    void room?.then(() => this.#pump());
    return room === undefined;
  }

  /** Throws BerFault or LdapError for a message after which the connection cannot go on. */
  #receive(message: Buffer): void {
    const envelope = decodeEnvelope(message, this.#filterLimits);
    const { messageId, kind } = envelope;
    if (kind === 'unbind') {
      this.#ended = true;
      this.#socket.end();
      return;
    }
    if (kind === 'abandon') {
      const call = envelope.call();
      if (call.kind === 'abandon') this.#running.abandon(call.messageId);
      return;
    }
    if (this.#running.has(messageId)) throw new BerFault(`message ID ${messageId} is in use`);
    this.#parts.gate.route(this.#socket, kind, messageId, () => {
      this.#run(kind, envelope, message.length).catch((error: unknown) => this.#fault(error));
    });
  }

  async #run(kind: AnsweredKind, envelope: Envelope, bytes: number): Promise<void> {
    const running = this.#running.begin(envelope.messageId, kind);
    let upgrade = false;
    let held = bytes;
    this.#runningBytes += bytes;
    try {
      const call = envelope.call() as Extract<Call, { kind: AnsweredKind }>;
      const made = envelope.elements() * elementBytes;
      this.#runningBytes += made;
      held += made;
      upgrade = call.kind === 'extended' && call.name === startTlsOid;
      const result = await this.#perform(call, envelope, running, upgrade);
      this.#reply(running, result);
      if (upgrade && result.code === 'success') await this.#upgrade();
    } catch (error) {
      if (error instanceof LdapError) this.#reply(running, resultOf(error));
      else if (error instanceof BerFault) this.#fault(error);
      else this.#reply(running, this.#bug(error));
    } finally {
      this.#running.end(running);
      this.#runningBytes -= held;
      if (kind === 'bind' || upgrade) this.#barred = false;
      this.#pump();
    }
  }

  async #perform(
    call: Extract<Call, { kind: AnsweredKind }>,
    envelope: Envelope,
    running: RunningOperation,
    upgrade: boolean,
  ): Promise<Result> {
    const controls = decodeControls(envelope.controls, call.kind, this.#filterLimits);
    if (call.kind === 'bind' || upgrade) {
      // RFC 4511 §4.2.1: what is under way ends first, and nothing is begun until the bind is answered.
      this.#barred = true;
      await this.#running.allBut(running);
    }
    if (upgrade) return this.#mayUpgrade();
    const operation = this.#parts.operations[call.kind] as Operation<typeof call>;
    return operation(call, new RunningContext(running, controls, this.#context));
  }

  /** Written by our own encoder: ldapjs's takes a kilobyte for each result, and cannot write octets or controls with octets. */
  #reply(running: RunningOperation, result: Result): void {
    if (!running.silent) this.#outbox.write(encodeResult(running.messageId, responseTags[running.kind], result));
  }

  #mayUpgrade(): Result {
    if (this.#parts.startTls === undefined) throw new LdapError('protocolError', 'StartTLS is not offered here');
    if (this.#peer.tls) throw new LdapError('operationsError', 'TLS is in force already');
    // Octets sent in clear behind the request would be read as if they had come through TLS.
    if (this.#framer.buffered > 0) throw new LdapError('operationsError', 'something follows the StartTLS request');
    return { code: 'success', name: startTlsOid };
  }

  async #upgrade(): Promise<void> {
    const { startTls, log } = this.#parts;
    const plain = this.#socket;
    this.#outbox.flush();
    plain.removeAllListeners('data');
    plain.removeAllListeners('timeout');
    plain.setTimeout(0);
    try {
      if (startTls === undefined) return;
      const { socket, peer } = await startTls(plain);
      this.#socket = socket;
      this.#peer = peer;
      this.#outbox = this.#attach(socket);
      // RFC 4513 §3.1.5: what was known before TLS is not trusted.
      this.principal = anonymous;
      log({ kind: 'tls', connection: this.id, protocol: socket.getProtocol() ?? '', cipher: socket.getCipher().name });
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      plain.destroy();
    }
  }

  /** Answers what RFC 4511 §4.1.1 wants answered by an end. */
  #fault(error: unknown): void {
    if (error instanceof FramingFault || error instanceof BerFault || error instanceof LdapError) {
      this.disconnect('protocolError', error.message);
    } else {
      this.#bug(error);
      this.disconnect('other', 'internal error');
    }
  }

  #bug(error: unknown): Result {
    this.#parts.log({ kind: 'fault', connection: this.id, error });
    return { code: 'other', message: 'internal error' };
  }

  #idle(): void {
    if (this.#socket.writableLength > 0) {
      this.#socket.destroy(new Error('the client reads nothing'));
    } else if (this.#running.size > 0) {
      this.#socket.setTimeout(this.#socket.timeout ?? this.#parts.limits.idleMs);
    } else {
      this.disconnect('unavailable', 'nothing was asked for too long');
    }
  }

  #closed(): void {
    this.#ended = true;
    clearTimeout(this.#linger);
    this.#share[Symbol.dispose]();
    this.#identity[Symbol.dispose]();
    this.#running.stopAll('disconnected');
    this.#deadlines[Symbol.dispose]();
    for (const kept of this.kept.values()) kept[Symbol.dispose]();
    this.kept.clear();
    this.#parts.log({ kind: 'disconnected', connection: this.id, reason: this.#reason });
  }
}
