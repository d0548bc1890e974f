import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../src/cli/index.ts';
import { decodeWords } from '../../src/mail/index.ts';
import { questionText } from '../../src/shell/caller/index.ts';
import { progressText } from '../../src/shell/caller/progress.ts';
import { emptyEdit } from '../../src/shell/prompt/edit.ts';
import { FrameBuilder } from '../../src/shell/prompt/frame.ts';
import { Menu } from '../../src/shell/prompt/menu.ts';
import { ReplyReader } from '../../src/smtp-send/connection/reply-reader.ts';
import { TestShell } from '../shell/lib/test-shell.ts';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** Who has a rule of their own for controls, and why: none of it is shown to a person. */
const ownRules: Readonly<Record<string, string>> = {
  'base/text/printable-text.ts': 'the one rule',
  'certificates/key-material.ts': 'comments beside a PEM block, which must not look like one',
  'smtp-receive/edge-connection.ts': 'replies on the wire',
  'mail/header-block.ts': 'unfolds a field',
  'mail/seven-bit.ts': 'octets of a transfer encoding',
  'smtp/mailbox.ts': 'what an address may hold',
  'ldap/dn.ts': 'escapes of RFC 4514',
  'shell/prompt/keys.ts': 'keys that were typed',
  'shell/builtins/clixml.ts': 'escapes of a file format',
  'shell/interpreter/state/encodings.ts': 'an encoding of files',
};

