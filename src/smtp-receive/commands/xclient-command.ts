/** XCLIENT, for the balancers that the binding names: the session begins anew as that of the client behind it. */
import { type ProxiedEndpoints, replies, SmtpError, withXClient } from '../../smtp/index.ts';
import type { CommandSession } from '../session/command-session.ts';

/** Nothing of the session stays: no right, no connector, no HELO. LOGIN grants nothing. */
export function xClient(session: CommandSession, argument: string): void {
  const { balanced } = session.origin;
  if (balanced === undefined)
    throw new SmtpError(replies.unrecognizedCommand, 'the peer is no balancer (XClientBalancers)');
  if (session.transaction !== undefined) throw new SmtpError(replies.badSequence, 'XCLIENT amid a transaction');
  if (session.tls !== undefined) throw new SmtpError(replies.badSequence, 'XCLIENT inside TLS');
  const endpoints = endpointsOf(argument, balanced.endpoints);
  session.handOver(`XCLIENT: the client is ${endpoints.remoteAddress}`);
  session.wire.handOver(endpoints);
}

function endpointsOf(argument: string, balanced: ProxiedEndpoints): ProxiedEndpoints {
  try {
    return withXClient(argument, balanced);
  } catch (error) {
    if (error instanceof RangeError) throw new SmtpError(replies.invalidArguments, error.message);
    throw error;
  }
}
