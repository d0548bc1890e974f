/** RFC 2034 §4: every 2xx, 4xx and 5xx reply but greeting, HELO and EHLO has an enhanced code, of the same class. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Reply, renderReply, replies } from '../../src/smtp/index.ts';

const without = new Set(['greeting', 'banner', 'helo', 'ehlo']);
const samples: Readonly<Record<string, readonly unknown[]>> = { ehlo: ['<fqdn>', '<ip>', ['<keyword>']] };

/** Every reply of the table, functions with names in place of what varies. */
const all = Object.entries(replies).map(([name, one]): [name: string, reply: Reply] => {
  if (typeof one !== 'function') return [name, one];
  const make = one as (...given: unknown[]) => Reply;
  return [name, make(...(samples[name] ?? ['<text>', '<n>', '<host>']))];
});

test('every reply of the table has an enhanced code where it must have one, and none elsewhere', () => {
  assert.ok(all.length > 70);
  for (const [name, { code, detail }] of all) {
    const due = code < 300 || code >= 400 ? !without.has(name) : false;
    assert.equal(detail !== undefined, due, `${name} ${code}`);
    if (detail !== undefined) assert.match(detail, /^\d{1,3}\.\d{1,3}$/, name);
  }
});

test('replies are made in that table: literal ones elsewhere in receiving are a code with its detail, or 3xx', () => {
  const room = new URL('../../src/smtp-receive', import.meta.url).pathname;
  for (const file of readdirSync(room, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.ts'))) {
    const text = readFileSync(join(room, file), 'utf8');
    for (const [literal, code = '', rest = ''] of text.matchAll(/\{ code: (\d{3}),([^}]*)\}/g))
      assert.ok(code.startsWith('3') || rest.includes('detail:'), `${file}: ${literal}`);
  }
});

test('src/smtp/replies.md is that table', () => {
  const path = new URL('../../src/smtp/replies.md', import.meta.url).pathname;
  const intro = readFileSync(path, 'utf8').split('## Every reply')[0] ?? '';
  const rows = all.map(([name, reply]) => {
    const text = renderReply(reply)
      .trimEnd()
      .split('\r\n')
      .join('<br>')
      .replaceAll('|', '\\|')
      .replace(/<(?!br>)/g, '&lt;');
    return `| ${name} | ${text} |`;
  });
  const wanted = `${intro}## Every reply\n\n| case | reply |\n|---|---|\n${rows.join('\n')}\n`;
  if (process.env['EDGE_GOLDEN'] === 'write') writeFileSync(path, wanted);
  assert.equal(readFileSync(path, 'utf8'), wanted, 'EDGE_GOLDEN=write rewrites it');
});
