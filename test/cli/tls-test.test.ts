/** `edge tls test` as a person calls it: forms, exit status, signature, baseline, resuming. One quick endpoint serves all. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { makeChains } from '../../certs/make.ts';
import { openConnectorPlaces } from '../../src/services/connector-trial/index.ts';
import type { CommandResult } from '../lib/appliance.ts';
import { edgeHere } from '../lib/command-here.ts';
import { RevocationAuthority } from '../lib/revocation-authority.ts';

const edge = fileURLToPath(new URL('../../src/bin/edge', import.meta.url));
const schemaOf = (name: string): object =>
  JSON.parse(
    readFileSync(new URL(`../../src/compliance/schema/${name}.schema.json`, import.meta.url), 'utf8'),
  ) as object;
const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': true } });

/** The schema that OASIS published, in draft 4 of JSON Schema: `id` is `$id`, and its patterns know no Unicode. */
const {
  $schema: _draft4,
  id: _id,
  ...sarifSchema
} = JSON.parse(
  readFileSync(new URL(import.meta.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json')), 'utf8'),
) as Record<string, unknown>;
const sarifAjv = new Ajv({
  allErrors: true,
  strict: false,
  unicodeRegExp: false,
  formats: { 'date-time': true, uri: (text) => URL.canParse(text), 'uri-reference': true },
});
const validSarif = sarifAjv.compile(sarifSchema);

let folder: string;
let server: Server;
let target: string;

/** As a process of its own, once: everything between the shell and the report. */
function spawned(...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) =>
    execFile(edge, ['tls', ...args], { maxBuffer: 1 << 26 }, (error, out, text) =>
      resolve({ status: error === null ? 0 : Number(error.code), out, error: text }),
    ),
  );
}

/** The same command in this process, which stands in the folder. */
const run = (...args: string[]): Promise<CommandResult> =>
  edgeHere(['tls', ...args], { connectors: openConnectorPlaces });

const usual = (): string[] => ['test', target, '--tls', '--parallel', '--ca', 'root.pem'];
const testing = (...args: string[]): Promise<CommandResult> => run(...usual(), ...args);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-tls-test-'));
  process.chdir(folder);
  const { rootPem, chains } = makeChains(Date.now(), ['good-ec']);
  const { keyPem = '', chainPem = '' } = chains['good-ec'] ?? {};
  writeFileSync(join(folder, 'root.pem'), rootPem);
  copyFileSync(new URL('../../src/compliance/profiles/anssi-1.2.json', import.meta.url), join(folder, 'twin.json'));
  writeFileSync(join(folder, 'empty.txt'), '# nobody yet\n');
  writeFileSync(join(folder, 'key.pem'), keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'cert.pem'), chainPem);
  server = createServer({ key: keyPem, cert: chainPem, minVersion: 'TLSv1.3' }, (socket) =>
    socket.on('error', () => undefined),
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = `127.0.0.1:${(server.address() as { port: number }).port}`;
});
after(() => {
  server.close();
  process.chdir('/');
  rmSync(folder, { recursive: true, force: true });
});

test('JSON lines follow the published schema, are signed, and the signature is checked', async () => {
  const { status, error } = await spawned(
    ...usual(),
    '--profile',
    'mozilla-modern-6.0',
    '--json',
    '--output',
    'report.json',
    '--sign',
    'key.pem',
  );
  assert.equal(error, '');
  // The certificate of the lab lives longer than Mozilla's 90 days.
  assert.equal(status, 1);
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
    target: object;
    facts: { protocols: object };
  };
  const valid = ajv.validate(schemaOf('report'), report);
  assert.ok(valid, ajv.errorsText());
  assert.deepEqual(report.target, {
    host: '',
    address: '127.0.0.1',
    port: Number(target.split(':')[1]),
    protocol: 'tls',
    asked: target,
  });
  const good = await run('verify', 'report.json', 'report.json.jws', '--key', 'cert.pem');
  assert.deepEqual([good.status, good.out], [0, 'the signature is that of this report\n']);
  writeFileSync(
    join(folder, 'forged.json'),
    readFileSync(join(folder, 'report.json'), 'utf8').replace('"not-offered"', '"offered"'),
  );
  assert.equal((await run('verify', 'forged.json', 'report.json.jws', '--key', 'cert.pem')).status, 1);
  assert.equal((await run('verify', 'report.json', 'root.pem', '--key', 'cert.pem')).status, 2);
});

