import { connect } from 'node:net';

/** The answer must be there after this time, in milliseconds; a server may look a name up before it greets. */
const limitMs = 10_000;
/** A greeting (RFC 5321 §4.2) is one short line; more is somebody else's protocol. */
const maxLength = 1_024;

/** First line that an SMTP server says on a new connection (RFC 5321 §3.1); quits then. Throws Error. */
export async function smtpGreeting(
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const within = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const socket = connect({ host: address, port, signal: within });
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    const end = text.search(/\r?\n/);
    if (end < 0 && text.length <= maxLength) return;
    resolve(text.slice(0, end < 0 ? maxLength : end));
    socket.end('QUIT\r\n');
  });
  socket.on('error', (error) => {
    const late = within.aborted && !signal.aborted;
    reject(late ? new Error(`nothing was said within ${limitMs / 1000} s`) : error);
  });
  socket.on('close', () => reject(new Error('the connection was closed without a word')));
  try {
    return await promise;
  } finally {
    socket.destroySoon();
  }
}
