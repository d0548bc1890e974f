/** From targets to reports, several hosts at once, each host politely. */
import { DnsFailure } from '../dns/index.ts';
import { blindFacts } from './blank-facts.ts';
import { type DomainParts, type DomainSurvey, surveyDomain, surveyHost } from './domain-facts.ts';
import { type Endpoint, endpointText, type Manners } from './endpoint.ts';
import { type Facts, notTested } from './facts.ts';
import { judge } from './judge.ts';
import { type ProbeOptions, probeEndpoint, reducedReason } from './probe-endpoint.ts';
import type { Profile } from './profile.ts';
import { type Report, reportSchema } from './report/report.ts';
import { resolveTarget, type Target } from './targets.ts';

export interface RunOptions {
  readonly profiles: readonly Profile[];
  readonly manners: Manners;
  readonly judge: ProbeOptions['judge'];
  readonly domain: DomainParts;
  readonly signal: AbortSignal;
  readonly reduced: boolean;
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
  const asked = target.asked;
  const blind = (reason: string): Report[] => [
    withVerdicts(
      {
        schema: reportSchema,
        target: { ...unknownEndpoint(target), asked },
        at,
        facts: blindFacts(reason),
        verdicts: {},
        connections: 0,
        seconds: 0,
      },
      options,
    ),
  ];
  let resolved: Awaited<ReturnType<typeof resolveTarget>>;
  try {
    resolved = await resolveTarget(target, options.domain.lookup, options.signal);
  } catch (error) {
    if (error instanceof DnsFailure) return blind(`DNS: ${error.message}`);
    throw error;
  }
  if (resolved.nullMx) return blind('the domain takes no mail (null MX, RFC 7505)');
  if (resolved.endpoints.length === 0) return blind('no address was found');
  const survey =
    target.kind === 'domain' ? await surveyDomain(target.domain, resolved.mxSecure, options.domain) : undefined;
  const reports: Report[] = [];
  for (const endpoint of resolved.endpoints) {
    const probed = await probe(endpoint, target, options);
    const facts =
      survey === undefined ? probed.facts : await withDomain(probed.facts, endpoint, target, survey, options);
    reports.push({
      schema: reportSchema,
      target: { ...endpoint, asked },
      at,
      facts,
      verdicts: {},
      connections: probed.connections,
      seconds: probed.seconds,
    });
  }
  return withParity(reports).map((report) => withVerdicts(report, options));
}

async function probe(
  endpoint: Endpoint,
  target: Target,
  options: RunOptions,
): Promise<{ facts: Facts; connections: number; seconds: number }> {
  const { manners, signal, reduced, progress } = options;
  const name = endpointText(endpoint);
  return probeEndpoint(endpoint, {
    manners,
    judge: { ...(target.kind === 'endpoint' ? { demanded: target.demanded } : {}), ...options.judge },
    reduced,
    signal: AbortSignal.any([signal, AbortSignal.timeout(options.endpointMs)]),
    ...(progress === undefined ? {} : { progress: (text) => progress(name, text) }),
  });
}

async function withDomain(
  facts: Facts,
  endpoint: Endpoint,
  target: Target,
  survey: DomainSurvey,
  options: RunOptions,
): Promise<Facts> {
  const domain = target.kind === 'domain' ? target.domain : endpoint.host;
  const found = await surveyHost(endpoint.host, facts, domain, survey, options.domain);
  return { ...facts, ...(facts.mail === undefined ? {} : { mail: { ...facts.mail, domain: found } }) };
}

/** What must be alike on all hosts and address families of a target. */
function withParity(reports: readonly Report[]): readonly Report[] {
  if (reports.length < 2) return reports;
  const key = ({ facts }: Report): string =>
    JSON.stringify([
      facts.protocols,
      facts.mail?.starttls,
      Object.values(facts.cipherSuites).map((list) => list?.toSorted()),
    ]);
  const [first] = reports;
  const different = reports
    .filter((report) => first !== undefined && key(report) !== key(first))
    .map(({ target }) => endpointText(target));
  const parity =
    different.length === 0
      ? 'same'
      : `unlike ${first === undefined ? '' : endpointText(first.target)}: ${different.join(', ')}`;
  return reports.map((report) =>
    report.facts.mail === undefined
      ? report
      : { ...report, facts: { ...report.facts, mail: { ...report.facts.mail, parity } } },
  );
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

function unknownEndpoint(target: Target): Endpoint {
  if (target.kind === 'endpoint') return target.endpoint;
  return target.kind === 'domain'
    ? { host: target.domain, address: '', port: 25, protocol: 'smtp' }
    : { host: target.host, address: '', port: target.port, protocol: target.protocol };
}
