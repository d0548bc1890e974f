/** Follows what a server answers to one ClientHello, up to the end of its first flight or the tickets after it. No socket. */

import { type HandshakeKeys, handshakeKeys, type RecordProtection } from './key-schedule.ts';
import type { KeyShare } from './key-share.ts';
import { OctetReader, uint, vector } from './octets.ts';
import { type HandshakeMessage, HandshakeReader, RecordReader, type TlsRecord } from './records.ts';
import { alertName, extensions, handshakeTypes, rawPublicKey, recordTypes, versions } from './registries.ts';
import {
  type CertificateEntry,
  type KeyExchange,
  readCertificateEntries,
  readCertificates,
  readExtensions,
  readKeyExchange,
  readServerHello,
  readStaple,
  readTicket,
  type ServerHello,
  type Ticket,
} from './server-messages.ts';

/** All that one flight showed. */
export interface Flight {
  hello?: ServerHello;
  /** DER, leaf first. */
  certificates: readonly Buffer[];
  /** OCSP response stapled to the leaf. */
  staple?: Buffer;
  /** Signed certificate timestamps in the handshake (RFC 6962 §3.3), list as sent. */
  timestamps?: Buffer;
  keyExchange?: KeyExchange;
  /** Scheme of CertificateVerify (TLS 1.3). */
  signature?: number;
  alpn?: string;
  /** A certificate of RFC 7250 was agreed on, of one side or the other: no X.509. */
  rawKeys: boolean;
  certificateRequested: boolean;
  tickets: Ticket[];
  alert?: { readonly fatal: boolean; readonly name: string };
  /** The server's first flight is whole: ServerHelloDone, Finished, or a HelloRetryRequest. */
  complete: boolean;
  /** Records of TLS 1.3 that could not be opened here: only the hello is known. */
  sealed: boolean;
}

/** Most octets that are read in answer to one hello. */
const maxFlightBytes = 524_288;

export class ServerFlight {
  readonly flight: Flight = {
    certificates: [],
    rawKeys: false,
    certificateRequested: false,
    tickets: [],
    complete: false,
    sealed: false,
  };
  readonly #records = new RecordReader();
  readonly #handshake = new HandshakeReader();
  readonly #shares: readonly KeyShare[];
  #transcript: Buffer[];
  #bytes = 0;
  #keys: HandshakeKeys | undefined;
  #opening: RecordProtection | undefined;
  #rawServerKey = false;

  /** `clientHello`: the handshake message that was sent; `shares`: those that stood in it. */
  constructor(clientHello: Buffer, shares: readonly KeyShare[] = []) {
    this.#transcript = [clientHello];
    this.#shares = shares;
  }