test('text names the miss, its evidence and the line that mends it; --fail-on decides on the status', async () => {
  const strict = await testing('--profile', 'mozilla-modern-6.0');
  assert.equal(strict.status, 1);
  assert.match(
    strict.out,
    /Edge: +New-ExchangeCertificate[^]*fail +MOZM-LIFETIME .*\n +\d+ days\n +mend: as for MOZM-CERT-SIGNATURE\n/,
  );
  // Without TLS 1.2 and with X25519 the recommendations of the BSI are missed, none of its demands.
  const mild = await testing('--profile', 'bsi-tr-02102-2-2025-01');
  assert.deepEqual([mild.status, mild.error], [0, '']);
  assert.equal((await testing('--profile', 'bsi-tr-02102-2-2025-01', '--fail-on', 'warn')).status, 1);
});

test('the baseline leaves only what changed', async () => {
  await testing('--profile', 'anssi-1.2', '--json', '--output', 'before.json');
  const { out } = await testing('--profile', 'anssi-1.2', '--baseline', 'before.json', '--json');
  const { verdicts } = JSON.parse(out) as { verdicts: Record<string, object> };
  assert.deepEqual(verdicts, { 'mail-baseline': {}, 'anssi-1.2': {} });
});

interface JunitCase {
  '@name': string;
  '@classname': string;
  skipped?: { '@message': string };
  failure?: { '@message': string; '@type': string };
}

/**
 * Nobody publishes the one schema of JUnit: this is the structure that its readers have in common. Well-formed, counts that
 * are those of the cases, no attribute or element besides.
 */
