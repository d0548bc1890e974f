import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { RecordReader, type TlsRecord } from '../../tls/wire/index.ts';

/** Passes octets between a socket and OpenSSL, and shows the records that the peer sends: their types are in the clear. */
export class RecordTap extends Duplex {
  readonly #socket: Socket;
  readonly #records = new RecordReader();
  #readable = true;

  constructor(socket: Socket, onRecord: (record: TlsRecord) => void) {
    super();
    this.#socket = socket;
    socket.on('data', (octets: Buffer) => {
      this.#look(octets, onRecord);
      if (!this.push(octets)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  #look(octets: Buffer, onRecord: (record: TlsRecord) => void): void {
    if (!this.#readable) return;
    try {
      for (const record of this.#records.push(octets)) onRecord(record);
    } catch (error) {
      // No TLS: OpenSSL says so itself.
      if (!(error instanceof RangeError)) throw error;
      this.#readable = false;
    }
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(octets: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.writable) this.#socket.write(octets, done);
    else done(new Error('the peer is gone'));
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
