import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { questionText } from '../../../src/shell/caller/question.ts';
import type { Question } from '../../../src/shell/endpoint.ts';
import { characters, displayWidth } from '../../../src/shell/format/layout.ts';
import { type Edit, editingKeys, emptyEdit, insert } from '../../../src/shell/prompt/edit.ts';
import { EditArea } from '../../../src/shell/prompt/edit-area.ts';
import { FrameBuilder } from '../../../src/shell/prompt/frame.ts';
import { highlight } from '../../../src/shell/prompt/highlight.ts';
import { History } from '../../../src/shell/prompt/history.ts';
import { KeyQueue } from '../../../src/shell/prompt/key-queue.ts';
import { KeyDecoder } from '../../../src/shell/prompt/keys.ts';
import { Menu } from '../../../src/shell/prompt/menu.ts';
import { Pager } from '../../../src/shell/prompt/pager.ts';
import fc from '../../lib/properties.ts';

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

test('the history opens no link, pipe or second name, and changes no mode behind one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-history-link-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const outside = join(folder, 'outside');
  writeFileSync(outside, 'precious\n', { mode: 0o644 });
  const path = join(folder, 'history');
  const attacks = [
    () => symlinkSync(outside, path),
    () => linkSync(outside, path),
    () => execFileSync('mkfifo', [path]),
  ];
  for (const attack of attacks) {
    attack();
    const history = await History.open(path);
    history.add('Get-Queue');
    assert.deepEqual(history.entries, ['Get-Queue']);
    rmSync(path);
  }
  // One that comes later, while the shell runs.
  const history = await History.open(path);
  symlinkSync(outside, path);
  history.add('Get-Queue');
  assert.equal(readFileSync(outside, 'utf8'), 'precious\n');
  assert.equal(statSync(outside).mode & 0o777, 0o644);
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

// What a terminal takes for one character, and its columns as tmux, xterm and the Linux console have them.
const widths: readonly (readonly [text: string, characters: number, columns: number])[] = [
  ['ab', 2, 2],
  ['é', 1, 1],
  ['e\u0301', 1, 1],
  ['漢字', 2, 4],
  ['ﾊ', 1, 1],
  ['한', 1, 2],
  ['\u1112\u1161', 2, 2],
  ['😀', 1, 2],
  ['👍🏽', 1, 4],
  ['🇩🇪🇫🇷', 2, 4],
  ['👨‍👩‍👧', 1, 2],
  ['a\u200Bb', 3, 2],
  ['“…”', 3, 3],
];
for (const [text, count, columns] of widths) {
  test(`${text} is ${count} characters in ${columns} columns, stepped over one by one`, () => {
    assert.equal(characters(text).length, count);
    assert.equal(displayWidth(text), columns);
    for (const [key, from] of [
      ['Right', 0],
      ['Left', text.length],
    ] as const) {
      let edit: Edit = { ...emptyEdit, text, cursor: from };
      for (let i = 0; i < count; i += 1) edit = editingKeys.get(key)?.(edit) ?? edit;
      assert.equal(edit.cursor, text.length - from);
    }
  });
}

test('Escape and Ctrl-C in short succession are two keys', () => {
  const keys = new KeyDecoder().feed('\u001B\u0003');
  assert.deepEqual(keys, [
    { kind: 'key', name: 'Escape' },
    { kind: 'key', name: 'C-c' },
  ]);
});

test('a row is erased where it is drawn, and never the whole screen at once', () => {
  let written = '';
  const screen = { columns: 4, rows: 5, write: (text: string) => void (written += text) };
  const area = new EditArea(screen);
  for (const text of ['ab', 'abcdef', 'abcd\nx']) {
    const frame = new FrameBuilder(screen.columns, false);
    frame.add({ text });
    frame.markCursor();
    area.draw(frame.build());
  }
  assert.doesNotMatch(written, /\r(?:\u001B\[\d*A)?\u001B\[J/);
  // A row is erased before it is written: behind a full one the cursor stands on its last column.
  assert.ok(written.includes('\u001B[Kabcd\r\n\u001B[Kef\u001B[J'));
  assert.ok(written.includes('\u001B[Kabcd\r\n\u001B[Kx\u001B[J'));
});

/** What a pager shows of lines on a screen of ten columns and four rows, and where it stops. */
async function paged(text: string, ...keys: string[]): Promise<string> {
  let written = '';
  const queue = new KeyQueue();
  for (const name of keys) queue.push({ kind: 'key', name });
  queue.end();
  const screen = { columns: 10, rows: 4, write: (piece: string) => void (written += piece) };
  await new Pager(screen, queue).write(text);
  return written.replaceAll(/\u001B\[7m.*?\u001B\[0m\r\u001B\[K/g, '|');
}

const pages: readonly (readonly [text: string, keys: readonly string[], shown: string])[] = [
  ['1\n2\n3\n', [], '1\n2\n3\n'],
  ['1\n2\n3\n4\n', [], '1\n2\n3\n|'],
  ['1\n2\n3\n4\n5\n', ['Enter'], '1\n2\n3\n|4\n|'],
  ['1\n2\n3\n4\n5\n', ['PageDown'], '1\n2\n3\n|4\n5\n'],
  // A line of two rows does not push out the first one.
  ['1\n2\nlong and longer\n3\n', ['PageDown'], '1\n2\n|long and longer\n3\n'],
  // One that is longer than the screen is shown all the same.
  [`${'x'.repeat(50)}\n2\n`, ['Enter'], `${'x'.repeat(50)}\n|2\n`],
  ['1\n2\n3\n4\n5\n6\n7\n8\n', ['G'], '1\n2\n3\n|4\n5\n6\n7\n8\n'],
];
for (const [text, keys, shown] of pages) {
  test(`a page: ${JSON.stringify(text)} with ${keys.join(' ') || 'no key'}`, async () => {
    assert.equal(await paged(text, ...keys), shown);
  });
}

const questions: readonly (readonly [question: Partial<Question>, head: string, label: string])[] = [
  [{}, '', ''],
  [{ message: 'Name' }, '', 'Name: '],
  [{ caption: 'Caption', message: 'Say it.\nUser' }, '\nCaption\nSay it.\n', 'User: '],
  [{ message: 'a\u001B[2Jb' }, '', 'a<U+001B>[2Jb: '],
  [
    { caption: 'Confirm', message: 'Sure?', choices: ['&Yes', '&No'], defaultChoice: 1 },
    '\nConfirm\nSure?\n',
    '[Y] Yes  [N] No (default is "N"): ',
  ],
];
for (const [given, head, label] of questions) {
  test(`the question ${JSON.stringify(given)}`, () => {
    const question = { caption: '', message: '', choices: [], defaultChoice: 0, ...given };
    assert.deepEqual(questionText(question), { head, label });
  });
}

test('candidates are as wide as the terminal shows them', () => {
  const candidates = ["'Größe 漢字'", 'Corp'].map((text) => ({ text, kind: 'value' as const }));
  const frame = new FrameBuilder(80, false);
  new Menu(emptyEdit, { from: 0, to: 0, candidates }).draw(frame, 80);
  assert.match(
    frame
      .build()
      .rows.map(({ text }) => text)
      .join('\n'),
    /'Größe 漢字' {2}Corp/,
  );
});
