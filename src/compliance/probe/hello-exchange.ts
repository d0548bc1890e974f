import { randomBytes } from 'node:crypto';
import {
  type ClientHello,
  clientHelloRecords,
  type Flight,
  handshakeOf,
  type KeyShare,
  makeKeyShare,
  ServerFlight,
} from '../../tls/wire/index.ts';
import { Untested } from '../facts/untested.ts';
import type { Dialer } from './dialer.ts';
import type { ProbeConnection } from './probe-connection.ts';

/** What a hello offers; its random and key shares are made for each try. */
export type HelloOffer = Omit<ClientHello, 'random' | 'extensions'> & {
  readonly extensions?: (shares: readonly KeyShare[]) => ClientHello['extensions'];
  /** Groups to make key shares for. */
  readonly shares?: readonly number[];
  /** Read on to the session tickets. */
  readonly toTickets?: boolean;
};

/** How a server took a hello. */
export type HelloAnswer =
  | { readonly kind: 'accepted'; readonly flight: Flight }
  /** An alert or an orderly close: a refusal, if others succeed before and after. */
  | { readonly kind: 'refused'; readonly how: string };

/** How long tickets are waited for when the handshake is finished, in milliseconds. */
const ticketsMs = 1500;

/** Sends hellos and tells acceptance, refusal and what is neither. */
export class HelloExchange {
  readonly dialer: Dialer;
  /** Every flight that was accepted, for the certificates in it. */
  readonly #onFlight: (flight: Flight, offer: HelloOffer) => void;

  constructor(dialer: Dialer, onFlight: (flight: Flight, offer: HelloOffer) => void) {
    this.dialer = dialer;
    this.#onFlight = onFlight;
  }

  /** One hello on one connection; what is unclear is tried again. Throws Untested. */
  ask(offer: HelloOffer): Promise<HelloAnswer> {
    return this.dialer.untilClear(async () => {
      using connection = await this.dialer.openForTls();
      const answer = await this.#exchange(connection, offer);
      if (answer.kind === 'accepted') this.#onFlight(answer.flight, offer);
      return answer;
    });
  }

  async #exchange(connection: ProbeConnection, offer: HelloOffer): Promise<HelloAnswer> {
    const shares = (offer.shares ?? []).map(makeKeyShare).filter((share) => share !== undefined);
    const { extensions, ...rest } = offer;
    const list = extensions?.(shares);
    const hello = { ...rest, random: randomBytes(32), ...(list === undefined ? {} : { extensions: list }) };
    const reading = new ServerFlight(handshakeOf(hello), shares);
    connection.write(clientHelloRecords(hello));
    const ended = await this.#readFlight(connection, reading);
    const { flight } = reading;
    if (flight.alert !== undefined) return { kind: 'refused', how: `alert ${flight.alert.name}` };
    if (flight.hello === undefined && ended === 'end') return { kind: 'refused', how: 'closed' };
    if (!flight.complete) throw new Untested(lost(ended, flight, this.dialer.manners.stepMs));
    if (offer.toTickets === true) await this.#readTickets(connection, reading);
    return { kind: 'accepted', flight };
  }

  async #readFlight(connection: ProbeConnection, reading: ServerFlight): Promise<'end' | 'reset' | 'silence' | 'read'> {
    const deadline = performance.now() + this.dialer.manners.stepMs;
    while (!reading.flight.complete && reading.flight.alert === undefined) {
      const left = deadline - performance.now();
      const read = left > 0 ? await connection.read(left) : 'silence';
      if (typeof read === 'string') return read;
      try {
        reading.push(read);
      } catch (error) {
        if (error instanceof RangeError) throw new Untested(`no answer of TLS: ${error.message}`, false);
        throw error;
      }
    }
    return 'read';
  }

  async #readTickets(connection: ProbeConnection, reading: ServerFlight): Promise<void> {
    const finish = reading.finish();
    if (finish === undefined) return;
    connection.write(finish);
    const deadline = performance.now() + ticketsMs;
    while (reading.flight.tickets.length === 0 && performance.now() < deadline) {
      const read = await connection.read(Math.max(1, deadline - performance.now()));
      if (typeof read === 'string') return;
      try {
        reading.push(read);
      } catch {
        // What follows the handshake may be anything: without a readable ticket there is no ticket.
        return;
      }
    }
  }
}

function lost(ended: string, flight: Flight, stepMs: number): string {
  const after = flight.hello === undefined ? 'the ClientHello' : 'its ServerHello';
  if (ended === 'reset') return `reset after ${after}`;
  return ended === 'end' ? `closed after ${after}` : `silent for ${stepMs / 1000} s after ${after}`;
}
