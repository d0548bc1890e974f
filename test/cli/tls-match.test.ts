import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { issuerText, makeChains, writeChains } from '../../certs/make.ts';
import { type CommandResult, edgeCommand } from '../lib/appliance.ts';
import { edgeHere } from '../lib/command-here.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-match-`);
after(() => rmSync(folder, { recursive: true }));
const made = makeChains();
await writeChains(folder, made);
const name = `<I>${issuerText}<S>CN=mail.edge.test, O=Edge Development, C=US`;
const file = (row: string): string => `${folder}/${row}.chain.pem`;
const chain = (row: string): string => made.chains[row]?.chainPem ?? '';
const key = (row: string): string => made.chains[row]?.keyPem ?? '';

function put(called: string, content: string | Buffer): string {
  writeFileSync(`${folder}/${called}`, content);
  return `${folder}/${called}`;
}

const der = put('leaf.der', made.chains['good-ec']?.der ?? '');
const withKey = put('with-key.pem', key('good-rsa') + chain('good-rsa'));
const otherKey = put('other-key.pem', chain('good-rsa') + key('key-of-another'));
const rootFirst = put(
  'root-first.pem',
  made.rootPem + made.issuing.pem + chain('good-ec').split('-----END')[0] + '-----END CERTIFICATE-----\n',
);
const rubbish = put('rubbish.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
const empty = put('empty.pem', '');
execFileSync('openssl', [
  'pkey',
  '-in',
  `${folder}/good-rsa.key.pem`,
  '-aes256',
  '-passout',
  'pass:x',
  '-out',
  `${folder}/sealed.key`,
]);
const sealedKey = put('sealed.pem', readFileSync(`${folder}/sealed.key`, 'utf8') + chain('good-rsa'));

const runs: readonly [what: string, args: readonly string[], status: number, says: RegExp][] = [
  ['a certificate that has the name', ['--name', name, file('good-rsa')], 0, /: match: /],
  ['DER', ['--name', name, der], 0, /: match: /],
  ['a chain with the root first stands for its leaf', ['--name', name, rootFirst], 0, /: match: /],
  ['its own key', ['--name', name, withKey], 0, /the key belongs to it/],
  ['the key of another', ['--name', name, otherKey], 1, /does not belong to the certificate/],
  ['the key of another does not matter', ['--name', name, '--key', 'any', otherKey], 0, /: match: /],
  ['a sealed key cannot be compared', ['--name', name, sealedKey], 2, /encrypted/],
  ['a sealed key does not matter', ['--name', name, '--key', 'any', sealedKey], 0, /: match: /],
  [
    'another subject',
    ['--name', name, file('wrong-name')],
    1,
    /no match: subject, step 1: expected CN=mail.edge.test, found CN=other/,
  ],
  ['one of several', ['--name', name, file('good-rsa'), file('wrong-name')], 1, /: match: [^]*: no match: /],
  [
    'the issuer of a chain is not asked',
    ['--name', `<I>CN=Edge Development Root CA, O=Edge Development, C=US<S>${issuerText}`, file('good-rsa')],
    1,
    /no match: issuer/,
  ],
  [
    'a leaf that does not read is not replaced by its issuer',
    ['--name', name, file('utf8-that-is-none')],
    2,
    /certificate 1 does not read/,
  ],
  ['rubbish', ['--name', name, rubbish], 2, /cannot be read/],
  ['an empty file', ['--name', name, empty], 2, /cannot be read/],
  ['no such file', ['--name', name, `${folder}/absent`], 2, /there is no such file/],
  ['a folder', ['--name', name, folder], 2, /it is a folder, not a file/],
  ['the worst of all', ['--name', name, rubbish, file('wrong-name'), file('good-rsa')], 2, /: match: /],
  [
    'the name to paste',
    ['--print', file('good-ec')],
    0,
    /^<I>CN=Edge Development Issuing CA, O=Edge Development, C=US<S>CN=mail\.edge\.test, O=Edge Development, C=US\n$/,
  ],
  ['no name to paste', ['--print', file('empty-subject')], 1, /let Fqdn choose it/],
  ['no name to paste with control characters', ['--print', file('nul-in-name')], 1, /no name can stand for/],
  ['no name', [file('good-rsa')], 64, /--name/],
  ['no file', ['--name', name], 64, /certificate file/],
  ['two names', ['--name', name, '--name', name, file('good-rsa')], 64, /one name/],
  ['a name that is none', ['--name', 'CN=a', file('good-rsa')], 64, /<I>issuer<S>subject/],
  ['an empty subject', ['--name', '<I>CN=a<S>', file('empty-subject')], 64, /Fqdn/],
  ['a wrong --key', ['--name', name, '--key', 'none', file('good-rsa')], 64, /own, any/],
  ['both', ['--name', name, '--print', file('good-rsa')], 64, /either/],
  ['--jsonl and a file', ['--jsonl', file('good-rsa')], 64, /standard input/],
];
for (const [what, args, status, says] of runs) {
  test(`edge tls match: ${what}`, async () => {
    const result = await edgeHere(['tls', 'match', ...args]);
    assert.equal(result.status, status, result.out + result.error);
    assert.match(result.out + result.error, says);
  });
}

test('what was printed matches', async () => {
  for (const row of ['quoted-name', 'backslash-name', 'bmp-name']) {
    const { out } = await edgeHere(['tls', 'match', '--print', file(row)]);
    assert.equal((await edgeHere(['tls', 'match', '--name', out.trimEnd(), file(row)])).status, 0, out);
  }
});

async function jsonl(input: string, ...args: string[]): Promise<CommandResult> {
  const child = spawn(edgeCommand, ['tls', 'match', '--jsonl', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number];
  return { status, out, error };
}

interface Answer {
  readonly id: unknown;
  readonly match: boolean;
  readonly reason: string;
}

const answersOf = ({ out }: CommandResult): Answer[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);

test('--jsonl: the whole table of certs/, every answer as expected and in order', async () => {
  const lines = readFileSync(`${folder}/table.jsonl`, 'utf8');
  const asked = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; expected: boolean });
  const answers = answersOf(await jsonl(lines));
  assert.deepEqual(
    answers.map(({ id, match }) => [id, match]),
    asked.map(({ id, expected }) => [id, expected]),
  );
  for (const { id, reason } of answers) assert.match(reason, /^[^\p{Cc}]+$/u, String(id));
});

test('--jsonl: what is no question is answered too, and the exit status tells', async () => {
  const good = JSON.stringify({ id: 1, cert: file('good-rsa'), name });
  const result = await jsonl(
    `${good}\n\nrubbish\n{"id":"x"}\n{"id":[2],"cert":"${folder}/absent","name":"<I>CN=a<S>CN=b"}\n${good}`,
  );
  assert.equal(result.status, 2);
  assert.deepEqual(
    answersOf(result).map(({ id, match }) => [id, match]),
    [
      [1, true],
      [null, false],
      [null, false],
      [[2], false],
      [1, true],
    ],
  );
  assert.equal((await jsonl(good)).status, 0);
  assert.equal((await jsonl('')).status, 0);
  assert.equal((await jsonl(good.replace('good-rsa', 'wrong-name'))).status, 1);
});
