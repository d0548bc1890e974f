import type { Agent } from 'node:https';
import { createSecureContext } from 'node:tls';

/** Connections to an authority whose own certificate comes from one of these (PEM). To be destroyed. */
export async function agentFor(authorities: readonly string[]): Promise<Agent> {
  const { Agent } = await import('node:https');
  return new Agent({ keepAlive: true, secureContext: createSecureContext({ ca: [...authorities] }) });
}
