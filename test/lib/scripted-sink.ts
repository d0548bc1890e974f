/** A next hop that does as it is told: accepts, refuses, defers, hangs or hangs up, and remembers what it took. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

export interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
}

/** What the sink answers; each may change while it runs. An answer of '' means: say nothing more; 'close': hang up. */
export interface SinkBehaviour {
  greeting: string;
  ehlo: string;
  mail: (line: string) => string;
  rcpt: (line: string) => string;
  data: string;
  /** The reply to the content. */
  content: (content: string) => string;
}

const obliging: SinkBehaviour = {
  greeting: '220 sink.example ESMTP',
  ehlo: '250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 104857600',
  mail: () => '250 2.1.0 Ok',
  rcpt: () => '250 2.1.5 Ok',
  data: '354 go ahead',
  content: () => '250 2.0.0 Ok',
};

export class ScriptedSink implements AsyncDisposable {
  readonly taken: Taken[] = [];
  readonly behaviour: SinkBehaviour;
  connections = 0;
  #server: Server;
  #sockets = new Set<Socket>();
  #port: number;

  private constructor(behaviour: Partial<SinkBehaviour>, port: number) {
    this.behaviour = { ...obliging, ...behaviour };
    this.#port = port;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async listen(behaviour: Partial<SinkBehaviour> = {}, port = 0): Promise<ScriptedSink> {
    const sink = new ScriptedSink(behaviour, port);
    await sink.open();
    return sink;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens (again) on its port. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as { port: number }).port;
  }

  /** Is gone: nobody answers on the port until `open()`. */
  async shut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.shut();
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    let from = '';
    let to: string[] = [];
    let inData = false;
    const answer = (reply: string): void => {
      if (reply === 'close') socket.destroy();
      else if (reply !== '') socket.write(`${reply}\r\n`);
    };
    const command = (line: string): void => {
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO' || verb === 'HELO') return answer(this.behaviour.ehlo);
      if (verb === 'MAIL') {
        from = /<(.*?)>/.exec(line)?.[1] ?? '';
        to = [];
        return answer(this.behaviour.mail(line));
      }
      if (verb === 'RCPT') {
        const reply = this.behaviour.rcpt(line);
        if (reply.startsWith('2')) to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
        return answer(reply);
      }
      if (verb === 'DATA') {
        if (to.length === 0) return answer('503 5.5.1 No valid recipients');
        inData = this.behaviour.data.startsWith('3');
        return answer(this.behaviour.data);
      }
      if (verb === 'QUIT') return void socket.end('221 2.0.0 Bye\r\n');
      answer('250 2.0.0 Ok');
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (;;) {
        if (inData) {
          const end = text.startsWith('.\r\n') ? 0 : text.indexOf('\r\n.\r\n') + 2;
          if (end === 1) return;
          const content = text.slice(0, end).replace(/^\.\./gm, '.');
          text = text.slice(end + 3);
          inData = false;
          const reply = this.behaviour.content(content);
          if (reply.startsWith('2')) this.taken.push({ from, to, content });
          answer(reply);
          to = [];
        }
        const end = text.indexOf('\r\n');
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        command(line);
      }
    });
    answer(this.behaviour.greeting);
  }
}
