/**
 * `make lab-tls`: testssl.sh and our tester on the same endpoints. Facts that differ stand in `lab/disagreements.tsv` with who is
 * right and by what octets; a new one ends with status 1. Prints the connections and seconds of both.
 * What testssl.sh found at an endpoint is kept in `.bench/lab-tls`, so that a run that was cut goes on; `make clean` forgets it.
 * Arguments: endpoints of the laboratory; without any, all of the list below.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { host, makeChains, writeChains } from '../../certs/make.ts';
import { type Endpoint, probeEndpoint, swiftManners } from '../../src/compliance/index.ts';
import { TrustAnchors } from '../../src/tls/index.ts';
import { type VersionName, versions } from '../../src/tls/wire/index.ts';
import { endpoints, type LabFiles } from './lab/endpoints.ts';
import { answerTo } from './lab/packet-check.ts';
import { factsOfOurs, factsOfTestssl, runTestssl, type Shared, type TestsslRun } from './lab/testssl.ts';

/**
 * Real servers that differ in what they speak: OpenSSL, GnuTLS, NSS; old, new; STARTTLS and not. Without StartTLS of LDAP, which
 * testssl.sh 3.0.8 does not do.
 */
const usual = [
  'postfix-default',
  'nss-ssl3',
  'gnutls-rc4-3des-null',
  'openssl-null-and-anonymous',
  'slapd-ldaps',
  'exim-default',
  'dovecot-lmtp',
  'openssl-two-keys',
  'dovecot-tls',
  'openssl-tls10-only',
  'openssl-renegotiation',
  'nss-tls13',
];
/** Here testssl.sh runs as people start it, and the cost of both is told. */
const whole = 'postfix-default';

const results = fileURLToPath(new URL('../../.bench/lab-tls', import.meta.url));
const table = fileURLToPath(new URL('./lab/disagreements.tsv', import.meta.url));
const known = new Map(
  readFileSync(table, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [endpoint = '', fact = '', ours = '', theirs = ''] = line.split('\t');
      return [[endpoint, fact, ours, theirs].join('\t'), line] as const;
    }),
);

/** Counts the connections that pass. */
async function counting(port: number): Promise<{ readonly server: Server; readonly port: number; count: number }> {
  const counter = { count: 0 };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    counter.count++;
    const onward = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    for (const one of [socket, onward]) one.on('error', () => (socket.destroy(), onward.destroy()));
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(counter, { server, port: (server.address() as { port: number }).port });
}

interface Measured<T> {
  readonly result: T;
  readonly connections: number;
  readonly seconds: number;
}

async function measured<T>(counter: { count: number }, act: () => Promise<T>): Promise<Measured<T>> {
  counter.count = 0;
  const began = performance.now();
  const result = await act();
  return { result, connections: counter.count, seconds: (performance.now() - began) / 1000 };
}

const costOf = ({ connections, seconds }: Measured<unknown>): string =>
  `${connections} connections, ${seconds.toFixed(1)} s`;

/** A run of testssl.sh, or what an earlier one found: it takes minutes. */
async function kept(
  file: string,
  counter: { count: number },
  act: () => Promise<TestsslRun>,
): Promise<Measured<TestsslRun>> {
  if (existsSync(file)) {
    console.log(`  testssl.sh: as it ran before (${file})`);
    return JSON.parse(readFileSync(file, 'utf8')) as Measured<TestsslRun>;
  }
  const run = await measured(counter, act);
  writeFileSync(`${file}.part`, JSON.stringify(run));
  renameSync(`${file}.part`, file);
  return run;
}

/** What differs in one fact: of lists the difference alone. */
function difference(ours: string, theirs: string): readonly [string, string] | undefined {
  if (ours === theirs) return undefined;
  if (!ours.includes('_WITH_') && !theirs.includes('_WITH_') && !ours.includes(' ')) return [ours, theirs];
  const [one, two] = [new Set(ours.split(' ')), new Set(theirs.split(' '))];
  return [[...one.difference(two)].join(' ') || '-', [...two.difference(one)].join(' ') || '-'];
}

/** Octets for the table, where a hello can decide. */
async function evidence(endpoint: Endpoint, fact: string, names: string): Promise<string> {
  const [kind, version = ''] = fact.split('.');
  if (kind !== 'cipherSuites' || !(version in versions)) return 'settle by hand';
  const answers: string[] = [];
  for (const suite of names.split(' ').filter((name) => name !== '-'))
    answers.push(await answerTo(endpoint, version as VersionName, suite));
  return answers.join('; ');
}

async function compare(endpoint: Endpoint, name: string, ours: Shared, theirs: Shared): Promise<number> {
  let fresh = 0;
  let same = 0;
  for (const [fact, their] of Object.entries(theirs)) {
    const differs = difference(ours[fact] ?? 'absent', their);
    if (differs === undefined) {
      same++;
      continue;
    }
    const row = [name, fact, ...differs].join('\t');
    if (known.has(row)) console.log(`  settled before: ${known.get(row)}`);
    else {
      fresh++;
      console.log(`  NEW\t${row}\t${await evidence(endpoint, fact, differs.join(' '))}`);
    }
  }
  console.log(`  ${same} facts agree`);
  if (same === 0) throw new Error('testssl.sh found nothing: no comparison');
  return fresh;
}

async function look(name: string, files: LabFiles, anchors: TrustAnchors): Promise<number> {
  const lab = endpoints[name];
  if (lab === undefined) throw new Error(`there is no endpoint ${name}`);
  console.log(name);
  await using running = await lab.start(files);
  const proxy = await counting(running.port);
  try {
    const endpoint: Endpoint = { host, address: '127.0.0.1', port: proxy.port, protocol: lab.protocol };
    const ours = await measured(proxy, () =>
      probeEndpoint(endpoint, {
        manners: swiftManners,
        judge: { anchors, now: Date.now() },
        signal: AbortSignal.timeout(120_000),
      }),
    );
    mkdirSync(results, { recursive: true });
    if (name === whole) {
      const run = await kept(join(results, `${name}.whole.json`), proxy, () => runTestssl(endpoint, { whole: true }));
      console.log(`  edge tls test: ${costOf(ours)}; testssl.sh (default run): ${costOf(run)}`);
      console.log(
        `  ratio: ${(run.connections / ours.connections).toFixed(1)} times the connections, ${(run.seconds / ours.seconds).toFixed(0)} times the seconds`,
      );
    }
    const theirs = await kept(join(results, `${name}.json`), proxy, () => runTestssl(endpoint, { whole: false }));
    console.log(`  edge tls test: ${costOf(ours)}; testssl.sh (checks that are compared): ${costOf(theirs)}`);
    return await compare(endpoint, name, factsOfOurs(ours.result.facts), factsOfTestssl(theirs.result));
  } finally {
    proxy.server.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'edge-lab-tls-'));
let fresh = 0;
try {
  const made = makeChains(Date.now(), ['good-rsa', 'good-ec', 'good-ed25519']);
  await writeChains(folder, made);
  const files = { folder, issuing: made.issuing, readPem: (file: string) => readFileSync(join(folder, file), 'utf8') };
  const names = process.argv.length > 2 ? process.argv.slice(2) : usual;
  for (const name of names) fresh += await look(name, files, new TrustAnchors([made.rootPem]));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  fresh === 0 ? 'no new disagreement' : `${fresh} new disagreements: settle them and write them into ${table}`,
);
process.exitCode = fresh === 0 ? 0 : 1;
