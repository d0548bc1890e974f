/** A reader may leave in the middle of a line, as `head` does: that ends the line, and neither the service nor the session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestShell } from './lib/test-shell.ts';

const lines: readonly string[] = [
  '1..5000',
  '1; 2; 3; 4',
  `${'Get-Nope\n'.repeat(400)}`,
  '1..3 | ForEach-Object { $_; $_ }',
  'foreach ($i in 1..5000) { $i; Write-Warning x }',
  'try { 1..5000; Get-Nope } catch { 2 }',
  'while ($true) { 1 }',
];
for (const line of lines) {
  test(`left after one piece: ${line.slice(0, 50).trim()}`, async () => {
    // A rejection that nobody handles would fail this test: it ends a process.
    const shell = new TestShell();
    for await (const _ of shell.shell.run(line, { width: 80, colour: false })) break;
    const { ok, text } = await shell.run('$kept = 7; $kept');
    assert.deepEqual([ok, text], [true, '7\n']);
    assert.deepEqual(shell.bugs, []);
  });
}

test('a line that is stopped between two statements says so as one that is stopped inside', async () => {
  const stop = new AbortController();
  stop.abort();
  const { ok, text } = await new TestShell().run('1; 2', { signal: stop.signal });
  assert.equal(ok, false);
  assert.match(text, /^The pipeline has been stopped\./);
});
