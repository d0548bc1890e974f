/** What `edge tls test`, `verify` and `profiles` do. */
import { createReadStream, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { getCACertificates } from 'node:tls';
import packageFile from '../../package.json' with { type: 'json' };
import { printable, printableJson } from '../base/index.ts';
import {
  changedSince,
  csvHead,
  csvLines,
  fetchStsPolicy,
  htmlReport,
  junitHead,
  junitSuite,
  junitTail,
  loadProfile,
  type Profile,
  type Protocol,
  parseTarget,
  politeManners,
  profileNames,
  type Report,
  type RunOptions,
  rankOf,
  readReports,
  sarifLog,
  signReports,
  statusOf,
  swiftManners,
  type Target,
  testTargets,
  textReport,
  verifyReports,
} from '../compliance/index.ts';
import { DnsClient, isTrustedResolver, systemResolvers } from '../dns/index.ts';
import { certificateNameDifference, parseTlsCertificateName, readCertificate } from '../tls/index.ts';
import { exitStatus, type Terminal } from './parts.ts';

export interface TestOptions {
  readonly targets: readonly string[];
  readonly profile: string;
  readonly smtp?: boolean;
  readonly lmtp?: boolean;
  readonly smtps?: boolean;
  readonly tls?: boolean;
  readonly json: boolean;
  readonly format: 'text' | 'json' | 'csv' | 'html' | 'junit' | 'sarif';
  readonly output?: string;
  readonly failOn: 'notice' | 'warn' | 'fail';
  readonly baseline?: string;
  readonly sign?: string;
  readonly ca?: string;
  readonly name?: string;
  readonly resolver?: string;
  readonly trustResolver: boolean;
  readonly ehlo?: string;
  readonly parallel: boolean;
  readonly hosts: number;
  readonly timeLimit: number;
  readonly reduced: boolean;
  readonly resume?: string;
  readonly all: boolean;
}

/** Resolves with the exit status. */
export async function tlsTest(options: TestOptions, terminal: Terminal): Promise<number> {
  const format = options.json ? 'json' : options.format;
  let prepared: Prepared;
  try {
    prepared = prepare(options, format);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge: ${error.message}\n`);
    return exitStatus.usage;
  }
  const sink = new ReportSink(format, prepared, options, terminal);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    for await (const report of testTargets(prepared.targets(), runOptions(options, prepared, stop.signal, sink)))
      sink.take(report);
    return sink.end();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge: ${error.message}\n`);
    return exitStatus.usage;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

interface Prepared {
  readonly profiles: readonly Profile[];
  readonly targets: () => AsyncIterable<Target>;
  readonly anchors: readonly string[];
  readonly baseline: readonly Report[] | undefined;
  readonly resolvers: readonly string[];
  readonly believed: boolean;
}

/** All that may be wrong with the options, before anything is tested. Throws RangeError. */
function prepare(options: TestOptions, format: string): Prepared {
  const names = [
    'mail-baseline',
    ...options.profile.split(',').filter((name) => name !== '' && name !== 'mail-baseline'),
  ];
  const profiles = names.map(loadProfile);
  const protocol = protocolOf(options);
  const resolvers = options.resolver === undefined ? systemResolvers() : [options.resolver];
  new DnsClient({ resolvers });
  if (options.sign !== undefined && (options.output === undefined || format !== 'json')) {
    throw new RangeError('--sign needs --json and --output: the signature is written beside the report');
  }
  if (options.name !== undefined) parseTlsCertificateName(options.name);
  const done = new Set(
    options.resume === undefined ? [] : readReports(readText(options.resume)).map(({ target }) => target.asked),
  );
  for (const text of options.targets) if (!isFile(text)) parseTarget(text, protocol);
  return {
    profiles,
    targets: () => targetsOf(options.targets, protocol, done),
    anchors: [
      ...getCACertificates('default'),
      ...getCACertificates('system'),
      ...(options.ca === undefined ? [] : certificatesOf(readText(options.ca), options.ca)),
    ],
    baseline: options.baseline === undefined ? undefined : readReports(readText(options.baseline)),
    resolvers,
    believed: options.trustResolver || resolvers.every((resolver) => isTrustedResolver(resolver)),
  };
}

function protocolOf({ smtp, lmtp, smtps, tls }: TestOptions): Protocol | undefined {
  if (lmtp === true) return 'lmtp';
  if (smtps === true) return 'smtps';
  if (tls === true) return 'tls';
  return smtp === true ? 'smtp' : undefined;
}

const isFile = (text: string): boolean => existsSync(text) && statSync(text).isFile();

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RangeError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function certificatesOf(text: string, path: string): string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new RangeError(`${path} holds no certificate in PEM`);
  return found;
}

/** Targets one by one: a file of them is read line by line, however long it is. */
async function* targetsOf(
  texts: readonly string[],
  protocol: Protocol | undefined,
  done: ReadonlySet<string>,
): AsyncGenerator<Target> {
  for (const text of texts) {
    if (!isFile(text)) {
      if (!done.has(text.trim())) yield parseTarget(text, protocol);
      continue;
    }
    const lines = createInterface({ input: createReadStream(text, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      const target = line.replace(/#.*$/, '').trim();
      if (target !== '' && !done.has(target)) yield parseTarget(target, protocol);
    }
  }
}

function runOptions(options: TestOptions, prepared: Prepared, signal: AbortSignal, sink: ReportSink): RunOptions {
  const base = options.parallel ? swiftManners : politeManners;
  const manners = { ...base, ehloName: options.ehlo ?? hostname() };
  const lookup = new DnsClient({ resolvers: prepared.resolvers });
  const name = options.name === undefined ? undefined : parseTlsCertificateName(options.name);
  return {
    profiles: prepared.profiles,
    manners,
    judge: {
      anchors: prepared.anchors,
      now: Date.now(),
      ...(name === undefined
        ? {}
        : { demanded: (der: Buffer) => certificateNameDifference(readCertificate(der), name) ?? 'met' }),
    },
    domain: {
      lookup,
      believed: prepared.believed,
      fetchPolicy: (domain) => fetchStsPolicy(domain, { lookup, anchors: prepared.anchors, timeoutMs: 15_000, signal }),
      signal,
    },
    signal,
    reduced: options.reduced,
    hostsAtOnce: options.hosts,
    endpointMs: options.timeLimit * 1000,
    progress: (endpoint, text) => sink.progress(endpoint, text),
  };
}

/** Writes reports in their form; keeps only what a form needs whole. */
class ReportSink {
  readonly #format: string;
  readonly #prepared: Prepared;
  readonly #options: TestOptions;
  readonly #terminal: Terminal;
  readonly #file: number | undefined;
  readonly #kept: Report[] = [];
  #status: 0 | 1 | 2 | undefined;
  #shown = false;

  constructor(format: string, prepared: Prepared, options: TestOptions, terminal: Terminal) {
    this.#format = format;
    this.#prepared = prepared;
    this.#options = options;
    this.#terminal = terminal;
    this.#file = options.output === undefined ? undefined : openSync(options.output, 'w', 0o644);
    if (format === 'csv') this.#write(csvHead);
  }

  progress(endpoint: string, text: string): void {
    if (!process.stderr.isTTY) return;
    this.#terminal.error(`\r\x1b[K${printable(endpoint)}: ${text}`);
    this.#shown = true;
  }

  take(report: Report): void {
    this.#clear();
    // A miss beats what was not tested, and that beats nothing.
    const status = statusOf([report], this.#options.failOn);
    this.#status = this.#status === 1 || status === 1 ? 1 : this.#status === 2 ? 2 : status;
    const { baseline } = this.#prepared;
    const shown = baseline === undefined ? report : changedSince(report, baseline);
    if (this.#format === 'json') this.#write(`${printableJson(shown)}\n`);
    if (this.#format === 'csv') this.#write(csvLines(shown));
    if (this.#format === 'text')
      this.#write(
        textReport(shown, { profiles: this.#prepared.profiles, colour: this.#colour(), all: this.#options.all }),
      );
    if (['html', 'junit', 'sarif'].includes(this.#format) || this.#options.sign !== undefined) this.#kept.push(shown);
  }

  end(): number {
    this.#clear();
    const { profiles } = this.#prepared;
    if (this.#format === 'html') this.#write(htmlReport(this.#kept, profiles));
    if (this.#format === 'sarif') this.#write(sarifLog(this.#kept, profiles, packageFile.version));
    if (this.#format === 'junit') {
      const level = rankOf(this.#options.failOn);
      this.#write(`${junitHead}${this.#kept.map((report) => junitSuite(report, level)).join('')}${junitTail}`);
    }
    const { sign, output } = this.#options;
    if (sign !== undefined && output !== undefined)
      writeSync(openSync(`${output}.jws`, 'w', 0o644), `${signReports(this.#kept, readText(sign))}\n`);
    return this.#status ?? 2;
  }

  #clear(): void {
    if (this.#shown) this.#terminal.error('\r\x1b[K');
    this.#shown = false;
  }

  #colour(): boolean {
    return this.#file === undefined && process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  }

  #write(text: string): void {
    if (this.#file === undefined) this.#terminal.out(text);
    else writeSync(this.#file, text);
  }
}

export interface VerifyOptions {
  readonly report: string;
  readonly signature: string;
  readonly key: string;
}

export function tlsVerify({ report, signature, key }: VerifyOptions, terminal: Terminal): number {
  try {
    const good = verifyReports(readReports(readText(report)), readText(signature), readText(key));
    terminal.out(good ? 'the signature is that of this report\n' : 'the signature is NOT that of this report\n');
    return good ? exitStatus.done : exitStatus.finding;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge: ${error.message}\n`);
    return exitStatus.failed;
  }
}

export function tlsProfiles(name: string | undefined, terminal: Terminal): number {
  try {
    if (name !== undefined) terminal.out(`${printableJson(loadProfile(name), 1)}\n`);
    else for (const each of profileNames()) terminal.out(`${each.padEnd(26)}${loadProfile(each).title}\n`);
    return exitStatus.done;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge: ${error.message}\n`);
    return exitStatus.usage;
  }
}
