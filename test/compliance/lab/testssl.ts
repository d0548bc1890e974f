/** testssl.sh 3.0 on an endpoint, and its findings in the words of our facts. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Endpoint, Facts } from '../../../src/compliance/index.ts';

/** Fact → value, of those that both tools look at. */
export type Shared = Readonly<Record<string, string>>;

interface Finding {
  readonly id: string;
  readonly finding: string;
}

/** Protocols, ciphers by protocol, preference, defaults, forward secrecy, renegotiation, compression, fall-back. */
const checks = ['-p', '-E', '-P', '-S', '-f', '-R', '-C', '-Z'];

/** Findings of a run that came to its end. */
export type TestsslRun = readonly Finding[];

/** No run takes longer, in milliseconds. */
const longest = 30 * 60_000;

/** `whole`: the default run, as people start it; otherwise the checks that facts are compared of. Throws where it does not end. */
export async function runTestssl(
  { host, port, protocol }: Endpoint,
  { whole }: { readonly whole: boolean },
): Promise<TestsslRun> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-testssl-'));
  try {
    const json = join(folder, 'findings.json');
    const starttls = { smtp: ['-t', 'smtp'], lmtp: ['-t', 'lmtp'], ldap: ['-t', 'ldap'], smtps: [], tls: [] }[protocol];
    const options = ['--quiet', '--color', '0', '--warnings', 'off', '--jsonfile', json];
    const args = [...options, ...(whole ? [] : checks), ...starttls, '--ip', '127.0.0.1', `${host}:${port}`];
    // Its exit status counts findings; what it writes is whole JSON only when it ended by itself.
    await promisify(execFile)('testssl', args, { timeout: longest, maxBuffer: 1 << 26 }).catch(() => undefined);
    return JSON.parse(readFileSync(json, 'utf8')) as Finding[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const versions: Readonly<Record<string, string>> = {
  SSLv2: 'ssl2',
  SSLv3: 'ssl3',
  TLS1: 'tls1_0',
  TLS1_1: 'tls1_1',
  TLS1_2: 'tls1_2',
  TLS1_3: 'tls1_3',
};
const curves: Readonly<Record<string, string>> = { prime256v1: 'secp256r1', X25519: 'x25519', X448: 'x448' };
const sorted = (names: Iterable<string>): string => [...new Set(names)].toSorted().join(' ');

export function factsOfTestssl(findings: readonly Finding[]): Shared {
  const facts: Record<string, string> = {};
  const suites: Record<string, Set<string>> = {};
  for (const { id, finding } of findings) {
    const version = versions[id];
    if (version !== undefined) facts[`protocols.${version}`] = /not offered/.test(finding) ? 'not-offered' : 'offered';
    // 'cipher-tls1_2_xc030': 'TLS 1.2   xc030   ECDHE-RSA-…   TLS_ECDHE_RSA_…'
    const of = /^cipher-((?:ssl|tls)[\d_]+)_x/.exec(id)?.[1];
    const suite = finding.trim().split(/\s+/).at(-1) ?? '';
    if (of !== undefined && /^(TLS|SSL)_/.test(suite))
      (suites[of === 'tls1' ? 'tls1_0' : of] ??= new Set()).add(suite.replace(/^SSL_/, 'TLS_'));
    Object.assign(facts, readers[id]?.(finding) ?? {});
  }
  for (const [version, names] of Object.entries(suites)) facts[`cipherSuites.${version}`] = sorted(names);
  return facts;
}

const has = (finding: string, name: string): string => (finding.includes(name) ? 'offered' : 'not-offered');

/** By id of testssl.sh. */
const readers: Readonly<Record<string, (finding: string) => Shared>> = {
  FS_ECDHE_curves: (finding) => ({ curves: sorted(finding.split(/\s+/).map((name) => curves[name] ?? name)) }),
  PFS_ECDHE_curves: (finding) => ({ curves: sorted(finding.split(/\s+/).map((name) => curves[name] ?? name)) }),
  fallback_SCSV: (finding) =>
    /^(supported|not supported)/i.test(finding)
      ? { 'features.fallbackScsv': /^supported/.test(finding) ? 'offered' : 'not-offered' }
      : {},
  // Its OpenSSL cannot do every handshake.
  secure_renego: (finding) =>
    /supported/i.test(finding)
      ? { 'features.secureRenegotiation': /^supported/.test(finding) ? 'offered' : 'not-offered' }
      : {},
  secure_client_renego: (finding) =>
    /vulnerable/i.test(finding)
      ? { 'features.clientRenegotiation': /^not vulnerable/.test(finding) ? 'not-offered' : 'offered' }
      : {},
  CRIME_TLS: (finding) =>
    /vulnerable/i.test(finding)
      ? { 'features.compression': /^not vulnerable/.test(finding) ? 'not-offered' : 'offered' }
      : {},
  OCSP_stapling: (finding) => ({ 'features.ocspStaple': /^not offered/.test(finding) ? 'not-offered' : 'offered' }),
  TLS_session_ticket: (finding) => {
    const seconds = /valid for (\d+) seconds/.exec(finding)?.[1];
    return seconds === undefined ? {} : { ticketLifetime: seconds };
  },
  TLS_extensions: (finding) => ({
    'features.extendedMasterSecret': has(finding, '/#23'),
    'features.heartbeat': has(finding, '/#15'),
  }),
};

/** The same facts of ours. */
export function factsOfOurs({ protocols, cipherSuites, groups, features }: Facts): Shared {
  const named = ['fallbackScsv', 'secureRenegotiation', 'clientRenegotiation', 'compression', 'ocspStaple'] as const;
  return {
    ...Object.fromEntries(Object.entries(protocols).map(([name, answer]) => [`protocols.${name}`, answer])),
    ...Object.fromEntries(
      Object.entries(cipherSuites).map(([name, suites = []]) => [`cipherSuites.${name}`, sorted(suites)]),
    ),
    curves: sorted(groups.filter((name) => !/ffdhe|MLKEM/.test(name))),
    ...Object.fromEntries(
      // testssl.sh knows no question that makes no sense: to it that is not offered.
      [...named, 'extendedMasterSecret' as const, 'heartbeat' as const].map((name) => [
        `features.${name}`,
        features[name].replace(/^not-applicable.*/s, 'not-offered'),
      ]),
    ),
    ...(features.ticketLifetime === undefined ? {} : { ticketLifetime: String(features.ticketLifetime) }),
  };
}
