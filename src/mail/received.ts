/** The Received field: RFC 5321 §4.4, `with` of RFC 3848 and RFC 6531 §4.3. */
import { isIPv6 } from 'node:net';
import { parseDomain, renderPath } from '../smtp/index.ts';
import { formatDate } from './date.ts';

/** What is the same for all messages of a session. */
export interface ReceivedSession {
  /** Argument of HELO or EHLO, as the peer said it. */
  readonly helo: string;
  /** Validated name of the peer by reverse DNS, when known. */
  readonly peerName?: string;
  /** Address of the peer, without brackets. */
  readonly peerAddress: string;
  /** Our name and address. */
  readonly serverFqdn: string;
  readonly serverAddress: string;
  /** EHLO was used. */
  readonly extended: boolean;
  readonly authenticated: boolean;
  readonly smtpUtf8: boolean;
  /** 'TLSv1.3' or 'TLS1_3', and the cipher's standard name. */
  readonly tls?: { readonly protocol: string; readonly cipher: string };
}

/** What is a message's own. */
export interface ReceivedMessage {
  readonly id: string;
  /** The recipient, only when there is one and naming it tells nobody anything. */
  readonly recipient?: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The beginning of a field, and how long its last line is. */
export interface ReceivedStart {
  readonly text: string;
  readonly column: number;
}

/** RFC 5322 §2.1.1, without the line end. */
const lineWidth = 78;

/** The part that all messages of a session share, with its folds. Nothing that the peer said can break out of its place. */
export function startReceived(session: ReceivedSession): ReceivedStart {
  const peer = [...(session.peerName === undefined ? [] : [saidName(session.peerName)]), literal(session.peerAddress)];
  const words = [
    `from ${saidName(session.helo)} (${peer.join(' ')})`,
    `by ${saidName(session.serverFqdn)} (${literal(session.serverAddress)})`,
    `with ${protocolKeyword(session)}`,
    ...(session.tls === undefined ? [] : [tlsComment(session.tls)]),
  ];
  return words.reduce(fold, { text: 'Received:', column: 'Received:'.length });
}

/** The whole field with folds and CRLF. */
export function finishReceived(start: ReceivedStart, { id, recipient, at }: ReceivedMessage): string {
  const name = `id ${id.replace(/[^A-Za-z0-9.-]/g, '')}`;
  const last = recipient === undefined ? undefined : `for ${renderPath(recipient)};`;
  const named = last === undefined ? fold(start, `${name};`) : fold(fold(start, name), last);
  return `${fold(named, formatDate(at)).text}\r\n`;
}

/** Puts a word on the line, which has at most 78 octets where the lengths of words allow, or on the next one. */
function fold({ text, column }: ReceivedStart, word: string): ReceivedStart {
  const width = 1 + Buffer.byteLength(word);
  return column + width <= lineWidth
    ? { text: `${text} ${word}`, column: column + width }
    : { text: `${text}\r\n ${word}`, column: width };
}

/** RFC 3848 and RFC 6531 §4.3: S for TLS, A for AUTH. */
function protocolKeyword({ extended, authenticated, smtpUtf8, tls }: ReceivedSession): string {
  const security = `${tls === undefined ? '' : 'S'}${authenticated ? 'A' : ''}`;
  if (smtpUtf8) return `UTF8SMTP${security}`;
  return extended || security !== '' ? `ESMTP${security}` : 'SMTP';
}

/** As Exchange writes it; to RFC 5322 it is a comment. */
function tlsComment({ protocol, cipher }: { readonly protocol: string; readonly cipher: string }): string {
  const version = protocol.replace(
    /^TLSv(\d)(?:\.(\d))?$/,
    (_, major: string, minor = '0') => `TLS${major}_${String(minor)}`,
  );
  const word = (text: string): string => text.replace(/[^A-Za-z0-9_.-]/g, '?');
  return `(version=${word(version)}, cipher=${word(cipher)})`;
}

/** A name that a peer claims: as it is when it is a domain, else with every character that means something replaced. */
function saidName(text: string): string {
  try {
    return parseDomain(text).name;
  } catch {
    // Names with underscores and worse come from honest machines; the line must stay readable and whole.
    const cleaned = text.slice(0, 255).replace(/[^A-Za-z0-9._-]/g, '?');
    return cleaned === '' ? 'unknown' : cleaned;
  }
}

function literal(address: string): string {
  const bare = address.replace(/[^0-9A-Fa-f:.]/g, '');
  return isIPv6(bare) ? `[IPv6:${bare}]` : `[${bare}]`;
}
