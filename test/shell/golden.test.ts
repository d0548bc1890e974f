import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readGolden } from './lib/golden-file.ts';

// Times are shown as the machine's; the expected ones are those of UTC.
process.env['TZ'] = 'UTC';
const { GoldenShell } = await import('./lib/golden-shell.ts');

const folder = new URL('golden/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.golden'))
  .map((name) => ({ name, cases: readGolden(readFileSync(new URL(name, folder), 'utf8')) }));

test('the golden set has at least 300 lines', () => {
  const count = files.reduce((sum, { cases }) => sum + cases.length, 0);
  assert.ok(count >= 300, `${count} lines`);
});

// Each file is one session on a new server: what a line changes, the next ones see.
for (const { name, cases } of files) {
  test(name, async () => {
    await using shell = await GoldenShell.open();
    const wrong: string[] = [];
    for (const { line, text, expected, ...options } of cases) {
      const printed = await shell.run(text, options);
      if (printed !== expected)
        wrong.push(`${name}:${line}: ${text}\n--- expected\n${expected}--- printed\n${printed}`);
    }
    assert.deepEqual(wrong, [], `\n${wrong.join('\n')}`);
  });
}
