/** The service's side of the management endpoint: one unix socket for the local administrators. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { HeldShares, ReadGarbage, type Share } from '../base/index.ts';
import { listedAccount } from '../processes/accounts/index.ts';
import { type HeldFolder, holdFolder, ProofFolder } from './caller-proof.ts';
import { isShared } from './management-folder.ts';
import { type Answer, type Request, readLines, socketName } from './management-wire.ts';

/** Who calls, as the kernel has it. */
export interface Caller {
  readonly uid: number;
  /** `uid <number>` for the account of the service where the system does not name it. */
  readonly name: string;
}

/** Answers one method. Parts go out as they are yielded; what is returned ends the answer. */
export type ManagementMethod = (
  params: unknown,
  signal: AbortSignal,
  caller: Caller,
) => AsyncGenerator<unknown, unknown>;

/** A request longer than this is not one of ours, in octets; before the caller is known, far less is. */
const maxRequestLength = 4 * 1024 * 1024;
const maxProofLength = 256;

/** Octets of requests, begun or running, of all callers together; beyond, a connection that holds much is ended. */
const maxHeldOctets = 8 * 1024 * 1024;
/** Requests of one connection that run at once. */
const maxRunning = 64;

/** Time for a caller to prove who it is. */
const proofTimeoutMs = 5_000;

/** Connections at a time, in all and of one account: nobody shuts the others out. */
const maxConnections = 256;
const maxConnectionsOfOne = 64;

/** Serves the methods on a socket in a folder that `prepareManagement` made. */
export class ManagementServer {
  readonly #methods: Readonly<Record<string, ManagementMethod>>;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #shares = new HeldShares(maxHeldOctets);
  readonly #garbage = new ReadGarbage();
  #folder?: HeldFolder;
  #proofs?: ProofFolder;

  constructor(methods: Readonly<Record<string, ManagementMethod>>) {
    this.#methods = methods;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = maxConnections;
  }

