import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RunningScriptOptions, Script } from 'node:vm';
import { TestShell } from './lib/test-shell.ts';

// Each of them backtracks for longer than anybody lives. A line that holds one ends by an error, and the session goes on.
const endless = [
  "('a'*40+'!') -match '^(a+)+$'",
  "[regex]::Replace('a'*40+'!', '^(a+)+$', 'x')",
  "('a'*40+'!') | Select-String '^(a+)+$'",
  "('a'*50000+'!') -match 'a*a*a*b'",
];
for (const [i, line] of endless.entries()) {
  test(`a line cannot run for ever: ${line}`, async (t) => {
    // The first one takes its whole time; of the others it is enough that they are given no more.
    const whole = Script.prototype.runInThisContext;
    const quick = function (this: Script, options?: RunningScriptOptions): unknown {
      assert.equal(options?.timeout, 2000);
      return whole.call(this, { ...options, timeout: 100 });
    };
    if (i > 0) t.mock.method(Script.prototype, 'runInThisContext', quick);
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
