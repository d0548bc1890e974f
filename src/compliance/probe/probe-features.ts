import { randomBytes } from 'node:crypto';
import {
  type Extension,
  extensions,
  type Flight,
  grease,
  HandshakeReader,
  handshakeTypes,
  offer,
  readTicket,
  recordTypes,
  signals,
  suiteName,
  suiteTraits,
  type TlsRecord,
  versions,
} from '../../tls/wire/index.ts';
import { reasonAmong } from '../facts/blank-facts.ts';
import {
  type Answer,
  type FeatureName,
  type NotApplicable,
  notApplicable,
  notTested,
  type ProtocolName,
  protocolNames,
} from '../facts/facts.ts';
import { chunkSize } from '../facts/suite-lists.ts';
import { Unapplicable, Untested } from '../facts/untested.ts';
import type { Bracket } from './bracket.ts';
import type { Dialer } from './dialer.ts';
import type { HelloOffer } from './hello-exchange.ts';
import { type HelloWishes, hello12, hello13 } from './hellos.ts';
import { SecureChannel } from './secure-channel.ts';

/** What is known of the endpoint before its features are looked at. */
export interface Known {
  readonly host: string | undefined;
  readonly protocols: Readonly<Record<ProtocolName, Answer>>;
  /** Accepted suites by version. */
  readonly suites: Readonly<Partial<Record<ProtocolName, readonly number[]>>>;
  /** A group of TLS 1.3 that can be computed here. */
  readonly group13: number | undefined;
  /** Why none of them is known; absent where they were looked for. */
  readonly groupsUnknown: string | undefined;
}

export interface FeatureFacts {
  readonly answers: Partial<Record<FeatureName, Answer | NotApplicable>>;
  ticketLifetime?: number;
  alpn?: string;
}

const told = (yes: boolean): Answer => (yes ? 'offered' : 'not-offered');

/** Features that a hello or its answer shows. What cannot be tested keeps its reason. */
export async function probeFeatures(bracket: Bracket, dialer: Dialer, known: Known): Promise<FeatureFacts> {
  const facts: FeatureFacts = { answers: {} };
  await attempt(facts, olderFeatures, () => askOlder(bracket, known, facts));
  await attempt(facts, ['fallbackScsv'], () => askFallback(bracket, known, facts));
  await attempt(facts, ['earlyData', 'rawPublicKeys'], () => askTickets13(bracket, known, facts));
  await attempt(facts, ['alpnSelected'], () => askAlpn(bracket, known, facts));
  await attempt(facts, ['grease', 'largeClientHello'], () => askTolerances(bracket, known, facts));
  await attempt(facts, ['clientRenegotiation'], () => askRenegotiation(dialer, known, facts));
  return facts;
}

/** Runs a probe; what it leaves unanswered because it could not be tested is told with the reason. */
async function attempt(facts: FeatureFacts, names: readonly FeatureName[], probe: () => Promise<void>): Promise<void> {
  try {
    await probe();
  } catch (error) {
    if (!(error instanceof Untested)) throw error;
    const answer = error instanceof Unapplicable ? notApplicable(error.message) : notTested(error.message);
    for (const name of names) facts.answers[name] ??= answer;
  }
}

const olderFeatures: readonly FeatureName[] = [
  'extendedMasterSecret',
  'encryptThenMac',
  'secureRenegotiation',
  'compression',
  'truncatedHmac',
  'heartbeat',
  'statusRequestV2',
  'clientCertificateUrl',
  'rawPublicKeys',
  'sessionTickets',
];

/** The newest version before TLS 1.3 that is taken. */
function older(known: Known): 'tls1_2' | 'tls1_1' | 'tls1_0' | undefined {
  return olderNames.find((name) => known.protocols[name] === 'offered');
}

const olderNames = ['tls1_2', 'tls1_1', 'tls1_0'] as const;

/** Versions are not taken, so a question makes no sense; or nobody knows whether they are. */
function lacking({ protocols }: Known, names: readonly ProtocolName[], text: string): Untested {
  const reason = reasonAmong(protocols, names);
  return reason === undefined ? new Unapplicable(text) : new Untested(reason, false);
}

function olderOffer(known: Known, wishes: Partial<HelloWishes> = {}): HelloOffer {
  const version = older(known);
  if (version === undefined) throw lacking(known, olderNames, 'no version from TLS 1.0 to 1.2 is taken');
  const accepted = known.suites[version] ?? [];
  const suites = accepted.length > 0 ? { suites: accepted } : {};
  return hello12(versions[version], { host: known.host, ...suites, ...wishes });
}

async function accepted(bracket: Bracket, hello: HelloOffer): Promise<Flight> {
  const answer = await bracket.ask(hello);
  if (answer.kind === 'refused') throw new Untested(`a hello with more extensions was refused: ${answer.how}`, false);
  return answer.flight;
}

