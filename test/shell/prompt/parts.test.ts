import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Edit, editingKeys, emptyEdit, insert } from '../../../src/shell/prompt/edit.ts';
import { FrameBuilder } from '../../../src/shell/prompt/frame.ts';
import { highlight } from '../../../src/shell/prompt/highlight.ts';
import { History } from '../../../src/shell/prompt/history.ts';
import { KeyDecoder } from '../../../src/shell/prompt/keys.ts';

// What terminals send, and the key that it is.
const sequences: readonly (readonly [sent: string, key: string])[] = [
  ['\u001B[A', 'Up'],
  ['\u001BOA', 'Up'],
  ['\u001B[1;5C', 'C-Right'],
  ['\u001B[3~', 'Delete'],
  ['\u001B[Z', 'S-Tab'],
  ['\u001B[13;2u', 'S-Enter'],
  ['\u001B[27;2;13~', 'S-Enter'],
  ['\u001Bf', 'M-f'],
  ['\u001B\r', 'M-Enter'],
  ['\u0012', 'C-r'],
  ['\u001F', 'C-_'],
  ['\r', 'Enter'],
  ['a', 'text a'],
  ['\u001B[200~a\r\nb\u001B[201~', 'paste a\nb'],
];
for (const [sent, expected] of sequences) {
  test(`${JSON.stringify(sent)} is ${JSON.stringify(expected)}, split anywhere`, () => {
    for (let cut = 0; cut <= sent.length; cut += 1) {
      const decoder = new KeyDecoder();
      const keys = [...decoder.feed(sent.slice(0, cut)), ...decoder.feed(sent.slice(cut))];
      const [key] = keys;
      assert.equal(keys.length, 1);
      assert.equal(key?.kind === 'key' ? key.name : `${key?.kind} ${key?.text}`, expected);
    }
  });
}

test('any input is keys, and nothing waits for ever', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const decoder = new KeyDecoder();
      decoder.feed(text);
      decoder.flush();
      assert.equal(decoder.isWaiting, false);
    }),
  );
});

test('whatever is pressed, the cursor stays in the text', () => {
  const names = [...editingKeys.keys()];
  const steps = fc.array(fc.oneof(fc.constantFrom(...names), fc.constantFrom('x ', '\n', 'é', '漢')), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (pressed) => {
      let edit: Edit = emptyEdit;
      for (const key of pressed) edit = editingKeys.get(key)?.(edit) ?? insert(edit, key);
      assert.ok(edit.cursor >= 0 && edit.cursor <= edit.text.length);
    }),
  );
});

test('a coloured line is the same line', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aG-1$"\'“’`#@{}() \n|;é'), maxLength: 60 }), (text) => {
      assert.equal(
        highlight(text)
          .map((piece) => piece.text)
          .join(''),
        text,
      );
    }),
  );
});

test('no row is wider than the window', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab漢 \n'), maxLength: 80 }),
      fc.integer({ min: 2, max: 30 }),
      (text, columns) => {
        const frame = new FrameBuilder(columns, false);
        frame.add({ text });
        frame.markCursor();
        const { rows, row, column } = frame.build();
        assert.ok(rows.every(({ width }) => width <= columns));
        assert.ok(row < rows.length && column < columns);
      },
    ),
  );
});

test('the history keeps several lines as one entry, mode 0600, and no line that may hold a secret', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-history-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'below', 'history');
  const first = await History.open(path);
  first.add('if ($true) {\n  "a\\b" }');
  first.add("ConvertTo-SecureString 'hunter2' -AsPlainText -Force");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /hunter2/);
  assert.deepEqual((await History.open(path)).entries, ['if ($true) {\n  "a\\b" }']);
  assert.equal(first.entries.length, 2);
});
