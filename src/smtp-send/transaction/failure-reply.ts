/** What a queue and a report are told about connections that came to nothing. */
import type { ConnectionLost, LossKind } from '../connection/connection-lost.ts';
import type { Target } from '../dns/target-finder.ts';

/** Reply and status codes (RFC 3463); what concerns TLS has Exchange's own details. */
const lossCodes: Readonly<Record<LossKind, string>> = {
  closed: '441 4.4.1',
  timeout: '441 4.4.1',
  tls: '451 4.7.5',
  policy: '454 4.7.5',
  refused: '451 4.4.0',
  protocol: '451 4.5.0',
  aborted: '451 4.4.2',
};

/** 'host [ip]:port' */
export function describeTarget({ host, address, port }: Target): string {
  return host.startsWith('[') ? `${host}:${port}` : `${host} [${address}]:${port}`;
}

/** LastError of the queue, in Exchange's spirit: which host, at which step, what it said, whether others were tried. */
export function failureReply(target: Target, loss: ConnectionLost, before: number): string {
  const others = before === 0 ? '' : ` (${before} other host${before === 1 ? '' : 's'} failed before)`;
  const words = loss.reply === undefined ? '' : `"${loss.reply}"`;
  const host = describeTarget(target);
  const step = loss.step === '' || loss.step === 'connect' ? '' : ` at ${loss.step}`;
  if (loss.kind === 'refused') return `${lossCodes.refused} The next hop ${host} answered${step}: ${words}${others}`;
  const code =
    loss.status === undefined ? lossCodes[loss.kind] : `${loss.status.startsWith('5') ? '550' : '451'} ${loss.status}`;
  if (loss.kind === 'policy') {
    const what =
      loss.status === undefined ? 'Certificate validation failure at the next hop' : 'Not sent to the next hop';
    return `${code} ${what} ${host}: ${loss.message}${others}`;
  }
  const why = words === '' ? loss.message : `${loss.message}: ${words}`;
  return `${code} No usable connection to the next hop ${host}${step}: ${why}${others}`;
}

/** RFC 8689 §4.2.1: no certificate, offer or DNS of this host is what the message requires; a report tells its sender. */
export function lacksRequireTls({ status }: ConnectionLost): boolean {
  return status === '5.7.30';
}

/** RFC 7504: a host that greets with 521 never takes mail; asking again is pointless. */
export function takesNoMail({ step, reply }: ConnectionLost): boolean {
  return step === 'greeting' && reply !== undefined && reply.startsWith('521');
}
