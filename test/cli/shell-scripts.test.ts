import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { edge, edgeCommand } from '../lib/appliance.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-scripts-'));
after(() => rmSync(folder, { recursive: true }));
const state = join(folder, 'state');

test('--check tells every fault with its place, runs nothing, and is status 1', async () => {
  const path = join(folder, 'faults.ps1');
  writeFileSync(
    path,
    'Get-Queue\nSet-ReceiveConnectr x\nGet-Queue -Identiti y\nSet-ReceiveConnector x -MaxMessageSize lots\n',
  );
  const { status, out } = await edge('shell', '--state', state, '--check', path);
  assert.equal(status, 1);
  const places = out
    .trim()
    .split('\n')
    .map((line) => /:(\d+:\d+): /.exec(line)?.[1]);
  assert.deepEqual(places, ['2:1', '3:11', '4:40']);
  assert.equal((await edge('shell', '--check', '-c', 'Get-Queue')).status, 0);
  assert.equal((await edge('shell', '--check', join(folder, 'none.ps1'))).status, 2);
});

test('a file that the system refuses is told in words by each way to read or write one', async () => {
  const lines = [
    `'x' > '${join(folder, 'none', 'x')}'`,
    `'x' > '${folder}'`,
    `Get-Content '${folder}'`,
    `Select-String x '${join(folder, 'none')}'`,
    `[System.IO.File]::ReadAllBytes('${folder}')`,
  ];
  const { error } = await edge('shell', '--state', state, ...lines.flatMap((line) => ['-c', line]));
  const said = error.replaceAll('\n', ' ');
  assert.doesNotMatch(said, /\bE(?:NOENT|ISDIR)\b|unexpected error/);
  assert.match(said, /Could not find a part of the path '\S+\/none\/x'/);
  assert.match(said, /Cannot find path '\S+\/none' because it does not exist/);
  assert.equal(said.split(`'${folder}': it is a folder, not a file`).length - 1, 3, said);
});

test('a script of 1,000 lines is checked to its last one', () => {
  const path = join(folder, 'long.ps1');
  const line = 'Set-ReceiveConnector "Relay" -MaxMessageSize 10MB -Bindings 127.0.0.1:25\n';
  writeFileSync(path, `${line.repeat(999)}Get-Nope\n`);
  const { status, stdout } = spawnSync(edgeCommand, ['shell', '--check', path], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stdout, /^\S+:1000:1: /);
  assert.equal(stdout.trim().split('\n').length, 1);
});

test('statements of a pipe run as they are complete; errors name the line of the input; exit has a status', () => {
  const input = 'foreach ($i in 1..2) {\n "n$i"\n}\nGet-Nope\nexit 4\n"never"\n';
  const { status, stdout, stderr } = spawnSync(edgeCommand, ['shell', '--state', state], { input, encoding: 'utf8' });
  assert.equal(stdout, 'n1\nn2\n');
  assert.match(stderr, /At line:4 char:1/);
  assert.equal(status, 4);
});

test('a script in UTF-16, as Windows writes it, runs', async () => {
  const path = join(folder, 'utf16.ps1');
  writeFileSync(path, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('“grüße”\r\n', 'utf16le')]));
  assert.equal((await edge('shell', '--state', state, path)).out, 'grüße\n');
});

test('nobody is there to confirm: a removal is refused and changes nothing', async () => {
  await edge('shell', '--state', state, '-c', 'New-AcceptedDomain -Name A -DomainName a.example');
  await edge('shell', '--state', state, '-c', 'New-AcceptedDomain -Name B -DomainName b.example');
  const { stderr, status } = spawnSync(edgeCommand, ['shell', '--state', state, '-c', 'Remove-AcceptedDomain B'], {
    input: '',
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /-Confirm:\$false/);
  assert.match((await edge('shell', '--state', state, '-c', 'Get-AcceptedDomain B')).out, /b\.example/);
});
