/** StartTLS of LDAP: RFC 4511 §4.14. One request and its answer, which needs no more of BER than this. */

import { Untested } from '../facts/untested.ts';
import type { ProbeConnection } from './probe-connection.ts';

/** Message 1: ExtendedRequest with the name 1.3.6.1.4.1.1466.20037. */
const request = ((): Buffer => {
  const name = Buffer.from('1.3.6.1.4.1.1466.20037', 'ascii');
  const extended = Buffer.concat([Buffer.from([0x77, name.length + 2, 0x80, name.length]), name]);
  return Buffer.concat([Buffer.from([0x30, extended.length + 3, 2, 1, 1]), extended]);
})();

/** An answer with a diagnostic message; longer is none. */
const maxAnswerBytes = 4096;

/** Sends StartTLS; the next octet is the first of TLS. Throws Untested. */
export async function startLdapTls(connection: ProbeConnection, timeoutMs: number): Promise<void> {
  connection.write(request);
  const deadline = performance.now() + timeoutMs;
  let octets = Buffer.alloc(0);
  for (;;) {
    const bytes = wholeMessage(octets);
    if (bytes !== undefined) {
      connection.unread(octets.subarray(bytes));
      return accept(octets.subarray(0, bytes));
    }
    const read = await connection.read(Math.max(1, deadline - performance.now()));
    if (read === 'silence') throw new Untested(`no answer to StartTLS within ${timeoutMs / 1000} s`);
    if (typeof read === 'string') throw new Untested(read === 'end' ? 'closed at StartTLS' : 'reset at StartTLS');
    octets = Buffer.concat([octets, read]);
  }
}

/** Octets of the message when it is whole. */
function wholeMessage(octets: Buffer): number | undefined {
  const [tag, first] = [octets[0], octets[1]];
  if (tag !== undefined && tag !== 0x30) noLdap(octets);
  if (first === undefined) return undefined;
  const long = first & 0x80 ? first & 0x7f : 0;
  if (long > 4) noLdap(octets);
  if (octets.length < 2 + long) return undefined;
  const whole = 2 + long + (long === 0 ? first : octets.readUIntBE(2, long));
  if (whole > maxAnswerBytes) noLdap(octets);
  return octets.length < whole ? undefined : whole;
}

/** An ExtendedResponse whose first field is the result code. */
function accept(message: Buffer): void {
  const at = message.indexOf(Buffer.from([0x0a, 0x01]));
  const code = message[at + 2];
  if (!message.includes(0x78) || at < 0 || code === undefined) noLdap(message);
  if (code !== 0) throw new Untested(`StartTLS was answered with result ${code}`, code === 51 || code === 52);
}

function noLdap(octets: Buffer): never {
  throw new Untested(`no answer of LDAP to StartTLS: ${octets.subarray(0, 16).toString('hex')}`, false);
}
