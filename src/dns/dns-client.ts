import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { AUTHENTIC_DATA, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { splitResolver } from './resolver-address.ts';

export type DnsType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'TLSA' | 'CNAME' | 'CAA' | 'PTR';

/** One record as dns-packet decodes it: `data` is an address, text octets, or the fields of MX, TLSA, CAA. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  readonly data: unknown;
}

/** An answer that came: also that a name or a type is not there. */
export interface DnsAnswer {
  /** 'NOERROR' or 'NXDOMAIN'. */
  readonly code: 'NOERROR' | 'NXDOMAIN';
  /** The whole answer, denial and aliases too, is DNSSEC-secure by the resolver's word. */
  readonly secure: boolean;
  /** Records of the type asked for, aliases followed. */
  readonly records: readonly DnsRecord[];
  /** Names that the question was led through by CNAME records; the last one owns the records. */
  readonly aliases: readonly string[];
  /** Seconds that the answer may be kept, negative answers by the SOA record (RFC 2308 §5). */
  readonly ttl: number;
}

/** No answer: SERVFAIL (bogus data too), REFUSED, a timeout, or octets that are no answer. */
export class DnsFailure extends Error {
  /** 'SERVFAIL', 'TIMEOUT' … */
  readonly code: string;

  constructor(code: string, question: string) {
    super(`${question}: ${code}`);
    this.name = 'DnsFailure';
    this.code = code;
  }
}

export interface DnsClientOptions {
  /** 'address', 'address:port' or '[address]:port', asked in order. */
  readonly resolvers: readonly string[];
  /** For one try. */
  readonly timeoutMs?: number;
  /** Rounds through all resolvers. */
  readonly tries?: number;
  /** Default: UDP, and TCP where an answer was cut short. */
  readonly protocol?: 'Any' | 'UseUdpOnly' | 'UseTcpOnly';
}

interface Question {
  readonly name: string;
  readonly type: DnsType;
}

/** Asks by UDP, by TCP where an answer was cut short. Keeps nothing: caching is the caller's. */
export class DnsClient {
  readonly #options: Required<DnsClientOptions>;

  /** Throws RangeError for a resolver that is no address. */
  constructor(options: DnsClientOptions) {
    this.#options = { timeoutMs: 4000, tries: 2, protocol: 'Any', ...options };
    for (const resolver of options.resolvers) splitResolver(resolver);
  }

  /** Throws DnsFailure. */
  async ask(name: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer> {
    const question: Question = { name: name.replace(/\.$/, '').toLowerCase(), type };
    let failure = new DnsFailure('NO RESOLVER', textOf(question));
    for (let round = 0; round < this.#options.tries; round++) {
      for (const resolver of this.#options.resolvers) {
        signal?.throwIfAborted();
        try {
          return await this.#askOne(resolver, question, signal);
        } catch (error) {
          if (!(error instanceof DnsFailure)) throw error;
          failure = error;
        }
      }
      // Only silence is worth asking again: a resolver that says SERVFAIL has tried already.
      if (failure.code !== 'TIMEOUT') break;
    }
    throw failure;
  }

  async #askOne(resolver: string, question: Question, signal: AbortSignal | undefined): Promise<DnsAnswer> {
    const limit = AbortSignal.any([
      AbortSignal.timeout(this.#options.timeoutMs),
      ...(signal === undefined ? [] : [signal]),
    ]);
    const { address, port } = splitResolver(resolver);
    const id = randomInt(65_536);
    const query = encode({
      type: 'query',
      id,
      flags: RECURSION_DESIRED | AUTHENTIC_DATA,
      questions: [{ name: question.name, type: question.type }],
      // RFC 9715: 1232 octets pass everywhere without fragments. AD in the query asks for AD in the answer.
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    });
    const isAnswer = (octets: Buffer): DecodedPacket | undefined => answerTo(octets, id, question);
    const { protocol } = this.#options;
    const byTcp = (): Promise<DecodedPacket> => askByTcp(address, port, query, isAnswer, limit, question);
    if (protocol === 'UseTcpOnly') return read(await byTcp(), question);
    const short = await askByUdp(address, port, query, isAnswer, limit, question);
    return read(short.flag_tc && protocol === 'Any' ? await byTcp() : short, question);
  }
}

function textOf({ name, type }: Question): string {
  return `${type} ${name}`;
}

/** The answer to this very question, or nothing: anybody may send to a port. */
function answerTo(octets: Buffer, id: number, { name, type }: Question): DecodedPacket | undefined {
  let packet: DecodedPacket;
  try {
    packet = decode(octets);
  } catch {
    // Octets that do not decode are no answer; the right one may still come.
    return undefined;
  }
  const [asked] = packet.questions ?? [];
  const fits =
    packet.type === 'response' && packet.id === id && asked?.type === type && asked.name.toLowerCase() === name;
  return fits ? packet : undefined;
}

type Reading = (octets: Buffer) => DecodedPacket | undefined;

function askByUdp(
  address: string,
  port: number,
  query: Buffer,
  reading: Reading,
  limit: AbortSignal,
  question: Question,
): Promise<DecodedPacket> {
  const { promise, resolve, reject } = Promise.withResolvers<DecodedPacket>();
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
  const fail = (): void => reject(new DnsFailure('TIMEOUT', textOf(question)));
  limit.addEventListener('abort', fail, { once: true });
  socket.on('error', (error: NodeJS.ErrnoException) =>
    reject(new DnsFailure(error.code ?? error.message, textOf(question))),
  );
  socket.on('message', (octets) => {
    const packet = reading(octets);
    if (packet !== undefined) resolve(packet);
  });
  // Connected: the kernel drops what comes from elsewhere, and tells of a closed port.
  socket.connect(port, address, () => socket.send(query));
  return promise.finally(() => {
    limit.removeEventListener('abort', fail);
    socket.close();
  });
}

function askByTcp(
  address: string,
  port: number,
  query: Buffer,
  reading: Reading,
  limit: AbortSignal,
  question: Question,
): Promise<DecodedPacket> {
  const { promise, resolve, reject } = Promise.withResolvers<DecodedPacket>();
  const socket = connect({ host: address, port });
  const fail = (code: string): void => reject(new DnsFailure(code, textOf(question)));
  const abort = (): void => fail('TIMEOUT');
  limit.addEventListener('abort', abort, { once: true });
  let held = Buffer.alloc(0);
  socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.on('close', () => fail('CLOSED'));
  socket.on('connect', () => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
  socket.on('data', (octets) => {
    // At most 65,535 octets: the length has two octets.
    held = Buffer.concat([held, octets]);
    if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return;
    const packet = reading(held.subarray(2, 2 + held.readUInt16BE(0)));
    if (packet === undefined) fail('MALFORMED');
    else resolve(packet);
  });
  return promise.finally(() => {
    limit.removeEventListener('abort', abort);
    socket.destroy();
  });
}

/** An alias chain longer than this is a loop, or an attack. */
const maxAliases = 10;

function read(packet: DecodedPacket, question: Question): DnsAnswer {
  const code = (packet as unknown as { rcode: string }).rcode;
  if (code !== 'NOERROR' && code !== 'NXDOMAIN') throw new DnsFailure(code, textOf(question));
  const answers = (packet.answers ?? []) as unknown as DnsRecord[];
  const aliases: string[] = [];
  let owner = question.name;
  for (;;) {
    const alias =
      question.type === 'CNAME' ? undefined : answers.find(({ name, type }) => type === 'CNAME' && same(name, owner));
    if (alias === undefined) break;
    owner = String(alias.data).toLowerCase();
    aliases.push(owner);
    if (aliases.length > maxAliases) throw new DnsFailure('ALIAS LOOP', textOf(question));
  }
  const records = answers.filter(({ name, type }) => type === question.type && same(name, owner));
  return { code, secure: packet.flag_ad, records, aliases, ttl: timeToLive(answers, packet) };
}

const same = (one: string, two: string): boolean => one.toLowerCase().replace(/\.$/, '') === two.replace(/\.$/, '');

function timeToLive(answers: readonly DnsRecord[], packet: DecodedPacket): number {
  if (answers.length > 0) return Math.min(...answers.map(({ ttl }) => ttl));
  const soa = (packet.authorities ?? []).find(({ type }) => type === 'SOA') as unknown as
    | { ttl: number; data: { minimum: number } }
    | undefined;
  return soa === undefined ? 0 : Math.min(soa.ttl, soa.data.minimum);
}
