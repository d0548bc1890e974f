/** Which SASL mechanisms a connector offers: RFC 4954 §3. Pure. */
import type { ReceiveConnector } from '../config/index.ts';

/** Every mechanism that is built. */
const mechanismNames = ['LOGIN', 'PLAIN'] as const;

/** Mechanisms that a connector offers to a session, in the order of the EHLO line. Integrated stands for none that is built. */
export function offeredMechanisms(
  { authMechanism }: Pick<ReceiveConnector, 'authMechanism'>,
  secure: boolean,
): readonly string[] {
  const inClear = !authMechanism.includes('BasicAuthRequireTLS');
  return authMechanism.includes('BasicAuth') && (secure || inClear) ? mechanismNames : [];
}
