/** What faults of sockets are called; anything else keeps the system's words. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the peer reset the connection',
  EPIPE: 'the peer closed the connection',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EADDRNOTAVAIL: 'the source address is not one of this machine',
  ETIMEDOUT: 'no answer in time',
  ENOENT: 'nobody listens there',
  EACCES: 'not allowed',
};

/** In one line, for logs, queue entries and reports. */
export function socketFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return reasons[code] ?? error.message.replaceAll(/\s+/g, ' ');
}
