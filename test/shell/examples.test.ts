import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestShell } from './lib/test-shell.ts';

const own = new TestShell().shell.catalogue.cmdlets.filter(({ implementation }) => implementation !== undefined);

test('cmdlets of the language have examples', () => {
  const without = own.filter(({ examples = [] }) => examples.length === 0).map(({ name }) => name);
  assert.ok(without.length <= 8, without.join(' '));
});

// What Get-Help shows of them is run as it stands.
for (const { name, examples = [] } of own) {
  for (const { line } of examples) {
    test(`${name}: ${line}`, async () => {
      const shell = new TestShell();
      const { ok, text } = await shell.run(line);
      assert.equal(ok, true, text);
      assert.deepEqual(shell.bugs, []);
    });
  }
}
