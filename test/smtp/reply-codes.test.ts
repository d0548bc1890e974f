/** RFC 2034 §4: every 2xx, 4xx and 5xx reply but greeting, HELO and EHLO has an enhanced code, of the same class. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
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

test('no reply corrects an address (RFC 5321 §3.4), only DATA is told to go on, and no code is unknown (§4.2.3)', () => {
  const codes = all.map(([name, { code }]) => [name, code] as const);
  assert.deepEqual(
    codes.filter(([, code]) => code === 251 || code === 551),
    [],
  );
  assert.deepEqual(
    codes.filter(([, code]) => code >= 300 && code < 400),
    [['startMailInput', 354]],
  );
  const known = [214, 220, 221, 235, 250, 252, 354, 421, 450, 451, 452, 454];
  const refusals = [500, 501, 502, 503, 504, 530, 535, 538, 550, 552, 553, 554, 555];
  for (const [name, code] of codes) assert.ok([...known, ...refusals].includes(code), `${name} ${code}`);
});

test('replies are made in that table: literal ones elsewhere in receiving are a code with its detail, or 3xx', () => {
  const room = fileURLToPath(new URL('../../src/smtp-receive', import.meta.url));
  for (const file of readdirSync(room, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.ts'))) {
    const text = readFileSync(join(room, file), 'utf8');
    for (const [literal, code = '', rest = ''] of text.matchAll(/\{ code: (\d{3}),([^}]*)\}/g))
      assert.ok(code.startsWith('3') || rest.includes('detail:'), `${file}: ${literal}`);
  }
});

test('src/smtp/replies.md is that table', () => {
  const path = fileURLToPath(new URL('../../src/smtp/replies.md', import.meta.url));
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