/**
 * Many extensions in one hello: the answer shows which the server takes. With CBC suites alone where it takes some, since
 * encrypt-then-MAC is answered with these only (RFC 7366 §3).
 */
async function askOlder(bracket: Bracket, known: Known, facts: FeatureFacts): Promise<void> {
  const version = older(known);
  const taken = version === undefined ? [] : known.suites[version];
  const all = taken ?? [];
  const cbc = all.filter((code) => suiteTraits(suiteName(code)).cbc);
  const more = [
    offer.extendedMasterSecret(),
    offer.encryptThenMac(),
    offer.truncatedHmac(),
    offer.heartbeat(),
    offer.sessionTicket(),
    offer.statusRequestV2(),
    offer.clientCertificateUrl(),
    ...offer.rawKeys(),
  ];
  const suites = cbc.length > 0 ? { suites: cbc } : {};
  const flight = await accepted(bracket, olderOffer(known, { more, compression: [1, 0], ...suites }));
  const withoutCbc =
    taken === undefined ? notTested('the cipher suites are not known') : notApplicable('no CBC suite is taken');
  const has = (type: number): Answer => told(flight.hello?.extensions.has(type) ?? false);
  Object.assign(facts.answers, {
    extendedMasterSecret: has(extensions.extendedMasterSecret),
    encryptThenMac: cbc.length > 0 ? has(extensions.encryptThenMac) : withoutCbc,
    secureRenegotiation: has(extensions.renegotiationInfo),
    truncatedHmac: has(extensions.truncatedHmac),
    heartbeat: has(extensions.heartbeat),
    statusRequestV2: has(extensions.statusRequestV2),
    clientCertificateUrl: has(extensions.clientCertificateUrl),
    rawPublicKeys: told(flight.rawKeys),
    sessionTickets: has(extensions.sessionTicket),
    compression: told(flight.hello?.compression === 1),
  });
  // RFC 8446 §4.1.3: only a server that could have spoken a newer version owes the sentinel.
  if (known.protocols.tls1_3 === 'offered' && flight.hello?.version === versions.tls1_2) {
    facts.answers.downgradeSentinel = told(flight.hello.sentinel === 'tls1_2');
  }
}

/** RFC 7507 §3: a hello below the best version, marked as a fall-back, is refused by its own alert. */
async function askFallback(bracket: Bracket, known: Known, facts: FeatureFacts): Promise<void> {
  const taken = protocolNames.filter((name) => name !== 'ssl2' && known.protocols[name] === 'offered');
  const below = taken.at(-2);
  if (below === undefined || below === 'ssl2' || below === 'tls1_3')
    throw lacking(known, ['ssl3', ...olderNames, 'tls1_3'], 'one version only is taken');
  const suites = (known.suites[below] ?? []).slice(0, chunkSize - 1);
  const hello = hello12(versions[below], { host: known.host, suites: [...suites, signals.fallback] });
  const marked = await bracket.ask(hello);
  if (marked.kind === 'refused' && marked.how !== 'alert inappropriate_fallback') {
    // Some close without that alert: then the same hello without the mark is taken.
    const without = await bracket.ask({ ...hello, suites });
    if (without.kind === 'refused')
      throw new Untested(`a hello below the newest version was refused: ${without.how}`, false);
  }
  facts.answers.fallbackScsv = told(marked.kind === 'refused');
}

/** Tickets of TLS 1.3 say whether early data is allowed; its encrypted extensions, whether raw keys are. */
async function askTickets13(bracket: Bracket, known: Known, facts: FeatureFacts): Promise<void> {
  if (known.protocols.tls1_3 !== 'offered') throw lacking(known, ['tls1_3'], 'TLS 1.3 is not taken');
  // What an older version says of raw keys does not hold for this one, unless it has them.
  const rawBefore = facts.answers.rawPublicKeys === 'offered';
  if (!rawBefore) delete facts.answers.rawPublicKeys;
  if (known.group13 === undefined) throw withoutGroup(known);
  const flight = await askWithAlpn(bracket, known, facts, true);
  if (flight.sealed) throw new Untested('the records of TLS 1.3 could not be opened here', false);
  facts.answers.rawPublicKeys = told(rawBefore || flight.rawKeys);
  facts.answers.earlyData = told(flight.tickets.some(({ maxEarlyData }) => maxEarlyData > 0));
  const lifetime = flight.tickets[0]?.lifetime;
  if (lifetime === undefined) return;
  facts.answers.sessionTickets = 'offered';
  facts.ticketLifetime = lifetime;
}

