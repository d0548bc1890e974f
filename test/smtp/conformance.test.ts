/** The table of src/smtp/rfc5321.md names tests that there are. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const rows = readFileSync('src/smtp/rfc5321.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, section = '', what = '', file = '', words = '']) => ({ section, what, file, words }));

test('every row has a test', () => {
  const wrong = rows.filter(({ file, words }) => {
    const path = `test/${file}`;
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(words);
  });
  assert.deepEqual(wrong, []);
});

test('every part of the protocol has a row', () => {
  const sections = [
    '2.3',
    '2.4',
    ...'123456789'
      .split('')
      .filter((n) => n !== '7')
      .map((n) => `3.${n}`),
  ];
  const more = ['4.1.1.1', '4.1.1.2', '4.1.1.3', '4.1.1.4', '4.1.1.5', '4.1.2', '4.1.4', '4.2', '4.3', '4.4', '4.5.1'];
  const most = ['2.2', '4.1.3', '4.2.3', '5.2', '6.4', '7.2', '7.3', '7.5', '7.6'];
  const rest = ['4.5.2', '4.5.3.1', '4.5.3.2', '4.5.4', '4.5.5', '5.1', '6.1', '6.3', '7.1', '7.8'];
  for (const section of [...sections, ...more, ...most, ...rest])
    assert.ok(
      rows.some((row) => row.section.startsWith(section)),
      section,
    );
});
