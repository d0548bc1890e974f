/** TLS to an edge, whose key must be one of those that are pinned: nothing is sent before that is seen. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { keyDigest } from '../../base/index.ts';

export interface EdgeAddress {
  /** Host to connect to. */
  readonly address: string;
  readonly port: number;
  /** Digests of the keys that the edge is known by. */
  readonly pins: readonly string[];
  /** The client's certificate and key, PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** The server that answers is not the edge, or its key was changed without the inside hearing of it. */
class PinMismatchError extends Error {
  override readonly name = 'PinMismatchError';
  /** Of Exchange's EdgeSync for the same: FailedDirectTrustMatch. */
  readonly eventId = 10104;
  readonly presented: string;

  constructor(address: string, presented: string) {
    super(
      `${address} shows a key that is not pinned (${presented}): somebody is in between, or the edge has another certificate and the old one is gone. Compare with 'Get-EdgeSubscription' on the edge, then: edge sync rekey NAME --pin ${presented}`,
    );
    this.presented = presented;
  }
}

const handshakeMs = 15_000;

/** Connects; rejects with PinMismatchError, or with Error when there is no connection. */
export function openEdgeSocket({ address, port, pins, certificate, key }: EdgeAddress): Promise<TLSSocket> {
  // The chain says nothing here: the certificate is self-signed as a rule, and its key is what counts.
  const tls: ConnectionOptions = { cert: certificate, key, rejectUnauthorized: false, minVersion: 'TLSv1.2' };
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, ...tls });
    const timer = setTimeout(() => socket.destroy(new Error(`${address}:${port} does not answer`)), handshakeMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      const peer = socket.getPeerX509Certificate();
      const presented = peer === undefined ? 'none' : keyDigest(peer);
      socket.off('error', fail);
      if (pins.includes(presented)) {
        socket.setNoDelay(true);
        return resolve(socket);
      }
      socket.on('error', () => undefined);
      socket.destroy();
      reject(new PinMismatchError(`${address}:${port}`, presented));
    });
  });
}