function junitCounts(xml: string): { name: string; failures: number; failed: string[] }[] {
  assert.equal(XMLValidator.validate(xml), true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    isArray: (name) => name === 'testsuite' || name === 'testcase',
  });
  const { testsuites } = parser.parse(xml) as {
    testsuites: { testsuite: (Record<string, string> & { testcase: JunitCase[] })[] };
  };
  assert.deepEqual(Object.keys(testsuites).toSorted(), ['@name', 'testsuite']);
  return testsuites.testsuite.map(({ testcase, ...suite }) => {
    assert.deepEqual(Object.keys(suite).toSorted(), [
      ...['@errors', '@failures', '@name', '@skipped', '@tests', '@time', '@timestamp'],
    ]);
    assert.match(suite['@timestamp'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    assert.match(suite['@time'] ?? '', /^\d+(\.\d+)?$/);
    const failed = testcase.filter(({ failure }) => failure !== undefined);
    const skipped = testcase.filter((one) => one.skipped !== undefined);
    const told = [suite['@tests'], suite['@failures'], suite['@skipped'], suite['@errors']].map(Number);
    assert.deepEqual(told, [testcase.length, failed.length, skipped.length, 0]);
    for (const { '@name': name, '@classname': profile, skipped: why, failure, ...more } of testcase) {
      assert.ok(name !== '' && profile !== '' && Object.keys(more).length === 0, JSON.stringify(more));
      assert.ok(why === undefined || (failure === undefined && why['@message'].startsWith('not-')));
      assert.ok(failure === undefined || (failure['@type'] !== '' && failure['@message'] !== ''));
    }
    return {
      name: suite['@name'] ?? '',
      failures: failed.length,
      failed: failed.map((one) => one['@name']).toSorted(),
    };
  });
}

test('CSV, JUnit, SARIF and HTML are whole', async () => {
  const csv = await testing('--profile', 'anssi-1.2', '--format', 'csv');
  assert.match(
    csv.out,
    /^target,host,address,port,profile,rule,verdict,evidence,source\r\n"127\.0\.0\.1:\d+","","127\.0\.0\.1"/,
  );
  const junit = await testing('--profile', 'mozilla-modern-6.0', '--format', 'junit');
  assert.deepEqual(junitCounts(junit.out), [
    { name: target, failures: 2, failed: ['MOZM-CERT-SIGNATURE', 'MOZM-LIFETIME'] },
  ]);
  const sarif = JSON.parse((await testing('--profile', 'mozilla-modern-6.0', '--format', 'sarif')).out) as {
    version: string;
    runs: { results: { ruleId: string; level: string }[] }[];
  };
  assert.ok(validSarif(sarif), sarifAjv.errorsText(validSarif.errors));
  assert.ok(!validSarif({ ...sarif, runs: [{ results: sarif.runs[0]?.results }] }), 'without its tool it is no SARIF');
  assert.ok(sarif.runs[0]?.results.some(({ ruleId, level }) => ruleId === 'MOZM-LIFETIME' && level === 'error'));
  const html = await testing('--profile', 'mozilla-modern-6.0', '--format', 'html');
  assert.match(html.out, /^<!doctype html>[^]*<\/html>\n$/);
  assert.doesNotMatch(html.out, /src=|href="[^#]/);
});

test('a list of targets is resumed, and a target that does not answer is told', async () => {
  writeFileSync(join(folder, 'list.txt'), `${target}\n# a comment\n127.0.0.1:1\n`);
  const list = [
    'test',
    'list.txt',
    '--tls',
    '--parallel',
    '--reduced',
    '--json',
    '--ca',
    'root.pem',
    '--profile',
    'anssi-1.2',
  ];
  const first = await run(...list, '--output', 'all.json');
  assert.equal(first.status, 2);
  const lines = readFileSync(join(folder, 'all.json'), 'utf8').trim().split('\n');
  assert.equal(lines.length, 2);
  assert.match(lines.find((line) => line.includes('"127.0.0.1:1"')) ?? '', /not-tested\(no connection: ECONNREFUSED\)/);
  const again = await run(...list, '--resume', 'all.json');
  assert.deepEqual([again.status, again.out], [2, '']);
});

test('a run that was killed while it wrote goes on where it was, in the same file', async () => {
  writeFileSync(join(folder, 'two.txt'), `${target}\n127.0.0.1:1\n`);
  const more = ['--parallel', '--reduced', '--json', '--ca', 'root.pem', '--profile', 'anssi-1.2'];
  const list = ['test', 'two.txt', '--tls', ...more];
  const into = ['--output', 'two.json', '--resume', 'two.json'];
  assert.equal((await run(...list, ...into)).status, 2);
  const whole = readFileSync(join(folder, 'two.json'), 'utf8');
  const [first = ''] = whole.split('\n');
  writeFileSync(join(folder, 'two.json'), `${first}\n${first.slice(0, 100)}`);
  const { status, error } = await run(...list, ...into);
  assert.deepEqual([status, error], [2, '']);
  const lines = readFileSync(join(folder, 'two.json'), 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 2);
  assert.equal(lines[0], first);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { target: { asked: string } }).target.asked).toSorted(),
    ['127.0.0.1:1', target].toSorted(),
  );
});

test('a bad line of a list is told before anything is tested, and leaves the earlier output as it was', async () => {
  writeFileSync(join(folder, 'bad.txt'), `${target}\n\nmx.example:0\n`);
  writeFileSync(join(folder, 'kept.json'), 'kept\n');
  const { status, error } = await run('test', 'bad.txt', '--tls', '--json', '--output', 'kept.json');
  assert.equal(status, 64);
  assert.match(error, /bad\.txt:3: 'mx\.example:0' names no port/);
  assert.equal(readFileSync(join(folder, 'kept.json'), 'utf8'), 'kept\n');
});

