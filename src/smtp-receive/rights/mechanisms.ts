/** Which SASL mechanisms a connector offers: RFC 4954 §3. Pure. */
import type { ReceiveConnector } from '../../config/index.ts';

/** By name and password: every one that is built. Integrated stands for none of them. */
const byPassword = ['LOGIN', 'PLAIN'] as const;

/** What a session has. */
export interface MechanismState {
  readonly secure: boolean;
  /** The client showed a certificate. */
  readonly certificate: boolean;
}

/** Mechanisms that a connector offers to a session, in the order of the EHLO line. */
export function offeredMechanisms(
  { authMechanism, externalAuthEnabled }: Pick<ReceiveConnector, 'authMechanism' | 'externalAuthEnabled'>,
  { secure, certificate }: MechanismState,
): readonly string[] {
  const inClear = !authMechanism.includes('BasicAuthRequireTLS');
  return [
    ...(authMechanism.includes('BasicAuth') && (secure || inClear) ? byPassword : []),
    ...(externalAuthEnabled && certificate ? ['EXTERNAL'] : []),
  ];
}