/** One hello with protocol names and raw keys, and without them where they are the reason of a refusal (RFC 7301 §3.2). */
async function askWithAlpn(bracket: Bracket, known: Known, facts: FeatureFacts, toTickets: boolean): Promise<Flight> {
  const raw = offer.rawKeys();
  const answer = await bracket.ask({
    ...usual(known, { more: [offer.alpn(['smtp', 'http/1.1']), ...raw] }),
    toTickets,
  });
  if (answer.kind === 'refused') {
    const flight = await accepted(bracket, { ...usual(known, { more: raw }), toTickets });
    if (answer.how !== 'alert no_application_protocol') {
      facts.answers.alpnSelected = notTested(`a hello with ALPN was refused: ${answer.how}`);
    } else facts.answers.alpnSelected = 'not-offered';
    return flight;
  }
  const { alpn } = answer.flight;
  facts.answers.alpnSelected = told(alpn !== undefined);
  if (alpn !== undefined) facts.alpn = alpn;
  return answer.flight;
}

async function askAlpn(bracket: Bracket, known: Known, facts: FeatureFacts): Promise<void> {
  if (facts.answers.alpnSelected === undefined) await askWithAlpn(bracket, known, facts, false);
}

function withoutGroup({ groupsUnknown }: Known): Untested {
  return new Untested(groupsUnknown ?? 'TLS 1.3 takes no group that can be computed here', false);
}

/** A hello that the endpoint would take if it were not for what is added. */
function usual(known: Known, wishes: Partial<HelloWishes>): HelloOffer {
  const { group13, host } = known;
  if (known.protocols.tls1_3 !== 'offered' || group13 === undefined) {
    if (known.protocols.tls1_3 === 'offered' && older(known) === undefined) throw withoutGroup(known);
    return olderOffer(known, wishes);
  }
  return hello13({ host, groups: [group13], shares: [group13], ...wishes });
}

/** RFC 8701: unknown suites, extensions and groups must be ignored. */
function greased(known: Known, more: readonly Extension[] = []): HelloOffer {
  const unknown = [offer.unknown(grease(3)), offer.unknown(grease(7), Buffer.from([0]))];
  const hello = usual(known, { more: [...unknown, ...more] });
  return { ...hello, suites: [grease(1), ...hello.suites] };
}

/** As large as hellos with the shares of post-quantum groups are: beyond one TCP segment. */
const bulk = (): Extension[] => [offer.unknown(grease(5), randomBytes(1200)), offer.padding(400)];

/** Both at once; one after the other only where that was refused. */
async function askTolerances(bracket: Bracket, known: Known, facts: FeatureFacts): Promise<void> {
  if (!protocolNames.some((protocol) => known.protocols[protocol] === 'offered'))
    throw new Untested('no version is taken', false);
  const tolerated = async (hello: HelloOffer): Promise<boolean> =>
    (await bracket.between(() => bracket.ask(hello))).kind === 'accepted';
  if (await tolerated(greased(known, bulk()))) {
    Object.assign(facts.answers, { grease: 'offered', largeClientHello: 'offered' });
    return;
  }
  // Intolerance is told of two refusals between successes alone.
  const twice = async (hello: () => HelloOffer): Promise<Answer> =>
    told((await tolerated(hello())) || (await tolerated(hello())));
  await attempt(facts, ['grease'], async () => {
    facts.answers.grease = await twice(() => greased(known));
  });
  await attempt(facts, ['largeClientHello'], async () => {
    facts.answers.largeClientHello = await twice(() => usual(known, { more: bulk() }));
  });
}

/**
 * A renegotiation that the client asks for; OpenSSL asks, since records must be sealed for it. The ticket of its first handshake
 * passes in the clear, and says how long it lives (RFC 5077 §3.3).
 */
async function askRenegotiation(dialer: Dialer, known: Known, facts: FeatureFacts): Promise<void> {
  const version = older(known);
  if (version === undefined) throw lacking(known, olderNames, 'TLS 1.3 has no renegotiation');
  facts.answers.clientRenegotiation = await dialer.untilClear(async () => {
    const seen = new OlderHandshake();
    using connection = await dialer.openForTls();
    using channel = await SecureChannel.open(connection, {
      host: known.host ?? '',
      stepMs: dialer.manners.stepMs,
      maxVersion: 'TLSv1.2',
      onRecord: (record) => seen.take(record),
    });
    const { ticketLifetime } = seen;
    if (ticketLifetime !== undefined) facts.ticketLifetime ??= ticketLifetime;
    return told(await channel.renegotiate(seen.alerted));
  });
}

/** What the records of a handshake before TLS 1.3 show besides. */
class OlderHandshake {
  readonly alerted: Promise<void>;
  readonly #alert: () => void;
  readonly #messages = new HandshakeReader();
  #sealed = false;
  /** Seconds. */
  ticketLifetime: number | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.alerted = promise;
    this.#alert = resolve;
  }

  /** Throws RangeError for a ticket that cannot be read. */
  take({ type, content }: TlsRecord): void {
    if (type === recordTypes.alert) this.#alert();
    if (type === recordTypes.changeCipherSpec) this.#sealed = true;
    if (type !== recordTypes.handshake || this.#sealed) return;
    for (const message of this.#messages.push(content))
      if (message.type === handshakeTypes.newSessionTicket)
        this.ticketLifetime = readTicket(message.body, versions.tls1_2).lifetime;
  }
}