test('a demanded name is checked on the certificate', async () => {
  const { out, status } = await testing('--profile', 'anssi-1.2', '--name', '<I>CN=Other CA<S>CN=mail.edge.test');
  assert.equal(status, 1);
  assert.match(out, /M-CERT-DEMAND [^]*\n +issuer, /);
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['test', 'a b'], /'a b' is no domain, host, host:port/],
  [['test', 'nofile.txt'], /there is no file 'nofile\.txt'/],
  [['test', 'empty.txt'], /empty\.txt names no target/],
  [
    ['test', 'Printers', '--state', 'nowhere'],
    /'Printers' is no domain, .* in nowhere: there is no state of an appliance/,
  ],
  [['test', '127.0.0.1:25', '--profile', 'nobody'], /no profile 'nobody'/],
  [['test', '127.0.0.1:25', '--profile', 'anssi-1.2,anssi-1.2,twin.json'], /two profiles have the id 'anssi-1\.2'/],
  [['test', '127.0.0.1:25', '--ehlo', 'x\r\nQUIT'], /--ehlo: .* is no host name/],
  [['test', '127.0.0.1:25', '--name', 'CN=x'], /<I>issuer<S>subject/],
  [['test', '127.0.0.1:25', '--sign', 'key.pem'], /--sign needs/],
  [['test', '127.0.0.1:25', '--resolver', 'dns.example'], /no address of a resolver/],
  [['test', '127.0.0.1:99999'], /no port from 1 to 65535/],
  [['profiles', 'nobody'], /no profile 'nobody'/],
];
for (const [args, reason] of wrong) {
  test(`usage: edge tls ${args.join(' ')}`, async () => {
    const { status, error } = await run(...args);
    assert.equal(status, 64);
    assert.match(error, reason);
  });
}

test('every profile follows the published schema', async () => {
  const names = (await run('profiles')).out
    .split('\n')
    .flatMap((line) => line.split(' ')[0] ?? [])
    .filter((name) => name !== '');
  assert.ok(names.length >= 11);
  const validate = ajv.compile(schemaOf('profile'));
  for (const name of names) {
    const text = readFileSync(new URL(`../../src/compliance/profiles/${name}.json`, import.meta.url), 'utf8');
    assert.ok(validate(JSON.parse(text)), `${name}: ${ajv.errorsText(validate.errors)}`);
  }
});

test('issuers are asked whether what is shown was revoked; who does not answer makes no pass', async () => {
  await using authority = new RevocationAuthority();
  const lists = await authority.serve((path) => (path === '/list' ? authority.crl() : 404));
  const shown = [
    authority.issue({ name: 'good.example', crlUrl: `${lists}/list` }),
    authority.issue({ name: 'revoked.example', crlUrl: `${lists}/list`, revoked: 'keyCompromise' }),
    authority.issue({ name: 'unheard.example', crlUrl: `${lists}/nothing` }),
    authority.issue({ name: 'nowhere.example' }),
  ];
  writeFileSync(join(folder, 'authority.pem'), authority.certPem);
  const servers = shown.map(({ certPem, keyPem }) => createServer({ cert: certPem, key: keyPem }));
  try {
    const targets: string[] = [];
    for (const one of servers) {
      one.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
      targets.push(`127.0.0.1:${(one.address() as { port: number }).port}`);
    }
    const options = [
      '--tls',
      '--parallel',
      '--reduced',
      '--json',
      '--ca',
      'authority.pem',
      '--profile',
      'pci-dss-4.0.1',
    ];
    writeFileSync(join(folder, 'shown.txt'), targets.join('\n'));
    const { out } = await run('test', 'shown.txt', ...options);
    const reports = out
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            target: { asked: string };
            verdicts: Record<string, Record<string, { verdict: string; evidence: string }>>;
          },
      );
    const isReport = ajv.getSchema('edge.tls-report/1') ?? ajv.compile(schemaOf('report'));
    for (const report of reports) assert.ok(isReport(report), ajv.errorsText(isReport.errors));
    const verdictAt = (place: number): string | undefined =>
      reports.find(({ target: { asked } }) => asked === targets[place])?.verdicts['pci-dss-4.0.1']?.['PCI-REVOKED']
        ?.verdict;
    assert.deepEqual([verdictAt(0), verdictAt(1), verdictAt(3)], ['pass', 'fail', 'not-applicable']);
    assert.match(verdictAt(2) ?? '', /^not-tested\(.*404/);
  } finally {
    for (const one of servers) one.close();
  }
});
