/**
 * How a connection is begun, and how it is begun again when the peer fails at it. Pure. RFC 7435 §3: with opportunistic TLS
 * a failure before or in the handshake costs the encryption, never the delivery. RFC 5321 §4.1.4: a host that drops EHLO
 * may still speak HELO.
 */
import type { StartTlsUse } from '../../tls/index.ts';
import type { ConnectionLost } from './connection-lost.ts';

export interface ConnectionManner {
  readonly startTls: StartTlsUse;
  /** HELO without asking for extensions first. */
  readonly helo: boolean;
  /** A ClientHello that fits one packet: without the hybrid key share. */
  readonly smallHello: boolean;
}

export interface FallBack {
  readonly manner: ConnectionManner;
  /** In words, for the log. */
  readonly consequence: string;
}

/**
 * The manner of the next connection to the same host after this loss; undefined: there is none that the policy allows. Each
 * step gives something up for good, so there are at most four connections.
 */
export function fallBackFrom(
  manner: ConnectionManner,
  loss: Pick<ConnectionLost, 'kind' | 'step' | 'message'>,
): FallBack | undefined {
  if (loss.kind === 'tls' && loss.step === 'TLS handshake' && !manner.smallHello && !isAnswer(loss.message)) {
    return { manner: { ...manner, smallHello: true }, consequence: 'trying again with a small ClientHello' };
  }
  if (manner.startTls === 'required') return undefined;
  if (loss.kind === 'tls' && manner.startTls === 'when-offered') {
    return { manner: { ...manner, startTls: 'never' }, consequence: 'trying again without TLS' };
  }
  if (loss.kind === 'closed' && loss.step === 'EHLO' && !manner.helo) {
    return { manner: { ...manner, startTls: 'never', helo: true }, consequence: 'trying again with HELO' };
  }
  return undefined;
}

/**
 * The peer read the ClientHello and said no. Silence and a broken connection are what firewalls make of one that is longer
 * than a packet (X25519MLKEM768 alone has 1,216 octets).
 */
function isAnswer(message: string): boolean {
  return /alert|wrong version|packet length|unsupported protocol|no shared cipher|certificate|bad record/i.test(
    message,
  );
}
