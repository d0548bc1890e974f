import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestShell } from './lib/test-shell.ts';

// Each of them backtracks for longer than anybody lives. A line that holds one ends by an error, and the session goes on.
const endless = [
  "('a'*40+'!') -match '^(a+)+$'",
  "[regex]::Replace('a'*40+'!', '^(a+)+$', 'x')",
  "('a'*40+'!') | Select-String '^(a+)+$'",
  "('a'*50000+'!') -match 'a*a*a*b'",
];
for (const line of endless) {
  test(`a line cannot run for ever: ${line}`, async () => {
    const shell = new TestShell();
    const { text, ok } = await shell.run(`${line}; 'behind'`);
    assert.equal(ok, false);
    assert.match(text, /The RegEx engine has timed out while trying to match a pattern/);
    assert.match(text, /^behind$/m, 'the error ends the statement alone');
  });
}

test('patterns under the timer give what others give', async () => {
  const shell = new TestShell();
  const cases = [
    ["'aab' -match '^(a+)+b$'; $Matches[1]", 'True\naa\n'],
    ["'a1b22' -replace '(\\d)+','<$1>'", 'a<1>b<2>\n'],
    ["'a,b;c' -split '(?:,|;)+'", 'a\nb\nc\n'],
    ["'one', 'two' -match '(o|t)+n'", 'one\n'],
  ] as const;
  for (const [line, printed] of cases) assert.equal((await shell.run(line)).text, printed, line);
});
