/** A mail server with one fault: what STARTTLS can be done wrong with, for the tester to find. */
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Running } from './endpoints.ts';

export type MailServerFault =
  | 'none'
  | 'no-starttls'
  | 'masked'
  | 'auth-before-tls'
  | 'takes-parameter'
  | 'injection'
  | 'keeps-state'
  | 'offers-again'
  | 'starttls-454'
  | 'greeting-421'
  | 'requiretls-in-clear'
  | 'garbage'
  | 'silent'
  | 'huge-banner'
  | 'rate-limited';

/** Connections that the rate-limited server takes before it answers 421. */
const rateLimit = 12;

export async function startMailServer(
  fault: MailServerFault,
  pair: { cert: string; key: string },
  place: { readonly port: number; readonly host: string } = { port: 0, host: '127.0.0.1' },
): Promise<Running> {
  const secureContext = createSecureContext({
    ...pair,
    ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
    minVersion: 'TLSv1.2',
  });
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (refuseAtOnce(fault, socket, ++count)) return;
    new Session(socket, fault, secureContext).greet();
  });
  await new Promise<void>((resolve) => server.listen(place, resolve));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Servers that never come to a dialogue. */
function refuseAtOnce(fault: MailServerFault, socket: Socket, count: number): boolean {
  if (fault === 'silent') return true;
  if (fault === 'garbage') socket.write(Buffer.from('\x16\x03\xff garbage \x00\xff\r\n', 'latin1'));
  else if (fault === 'huge-banner') socket.write(`220-${'x'.repeat(2_000_000)}`);
  else if (fault === 'greeting-421') socket.end('421 4.3.2 closing\r\n');
  else if (fault === 'rate-limited' && count > rateLimit) socket.end('421 4.7.0 too many connections\r\n');
  else return false;
  return true;
}

type SecureContext = ReturnType<typeof createSecureContext>;

class Session {
  readonly #fault: MailServerFault;
  readonly #context: SecureContext;
  #socket: Socket;
  #held = '';
  #mail = false;
  #secure = false;

  constructor(socket: Socket, fault: MailServerFault, context: SecureContext) {
    this.#socket = socket;
    this.#fault = fault;
    this.#context = context;
    socket.on('data', this.#data);
  }

  greet(): void {
    this.#say('220 lab.edge.test ESMTP');
  }

  readonly #data = (octets: Buffer): void => {
    this.#held += octets.toString('latin1');
    for (let end = this.#held.indexOf('\r\n'); end >= 0; end = this.#held.indexOf('\r\n')) {
      const line = this.#held.slice(0, end);
      this.#held = this.#held.slice(end + 2);
      if (this.#command(line)) return;
    }
  };

  #say(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  /** True when TLS begins and the rest of the input is not commands in the clear. */
  #command(line: string): boolean {
    const [verb = '', argument] = line.toUpperCase().split(' ');
    if (verb === 'EHLO' || verb === 'LHLO') this.#capabilities();
    else if (verb === 'STARTTLS') return this.#startTls(argument);
    else if (verb === 'MAIL' && this.#mail) this.#say('503 5.5.1 nested MAIL command');
    else if (verb === 'MAIL') {
      this.#mail = true;
      this.#say('250 2.1.0 ok');
    } else if (verb === 'RSET') {
      this.#mail = false;
      this.#say('250 2.0.0 ok');
    } else if (verb === 'NOOP') this.#say('250 2.0.0 ok');
    else if (verb === 'QUIT') this.#say('221 2.0.0 bye');
    else this.#say('500 5.5.1 unknown');
    return false;
  }

  #capabilities(): void {
    const fault = this.#fault;
    const lines = ['lab.edge.test', 'SIZE 1000'];
    if (!this.#secure && fault !== 'no-starttls') lines.push(fault === 'masked' ? 'XXXXXXXA' : 'STARTTLS');
    if (this.#secure && fault === 'offers-again') lines.push('STARTTLS');
    if (this.#secure || fault === 'requiretls-in-clear') lines.push('REQUIRETLS');
    if (this.#secure || fault === 'auth-before-tls') lines.push('AUTH PLAIN LOGIN');
    for (const [i, text] of lines.entries()) this.#say(`250${i < lines.length - 1 ? '-' : ' '}${text}`);
  }

  #startTls(argument: string | undefined): boolean {
    if (argument !== undefined && this.#fault !== 'takes-parameter') {
      this.#say('501 5.5.4 no parameters');
      return false;
    }
    if (this.#fault === 'starttls-454') {
      this.#say('454 4.7.0 TLS not available');
      return false;
    }
    this.#say('220 2.0.0 ready');
    const injected = this.#fault === 'injection' ? this.#held : '';
    this.#held = '';
    if (this.#fault !== 'keeps-state') this.#mail = false;
    const bare = this.#socket;
    bare.removeListener('data', this.#data);
    const secure = new TLSSocket(bare, { isServer: true, secureContext: this.#context });
    secure.on('error', () => undefined);
    secure.on('data', this.#data);
    this.#socket = secure;
    this.#secure = true;
    // The fault of CVE-2011-0411: what stood behind STARTTLS in the clear is answered inside.
    if (injected !== '') secure.once('secure', () => this.#data(Buffer.from(injected, 'latin1')));
    return true;
  }
}
