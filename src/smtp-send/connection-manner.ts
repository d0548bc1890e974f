/**
 * How a connection is begun, and how it is begun again when the peer fails at it. Pure. RFC 7435 §3: with opportunistic TLS
 * a failure before or in the handshake costs the encryption, never the delivery. RFC 5321 §4.1.4: a host that drops EHLO
 * may still speak HELO.
 */
import type { StartTlsUse } from '../tls/index.ts';
import type { ConnectionLost } from './connection-lost.ts';

export interface ConnectionManner {
  readonly startTls: StartTlsUse;
  /** HELO without asking for extensions first. */
  readonly helo: boolean;
}

export interface FallBack {
  readonly manner: ConnectionManner;
  /** In words, for the log. */
  readonly consequence: string;
}

/**
 * The manner of the next connection to the same host after this loss; undefined: there is none that the policy allows. Each
 * step gives something up for good, so there are at most three connections.
 */
export function fallBackFrom(
  manner: ConnectionManner,
  loss: Pick<ConnectionLost, 'kind' | 'step'>,
): FallBack | undefined {
  if (manner.startTls === 'required') return undefined;
  if (loss.kind === 'tls' && manner.startTls === 'when-offered') {
    return { manner: { ...manner, startTls: 'never' }, consequence: 'trying again without TLS' };
  }
  if (loss.kind === 'closed' && loss.step === 'EHLO' && !manner.helo) {
    return { manner: { startTls: 'never', helo: true }, consequence: 'trying again with HELO' };
  }
  return undefined;
}
