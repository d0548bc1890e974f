/** The Received field: RFC 5321 §4.4, `with` of RFC 3848 and RFC 6531 §4.3. */
import { isIPv6 } from 'node:net';
import { parseDomain, renderPath } from '../smtp/index.ts';
import { formatDate } from './date.ts';

export interface ReceivedFacts {
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
  readonly id: string;
  /** The recipient, only when there is one and naming it tells nobody anything. */
  readonly recipient?: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** RFC 5322 §2.1.1, without the line end. */
const lineWidth = 78;

/** The whole field with folds and CRLF. Nothing that the peer said can break out of its place. */
export function buildReceived(facts: ReceivedFacts): string {
  const peer = [...(facts.peerName === undefined ? [] : [saidName(facts.peerName)]), literal(facts.peerAddress)];
  const words = [
    `from ${saidName(facts.helo)} (${peer.join(' ')})`,
    `by ${saidName(facts.serverFqdn)} (${literal(facts.serverAddress)})`,
    `with ${protocolKeyword(facts)}`,
    ...(facts.tls === undefined ? [] : [tlsComment(facts.tls)]),
    `id ${facts.id.replace(/[^A-Za-z0-9.-]/g, '')}`,
    ...(facts.recipient === undefined ? [] : [`for ${renderPath(facts.recipient)}`]),
  ];
  words[words.length - 1] += ';';
  words.push(formatDate(facts.at));
  return fold('Received:', words);
}

/** Puts words on lines of at most 78 octets where their length allows. */
function fold(start: string, words: readonly string[]): string {
  let field = start;
  let column = start.length;
  for (const word of words) {
    const width = 1 + Buffer.byteLength(word);
    const fits = column + width <= lineWidth;
    field += fits ? ` ${word}` : `\r\n ${word}`;
    column = (fits ? column : 0) + width;
  }
  return `${field}\r\n`;
}

/** RFC 3848 and RFC 6531 §4.3: S for TLS, A for AUTH. */
function protocolKeyword({ extended, authenticated, smtpUtf8, tls }: ReceivedFacts): string {
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
