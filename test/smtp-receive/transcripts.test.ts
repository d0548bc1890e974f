import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Receiving } from './receiving.ts';

const dir = fileURLToPath(new URL('../transcripts/smtp-receive', import.meta.url));

const placeholders: Readonly<Record<string, string>> = {
  date: '\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0000',
  number: '\\d+',
  guid: '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
};

function pattern(expected: string): RegExp {
  const escaped = expected.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, (_, name: string) => {
    const form = placeholders[name];
    assert.ok(form, `no placeholder {${name}}`);
    return form;
  });
  return new RegExp(`^${escaped}$`);
}

// Each transcript is one conversation over a real socket: 'C: ' is sent, 'S: ' must come back word for word but for
// {placeholders}, '#' is a comment. \n and \r in a sent line are the octets.
for (const file of readdirSync(dir).filter((name) => name.endsWith('.smtp'))) {
  test(file, async () => {
    await using edge = await Receiving.start();
    const client = await edge.connect();
    let pending: string[] = [];
    for (const [i, line] of readFileSync(`${dir}/${file}`, 'utf8').split('\n').entries()) {
      const text = line.slice(3);
      if (line.startsWith('C:')) {
        assert.deepEqual(pending, [], `${file}:${i + 1}: the reply before has more lines`);
        client.send(Buffer.from(`${text.replaceAll('\\n', '\n').replaceAll('\\r', '\r')}\r\n`));
      }
      if (!line.startsWith('S:')) continue;
      if (pending.length === 0) pending = (await client.reply()).split('\n');
      assert.match(pending.shift() ?? '', pattern(text), `${file}:${i + 1}`);
    }
    assert.equal(await client.end(), '', `${file}: replies left unread`);
  });
}