const cleans =
  /\.replace(?:All)?\(\s*\/(?:[^/\n\\]|\\.)*?(?:\\x1f|\\x7f|\\u001[fF]|\\u007[fF]|\\u202|\\p\{C|\\p\{Z[lp])/;

test('nobody makes text fit to show by a rule of their own', () => {
  const found: string[] = [];
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file in ownRules) continue;
    const text = readFileSync(join(source, file), 'utf8');
    if (cleans.test(text) || /function (?:printable|spreadsheetCell)\b/.test(text)) found.push(file);
  }
  assert.deepEqual(found, []);
});

test('commands write JSON that is safe to show', () => {
  const found = readdirSync(join(source, 'cli'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && readFileSync(join(source, 'cli', file), 'utf8').includes('JSON.stringify('),
  );
  assert.deepEqual(found, []);
});

/** A screen is cleared, an order turned, a row begun, a cell computed. */
const hostile = 'a\u001b[2J\u009bb\u202ec\u2028d\u2029e\u0085f\u200eg\ufeffh';
const acts = /[^\P{C}\n\t\u200c\u200d]|[\u2028\u2029]/u;
const noAct = (text: string, where: string): void => assert.ok(!acts.test(text), `${where}: ${JSON.stringify(text)}`);
const quoted = `'${hostile}'`;

const lines: readonly string[] = [
  quoted,
  `[pscustomobject]@{a=${quoted}}`,
  `[pscustomobject]@{a=${quoted}} | Format-Table -AutoSize`,
  `[pscustomobject]@{a=${quoted}} | Format-Table -Wrap`,
  `[pscustomobject]@{a=${quoted}} | Format-List`,
  `[pscustomobject]@{a=${quoted}} | Format-Wide a`,
  `[pscustomobject]@{a=${quoted}} | Format-Custom`,
  `[pscustomobject]@{a=${quoted}; b=1} | Format-Table b -GroupBy a`,
  `[pscustomobject]@{a=${quoted}; b=1} | Format-List b -GroupBy a`,
  `[pscustomobject]@{a=${quoted}; b=1} | Group-Object a`,
  `[pscustomobject]@{a=${quoted}} | Get-Member`,
  `@{${quoted}=${quoted}}`,
  `'"x"', '${hostile}' -join "\`n" | ConvertFrom-Csv`,
  `('"${hostile}"', '"1"') | ConvertFrom-Csv`,
  `('"${hostile}"', '"1"') | ConvertFrom-Csv | Format-List`,
  `[pscustomobject]@{a=${quoted}} | ConvertTo-Csv`,
  `[pscustomobject]@{a=${quoted}} | ConvertTo-Json`,
  `[pscustomobject]@{a=${quoted}} | ConvertTo-Html`,
  `[pscustomobject]@{a=${quoted}} | Out-String`,
  `${quoted} | Select-String b`,
  `Write-Host ${quoted}`,
  `Write-Warning ${quoted}`,
  `Write-Verbose ${quoted} -Verbose`,
  `Write-Information ${quoted} -InformationAction Continue`,
  `Write-Error ${quoted}`,
  `throw ${quoted}`,
  `Get-Item ${quoted}`,
  `Get-Command ${quoted}`,
  `'x' -as ${quoted}`,
  `[int]${quoted}`,
  `Get-Content ${quoted}`,
];
test('no line of the shell shows what a terminal acts on', async () => {
  const shell = new TestShell();
  for (const line of lines) {
    for (const colour of [false, true]) {
      const { text } = await shell.run(line, { colour });
      noAct(text.replaceAll(/\u001b\[\d*m/g, ''), line);
    }
  }
});

test('what the shell writes into a CSV file is no formula, and reads back as it was', async () => {
  const shell = new TestShell();
  const text = ["'=1+1'", "'+x'", "'-x@y.example'", "'@SUM(A1)'", "' =x'", "'plain'", '-1']
    .map((value) => `[pscustomobject]@{'=head'=${value}}`)
    .join(',');
  await shell.run(`${text} | Export-Csv f.csv -NoTypeInformation`);
  const file = Buffer.from(shell.files.content.get('f.csv') ?? '').toString();
  assert.doesNotMatch(file, /"\s*[=+@]|"-[^1]/);
  // A number is no text that a stranger chose.
  assert.match(file, /^"-1"\r$/m);
  const { text: back } = await shell.run(
    `(Import-Csv f.csv | ForEach-Object { $_.'=head' }) -join '|'; (Import-Csv f.csv | ConvertTo-Csv -NoTypeInformation)[1]`,
  );
  assert.equal(back, `=1+1|+x|-x@y.example|@SUM(A1)| =x|plain|-1\n"'=1+1"\n`);
});

test('the prompt, its questions and its progress show nothing that a terminal acts on', () => {
  const { head, label } = questionText({ caption: hostile, message: hostile, choices: [], defaultChoice: 0 });
  noAct(head + label, 'question');
  noAct(progressText({ activity: hostile, status: hostile }, 1, 200), 'progress');
  const frame = new FrameBuilder(200, false);
  new Menu(emptyEdit, { from: 0, to: 0, candidates: [{ text: hostile, kind: 'value', hint: hostile }] }, 0).draw(
    frame,
    200,
  );
  for (const { text } of frame.build().rows) noAct(text.replaceAll(/\u001b\[\d*m/g, ''), 'menu');
});

test('a command shows nothing that a terminal acts on', async () => {
  let shown = '';
  const take = (text: string): void => void (shown += text);
  const parts = {
    start: () => Promise.reject(new Error(hostile)),
    shell: () => Promise.reject(new Error(hostile)),
    connectors: unused,
    directory: { ready: () => Promise.resolve(), open: unused, openBackup: unused, openScratch: unused },
  };
  const terminal = { out: take, error: take };
  for (const args of [
    ['start'],
    ['shell'],
    [hostile],
    ['directory', 'export', '--state', hostile],
    ['directory', 'backup', hostile, '--json', '--state', hostile],
    ['directory', hostile],
    ['status', '--state', hostile],
    ['status', '--json', '--state', hostile],
    ['why', hostile, '--state', hostile],
  ]) {
    shown = '';
    assert.notEqual(await runCommand(args, parts, terminal, '1'), 0, args.join(' '));
    assert.notEqual(shown, '', args.join(' '));
    noAct(shown, args.join(' '));
  }
});
const unused = (): never => {
  throw new Error(hostile);
};

test('subjects and replies of peers are printable where they come in', () => {
  noAct(decodeWords(hostile), 'subject');
  noAct(decodeWords(`=?utf-8?B?${Buffer.from(hostile).toString('base64')}?=`), 'encoded subject');
  const replies: string[] = [];
  new ReplyReader().push(Buffer.from(`550-${hostile}\r\n550 ${hostile}\r\n421 ${hostile}\r\n`), ({ text }) => {
    replies.push(text);
    return true;
  });
  assert.equal(replies.length, 2);
  for (const text of replies) noAct(text, 'reply');
});
