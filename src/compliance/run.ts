/** From targets to reports, several hosts at once, each host politely. */
import { DnsFailure } from '../dns/index.ts';
import { judge } from './checks/judge.ts';
import type { DomainParts } from './domain/domain-answer.ts';
import { type DomainSurvey, surveyDomain, surveyHost } from './domain/domain-facts.ts';
import { withParity } from './domain/parity.ts';
import { type Resolved, resolveTarget, type Target } from './domain/targets.ts';
import { blindFacts } from './facts/blank-facts.ts';
import { type Facts, notTested } from './facts/facts.ts';
import type { Profile } from './facts/profile.ts';
import { reducedReason, Untested } from './facts/untested.ts';
import { type Endpoint, endpointText, type Manners, mxPort, portsBeside } from './probe/endpoint.ts';
import { ProbeConnection } from './probe/probe-connection.ts';
import { type ProbeOptions, probeEndpoint } from './probe/probe-endpoint.ts';
import { type Report, reportSchema } from './report/report.ts';

export interface RunOptions {
  readonly profiles: readonly Profile[];
  readonly manners: Manners;
  readonly judge: ProbeOptions['judge'];
  readonly domain: DomainParts;
  readonly signal: AbortSignal;
  readonly reduced: boolean;
  readonly revocation?: ProbeOptions['revocation'];
  /** Hosts tested at the same time. */
  readonly hostsAtOnce: number;
  /** Limit for one endpoint. */
  readonly endpointMs: number;
  readonly progress?: (endpoint: string, text: string) => void;
}

/**
 * Tests targets; gives each report as it is done. Nothing of a report is kept. When all is stopped, targets that were under
 * way give none: a later run begins with them anew.
 */
export async function* testTargets(
  targets: AsyncIterable<Target> | Iterable<Target>,
  options: RunOptions,
): AsyncGenerator<Report> {
  const running = new Set<Promise<readonly Report[]>>();
  for await (const target of targets) {
    if (options.signal.aborted) break;
    const work: Promise<readonly Report[]> = testTarget(target, options);
    running.add(work);
    if (running.size >= options.hostsAtOnce) yield* unlessStopped(await firstOf(running), options);
  }
  while (running.size > 0) yield* unlessStopped(await firstOf(running), options);
}

function unlessStopped(reports: readonly Report[], { signal }: RunOptions): readonly Report[] {
  return signal.aborted ? [] : reports;
}

async function firstOf(running: Set<Promise<readonly Report[]>>): Promise<readonly Report[]> {
  const [work, reports] = await Promise.race([...running].map(async (one) => [one, await one] as const));
  running.delete(work);
  return reports;
}

/** All endpoints of one target, one after the other, then what they have in common. */
async function testTarget(target: Target, options: RunOptions): Promise<readonly Report[]> {
  const at = new Date(options.judge.now).toISOString();
  const asked = { asked: target.asked, ...(target.kind === 'endpoint' ? { connector: target.connector } : {}) };
  const blank = (reason: string, host = unknownEndpoint(target).host): Report => ({
    schema: reportSchema,
    target: { ...unknownEndpoint(target), host, ...asked },
    at,
    facts: blindFacts(reason),
    verdicts: {},
    connections: 0,
    seconds: 0,
  });
  const blind = (reason: string): Report[] => [withVerdicts(blank(reason), options)];
  let resolved: Awaited<ReturnType<typeof resolveTarget>>;
  try {
    resolved = await resolveTarget(target, options.domain.lookup, options.signal);
  } catch (error) {
    if (error instanceof DnsFailure) return blind(`DNS: ${error.message}`);
    throw error;
  }
  if (resolved.nullMx) return blind('the domain takes no mail (null MX, RFC 7505)');
  if (resolved.endpoints.length === 0) return blind(whyNowhere(target, resolved));
  const survey =
    target.kind === 'domain' ? await surveyDomain(target.domain, resolved.mxSecure, options.domain) : undefined;
  const reports: Report[] = [];
  const beside = target.kind === 'domain' ? await besideMx(resolved.endpoints, options) : [];
  for (const endpoint of [...resolved.endpoints, ...beside]) {
    const probed = await probe(endpoint, target, options);
    const facts = await withDomain(probed.facts, endpoint, survey, options, target);
    reports.push({
      schema: reportSchema,
      target: { ...endpoint, ...asked },
      at,
      facts,
      verdicts: {},
      connections: probed.connections,
      seconds: probed.seconds,
    });
  }
  reports.push(...resolved.unknown.map(({ host, reason }) => blank(reason, host)));
  return withParity(reports).map((report) => withVerdicts(report, options));
}