  /** Takes what came. Throws RangeError for what is no TLS, or too long. */
  push(octets: Buffer): void {
    this.#bytes += octets.length;
    if (this.#bytes > maxFlightBytes) throw new RangeError(`more than ${maxFlightBytes} octets in answer to one hello`);
    for (const record of this.#records.push(octets)) this.#record(record);
  }

  /**
   * What ends a handshake of TLS 1.3 on the client's side: Finished, after an empty Certificate where one was asked for.
   * Undefined where there is nothing to finish. From here on tickets are read.
   */
  finish(): Buffer | undefined {
    if (this.#keys === undefined || !this.flight.complete) return undefined;
    const upToServer = Buffer.concat(this.#transcript);
    const application = this.#keys.application(upToServer);
    const messages: Buffer[] = [];
    if (this.flight.certificateRequested) {
      messages.push(handshake(handshakeTypes.certificate, Buffer.concat([vector(1), vector(3)])));
    }
    const verifyData = this.#keys.finished(Buffer.concat([upToServer, ...messages]));
    messages.push(handshake(handshakeTypes.finished, verifyData));
    this.#opening = application.server;
    return this.#keys.client.seal(recordTypes.handshake, Buffer.concat(messages));
  }

  #record(record: TlsRecord): void {
    if (record.type === recordTypes.changeCipherSpec || this.flight.sealed) return;
    if (record.type !== recordTypes.applicationData) return this.#content(record.type, record.content);
    if (this.#opening === undefined) throw new RangeError('application data before the handshake');
    const { type, content } = this.#opening.open(record.header, record.content);
    this.#content(type, content);
  }

  #content(type: number, content: Buffer): void {
    if (type === recordTypes.alert) {
      // A warning such as unrecognized_name does not end the handshake.
      const fatal = content[0] === 2 || content[1] === 0;
      if (fatal) this.flight.alert ??= { fatal, name: alertName(content[1] ?? 0) };
    } else if (type === recordTypes.handshake) {
      for (const message of this.#handshake.push(content)) this.#message(message);
    }
  }

  #message({ type, body, raw }: HandshakeMessage): void {
    const { flight } = this;
    if (type === handshakeTypes.newSessionTicket) {
      flight.tickets.push(readTicket(body, flight.hello?.version ?? versions.tls1_2));
      return;
    }
    if (flight.complete) return;
    this.#transcript.push(raw);
    if (type === handshakeTypes.serverHello) this.#serverHello(body);
    else if (type === handshakeTypes.certificate) this.#certificate(body);
    else if (type === handshakeTypes.certificateStatus) flight.staple = readStaple(body);
    else if (type === handshakeTypes.serverKeyExchange && flight.hello !== undefined)
      flight.keyExchange = readKeyExchange(body, flight.hello);
    else if (type === handshakeTypes.certificateRequest) flight.certificateRequested = true;
    else if (type === handshakeTypes.certificateVerify) flight.signature = new OctetReader(body).uint(2);
    else if (type === handshakeTypes.encryptedExtensions)
      this.#answers(readExtensions(new OctetReader(body).vector(2)));
    else if (type === handshakeTypes.serverHelloDone || type === handshakeTypes.finished) flight.complete = true;
  }

  #serverHello(body: Buffer): void {
    const hello = readServerHello(body);
    this.flight.hello = hello;
    this.#answers(hello.extensions);
    if (hello.helloRetry) {
      this.flight.complete = true;
      return;
    }
    if (hello.version < versions.tls1_3) return;
    const share = this.#shares.find(({ group }) => group === hello.group);
    if (share === undefined || hello.keyShare === undefined || !this.#derive(hello, share)) {
      this.flight.sealed = true;
      this.flight.complete = true;
    }
  }

  /** Whether the records that follow can be opened. */
  #derive(hello: ServerHello, share: KeyShare): boolean {
    try {
      this.#keys = handshakeKeys(
        hello.suite,
        share.secret(hello.keyShare ?? Buffer.alloc(0)),
        Buffer.concat(this.#transcript),
      );
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    this.#opening = this.#keys.server;
    return true;
  }

  #certificate(body: Buffer): void {
    // A bare key stands where the chain would (RFC 7250 §3).
    if (this.#rawServerKey) return;
    if ((this.flight.hello?.version ?? 0) < versions.tls1_3) {
      this.flight.certificates = readCertificates(body);
      return;
    }
    const entries: readonly CertificateEntry[] = readCertificateEntries(body);
    this.flight.certificates = entries.map(({ der }) => der);
    const ofLeaf = entries[0]?.extensions;
    const status = ofLeaf?.get(extensions.statusRequest);
    if (status !== undefined) this.flight.staple = readStaple(status);
    this.#timestamps(ofLeaf);
  }

  #timestamps(list: ReadonlyMap<number, Buffer> | undefined): void {
    const found = list?.get(extensions.signedCertificateTimestamp);
    if (found !== undefined) this.flight.timestamps = found;
  }

  /** Extensions of a ServerHello or of EncryptedExtensions. */
  #answers(list: ReadonlyMap<number, Buffer>): void {
    const isRaw = (type: number): boolean => list.get(type)?.[0] === rawPublicKey;
    this.#rawServerKey ||= isRaw(extensions.serverCertificateType);
    this.flight.rawKeys ||= this.#rawServerKey || isRaw(extensions.clientCertificateType);
    this.#timestamps(list);
    const chosen = list.get(extensions.alpn);
    if (chosen === undefined) return;
    this.flight.alpn = new OctetReader(new OctetReader(chosen).vector(2)).vector(1).toString('latin1');
  }
}

function handshake(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(type, 1), vector(3, body)]);
}