  async listen(folder: string): Promise<void> {
    // Held open until the end: a socket's path has 107 octets at the most, the way through the open folder is short.
    this.#folder = holdFolder(folder);
    this.#proofs = new ProofFolder(folder);
    const path = join(this.#folder.path, socketName);
    rmSync(path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(path, () => {
      chmodSync(path, isShared(folder) ? 0o660 : 0o600);
      resolve();
    });
    await promise;
  }

  close(): void {
    this.#server.close(() => this.#folder?.[Symbol.dispose]());
    for (const connection of this.#connections) connection.end();
  }

  #countOf(uid: number): number {
    return [...this.#connections].filter((connection) => connection.uid === uid).length;
  }

  #accept(socket: Socket): void {
    if (this.#proofs === undefined) return void socket.destroy();
    const share = this.#shares.enter(() => socket.destroy());
    const connection = new Connection(socket, this.#methods, this.#proofs, share, (uid) => this.#countOf(uid));
    this.#connections.add(connection);
    socket.on('data', (octets: Buffer) => this.#garbage.add(octets.length));
    socket.on('close', () => {
      this.#connections.delete(connection);
      share[Symbol.dispose]();
    });
  }
}

/** One caller. */
class Connection {
  readonly #socket: Socket;
  readonly #methods: Readonly<Record<string, ManagementMethod>>;
  readonly #proofs: ProofFolder;
  readonly #running = new Map<number, AbortController>();
  readonly #tooLate: NodeJS.Timeout;
  readonly #countOf: (uid: number) => number;
  readonly #share: Share;
  /** Octets of the request that has begun to come, and of those that run. */
  #begun = 0;
  #runningOctets = 0;
  /** What the caller has to prove itself by, until it tried. */
  #challenge: string | undefined;
  #caller: Caller | undefined;
  /** Known before its name is: it counts from then on. */
  #uid: number | undefined;

  constructor(
    socket: Socket,
    methods: Readonly<Record<string, ManagementMethod>>,
    proofs: ProofFolder,
    share: Share,
    countOf: (uid: number) => number,
  ) {
    this.#share = share;
    this.#countOf = countOf;
    this.#socket = socket;
    this.#methods = methods;
    this.#proofs = proofs;
    this.#tooLate = setTimeout(() => this.#refuse('the caller did not prove who it is in time'), proofTimeoutMs);
    socket.on('error', () => {});
    socket.on('close', () => this.#leave());
    const most = (): number => (this.#caller === undefined ? maxProofLength : maxRequestLength);
    readLines(
      socket,
      most,
      (line) => void this.#take(line),
      (octets) => {
        this.#begun = octets;
        this.#countHeld();
      },
    );
    this.#challenge = proofs.issue();
    this.#send({ prove: this.#challenge });
  }

  /** Account at the other end, once it is proved. */
  get uid(): number | undefined {
    return this.#uid;
  }

  end(): void {
    this.#socket.destroy();
  }

  #countHeld(): void {
    if (!this.#socket.destroyed) this.#share.hold(this.#begun + this.#runningOctets);
  }

  #leave(): void {
    clearTimeout(this.#tooLate);
    if (this.#challenge !== undefined) this.#proofs.withdraw(this.#challenge);
    for (const abort of this.#running.values()) abort.abort();
  }

  #send(answer: Answer): boolean {
    return this.#socket.write(`${JSON.stringify(answer)}\n`);
  }

  #refuse(error: string): void {
    if (this.#socket.destroyed) return;
    this.#send({ id: 0, error });
    this.#socket.destroySoon();
  }

  async #take(line: string): Promise<void> {
    let id = 0;
    try {
      const request = JSON.parse(line) as Request;
      if (this.#caller === undefined) return await this.#prove(request);
      if (request.cancel !== undefined) return this.#running.get(request.cancel)?.abort();
      id = request.id;
      if (this.#running.has(id)) throw new Error(`request ${id} runs already: use another number`);
      if (this.#running.size >= maxRunning) throw new Error(`${maxRunning} requests run already: wait for one`);
      this.#runningOctets += line.length;
      this.#countHeld();
      try {
        await this.#answer(request, this.#caller);
      } finally {
        this.#runningOctets -= line.length;
        this.#countHeld();
      }
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      if (this.#caller === undefined) this.#refuse(told);
      else if (!this.#socket.destroyed) this.#tellError(id, told);
    }
  }

  /** A caller that reads no errors is not asked for more requests. */
  #tellError(id: number, error: string): void {
    if (this.#send({ id, error })) return;
    this.#socket.pause();
    this.#socket.once('drain', () => this.#socket.resume());
  }

  async #prove(request: Request): Promise<void> {
    const challenge = this.#challenge;
    this.#challenge = undefined;
    if (challenge === undefined || request.proved !== true) {
      if (challenge !== undefined) this.#proofs.withdraw(challenge);
      return this.#refuse('the first thing said here must be a proof of who calls');
    }
    let uid: number;
    try {
      uid = this.#proofs.redeem(challenge);
    } catch (error) {
      return this.#refuse((error as Error).message);
    }
    if (this.#countOf(uid) >= maxConnectionsOfOne)
      return this.#refuse(`this account has ${maxConnectionsOfOne} connections already: close one`);
    this.#uid = uid;
    clearTimeout(this.#tooLate);
    // The numbers of a container's accounts are nobody's here, whatever group they are in there; our own may have no name.
    const name = (await listedAccount(uid)) ?? (uid === process.getuid?.() ? `uid ${uid}` : undefined);
    if (name === undefined)
      return this.#refuse(`the system names no account ${uid}: call as one of those that it names`);
    this.#caller = { uid, name };
    this.#send({ id: 0, end: null });
  }

  async #answer({ id, method: name, params }: Request, caller: Caller): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
      if (method === undefined) throw new Error(`there is no method '${name}'`);
      const answer = method(params, abort.signal, caller);
      for (;;) {
        const { done, value } = await answer.next();
        if (this.#socket.destroyed) return void (await answer.return(undefined));
        if (!this.#send(done ? { id, end: value ?? null } : { id, part: value })) await drained(this.#socket);
        if (done) return;
      }
    } finally {
      this.#running.delete(id);
    }
  }
}

async function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('drain', resolve);
  socket.once('close', resolve);
  await promise;
}