async function probe(
  endpoint: Endpoint,
  target: Target,
  options: RunOptions,
): Promise<{ facts: Facts; connections: number; seconds: number }> {
  const { manners, signal, reduced, revocation, progress } = options;
  const name = endpointText(endpoint);
  return probeEndpoint(endpoint, {
    manners,
    judge: { ...(target.kind === 'endpoint' ? { demanded: target.demanded } : {}), ...options.judge },
    reduced,
    ...(revocation === undefined ? {} : { revocation }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(options.endpointMs)]),
    ...(progress === undefined ? {} : { progress: (text) => progress(name, text) }),
  });
}

/** What DNS says of the host; an address alone, and what Edge knows of its own connectors, stand in no zone. */
async function withDomain(
  facts: Facts,
  endpoint: Endpoint,
  survey: DomainSurvey | undefined,
  { domain }: RunOptions,
  target: Target,
): Promise<Facts> {
  if (facts.mail === undefined || target.kind === 'endpoint' || endpoint.host === '' || endpoint.host === 'localhost')
    return facts;
  const found = await surveyHost(endpoint, facts, survey, domain);
  return { ...facts, mail: { ...facts.mail, domain: found } };
}

/** A port that is filtered is waited for no longer, in milliseconds. */
const besideMs = 3000;

/** Ports beside that of the MX hosts that are open: what is right on one and wrong on another is found by an attacker first. */
async function besideMx(endpoints: readonly Endpoint[], { manners, signal, reduced }: RunOptions): Promise<Endpoint[]> {
  const found: Endpoint[] = [];
  if (reduced) return found;
  for (const endpoint of endpoints.filter(({ port }) => port === mxPort))
    for (const [port, protocol] of Object.entries(portsBeside)) {
      const place = { ...endpoint, port: Number(port), protocol };
      if (await isOpen(place, Math.min(manners.stepMs, besideMs), signal)) found.push(place);
    }
  return found;
}

async function isOpen({ address, port }: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    using _connection = await ProbeConnection.open(address, port, timeoutMs, signal);
    return true;
  } catch (error) {
    if (error instanceof Untested) return false;
    throw error;
  }
}

/** Rules about what a reduced set of probes leaves out are left out as well: nobody asked for them. */
function withVerdicts(report: Report, { profiles, judge: { now }, reduced }: RunOptions): Report {
  const context = { now, port: report.target.port };
  const verdicts = Object.fromEntries(profiles.map((profile) => [profile.id, judge(report.facts, profile, context)]));
  if (!reduced) return { ...report, verdicts };
  const asked = Object.entries(verdicts).map(([id, rules]) => [
    id,
    Object.fromEntries(Object.entries(rules).filter(([, { verdict }]) => verdict !== notTested(reducedReason))),
  ]);
  return { ...report, verdicts: Object.fromEntries(asked) as Report['verdicts'] };
}

/** Why no endpoint was found. */
function whyNowhere(target: Target, { mxHosts, unknown }: Resolved): string {
  const failed = unknown.find(({ reason }) => reason.startsWith('DNS: '));
  if (failed !== undefined) return failed.reason;
  if (target.kind === 'domain' && mxHosts.length === 0) return 'the domain has neither MX nor address records';
  return unknown.map(({ reason }) => reason).join(', ') || 'no address was found';
}

function unknownEndpoint(target: Target): Endpoint {
  if (target.kind === 'endpoint') return target.endpoint;
  return target.kind === 'domain'
    ? { host: target.domain, address: '', port: 25, protocol: 'smtp' }
    : { host: target.host, address: '', port: target.port, protocol: target.protocol };
}
