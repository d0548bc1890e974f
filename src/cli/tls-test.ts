/** What `edge tls test`, `verify` and `profiles` do. */

import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { getCACertificates } from 'node:tls';
import { type IpRange, parseIpRange, printable, printableJson, systemClock } from '../base/index.ts';
import { fileReason } from '../base/text/index.ts';
import { RevocationChecker, RevocationFetch } from '../certificates/revocation/index.ts';
import {
  checkSigningKey,
  fetchStsPolicy,
  loadProfile,
  type Profile,
  politeManners,
  profileNames,
  proveProfile,
  type Report,
  type RunOptions,
  readReports,
  swiftManners,
  testTargets,
  verifyReports,
} from '../compliance/index.ts';
import { DnsClient, isTrustedResolver, kindOf, reachedAddress, systemResolvers } from '../dns/index.ts';
import { certificateNameDifference, parseTlsCertificateName, readCertificate, TrustAnchors } from '../tls/index.ts';
import { type CommandParts, exitStatus, type Terminal } from './parts.ts';
import { type ReportForm, ReportSink } from './tls-report-sink.ts';
import { type FoundTargets, findTargets, type TargetOptions } from './tls-targets.ts';

export interface TestOptions extends TargetOptions {
  readonly profile: string;
  readonly json: boolean;
  readonly format: ReportForm;
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
export async function tlsTest(
  options: TestOptions,
  open: CommandParts['connectors'],
  terminal: Terminal,
): Promise<number> {
  try {
    return await runTest(options, open, terminal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    terminal.error(`edge: ${error.message}\n`);
    return exitStatus.usage;
  }
}

async function runTest(options: TestOptions, open: CommandParts['connectors'], terminal: Terminal): Promise<number> {
  const prepared = prepare(options);
  using sink = sinkFor(options, prepared, terminal);
  const done = countEarlier(options, sink);
  await using targets: FoundTargets = await findTargets(options, open, terminal);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    for await (const report of testTargets(targets.each(done), runOptions(options, prepared, stop.signal, sink)))
      sink.take(report);
    const status = sink.end();
    // What was not reached was not tested.
    return stop.signal.aborted && status === exitStatus.done ? exitStatus.failed : status;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

interface Prepared {
  readonly profiles: readonly Profile[];
  readonly anchors: TrustAnchors;
  readonly baseline: readonly Report[] | undefined;
  readonly signingKey: string | undefined;
  readonly resolvers: readonly string[];
  readonly believed: boolean;
}

/** All that may be wrong with the options, before anything is tested. Throws RangeError. */
function prepare(options: TestOptions): Prepared {
  const names = new Set(['mail-baseline', ...options.profile.split(',').map((name) => name.trim())]);
  names.delete('');
  const profiles = [...names].map(loadProfile);
  for (const [i, profile] of profiles.entries()) {
    proveProfile(profile);
    // Verdicts stand under the id: those of one would hide those of the other.
    if (profiles.findIndex(({ id }) => id === profile.id) < i)
      throw new RangeError(`two profiles have the id '${profile.id}': give yours another`);
  }
  if (options.ehlo !== undefined && !/^(?:[\w-]+(?:\.[\w-]+)*|\[[\w.:]+\])$/.test(options.ehlo))
    throw new RangeError(`--ehlo: '${printable(options.ehlo)}' is no host name or [address]`);
  const resolvers = options.resolver === undefined ? systemResolvers() : [options.resolver];
  new DnsClient({ resolvers });
  if (options.sign !== undefined && (options.output === undefined || formOf(options) !== 'json')) {
    throw new RangeError('--sign needs --json and --output: the signature is written beside the report');
  }
  if (options.sign !== undefined && options.resume !== undefined && options.resume === options.output) {
    throw new RangeError('--sign signs one run: write what is resumed to another --output');
  }
  const signingKey = options.sign === undefined ? undefined : readText(options.sign);
  if (signingKey !== undefined) checkSigningKey(signingKey);
  if (options.name !== undefined) parseTlsCertificateName(options.name);
  return {
    profiles,
    anchors: new TrustAnchors([
      ...getCACertificates('default'),
      ...getCACertificates('system'),
      ...(options.ca === undefined ? [] : certificatesOf(readText(options.ca), options.ca)),
    ]),
    baseline: options.baseline === undefined ? undefined : readReports(readText(options.baseline), options.baseline),
    signingKey,
    resolvers,
    believed: options.trustResolver || resolvers.every((resolver) => isTrustedResolver(resolver)),
  };
}

const formOf = ({ json, format }: TestOptions): ReportForm => (json ? 'json' : format);

/**
 * Has the sink count the reports that are there already; gives the targets that they are of. A line that was not written to its
 * end is left out: a run may have been killed while it wrote. Throws RangeError.
 */
function countEarlier({ resume, output }: TestOptions, sink: ReportSink): ReadonlySet<string> {
  if (resume === undefined || (resume === output && !existsSync(resume))) return new Set();
  const text = readText(resume);
  const reports = readReports(text.slice(0, text.lastIndexOf('\n') + 1), resume);
  for (const report of reports) sink.count(report);
  return new Set(reports.map(({ target }) => target.asked));
}

function sinkFor(options: TestOptions, { profiles, baseline, signingKey }: Prepared, terminal: Terminal): ReportSink {
  const { output, resume, failOn, all } = options;
  const given = {
    ...(output === undefined ? {} : { output }),
    ...(resume === undefined ? {} : { resume }),
    ...(baseline === undefined ? {} : { baseline }),
    ...(signingKey === undefined ? {} : { signingKey }),
  };
  return new ReportSink({ format: formOf(options), failOn, all, profiles, ...given }, terminal);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RangeError(`${path} cannot be read: ${fileReason(cause)}`, { cause });
  }
}

function certificatesOf(text: string, path: string): string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new RangeError(`${path} holds no certificate in PEM`);
  return found;
}

function runOptions(options: TestOptions, prepared: Prepared, signal: AbortSignal, sink: ReportSink): RunOptions {
  const base = options.parallel ? swiftManners : politeManners;
  const manners = { ...base, ehloName: options.ehlo ?? hostname() };
  const lookup = new DnsClient({ resolvers: prepared.resolvers });
  const now = Date.now();
  const name = options.name === undefined ? undefined : parseTlsCertificateName(options.name);
  return {
    profiles: prepared.profiles,
    manners,
    judge: {
      anchors: prepared.anchors,
      now,
      ...(name === undefined
        ? {}
        : { demanded: (der: Buffer) => certificateNameDifference(readCertificate(der), name) ?? 'met' }),
    },
    domain: {
      lookup,
      believed: prepared.believed,
      fetchPolicy: (domain) =>
        fetchStsPolicy(domain, { lookup, anchors: prepared.anchors.pem, timeoutMs: 15_000, signal }),
      signal,
      now,
    },
    signal,
    reduced: options.reduced,
    revocation: revocationFor(lookup),
    hostsAtOnce: options.hosts,
    endpointMs: options.timeLimit * 1000,
    progress: (endpoint, text) => sink.progress(endpoint, text),
  };
}

/**
 * Asks issuers over http. A certificate that a host of the Internet shows must not lead into this machine's networks; one that a
 * host inside shows may name a responder inside.
 */
function revocationFor(dns: DnsClient): NonNullable<RunOptions['revocation']> {
  const checker = (allowed: readonly IpRange[]): RevocationChecker =>
    new RevocationChecker(new RevocationFetch({ dns, allowed: () => allowed }), systemClock);
  const [outside, inside] = [checker([]), checker(['0.0.0.0/0', '::/0'].map(parseIpRange))];
  return (path, { address }) => (kindOf(reachedAddress(address)) === 'public' ? outside : inside).check(path);
}

export interface VerifyOptions {
  readonly report: string;
  readonly signature: string;
  readonly key: string;
}

export function tlsVerify({ report, signature, key }: VerifyOptions, terminal: Terminal): number {
  try {
    const good = verifyReports(readReports(readText(report), report), readText(signature), readText(key));
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
