/**
 * The TLS compliance tester for mail: probes an endpoint from outside, octet by octet (tls/wire), and judges what it saw
 * by named standards. Facts first, then pure verdicts; what was not seen is never a pass. It neither receives nor sends mail.
 * RFC 3207, RFC 8446, RFC 5246, RFC 7672, RFC 8461, and the sources that each rule of a profile names.
 */

export { judge, proveProfile } from './checks/judge.ts';
export { fetchStsPolicy } from './domain/sts-fetch.ts';
export { type Lookup, type Protocol, parseTarget, type Target } from './domain/targets.ts';
export type { Facts } from './facts/facts.ts';
export { loadProfile, type Profile, parseProfile, profileNames } from './facts/profile.ts';
export { type Endpoint, politeManners, swiftManners } from './probe/endpoint.ts';
export { probeEndpoint } from './probe/probe-endpoint.ts';
export { changedSince, readReports } from './report/baseline.ts';
export { htmlReport } from './report/html.ts';
export { type Report, rankOf, statusOf } from './report/report.ts';
export { checkSigningKey, signReports, verifyReports } from './report/signature.ts';
export { csvHead, csvLines, junitHead, junitSuite, junitTail, sarifLog } from './report/tables.ts';
export { textReport } from './report/text.ts';
export { type RunOptions, testTargets } from './run.ts';
export { Trap, type TrapEndpoint, type TrapResult, trapAddressCount } from './trap/trap.ts';
export { trapKinds } from './trap/trap-table.ts';
