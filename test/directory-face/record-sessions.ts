/**
 * Records what real clients send, for the fuzzer to mutate: `node test/directory-face/record-sessions.ts` writes the files of
 * `sessions/` anew, one message in hexadecimal a line, an empty line between two connections. Needs the peers of the tests.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Framer } from '../../src/directory/face/ber/framer.ts';
import { DirectoryClient } from '../../src/directory/index.ts';
import { parseFilter } from '../../src/ldap/index.ts';
import { adminDn, password, root, startFace } from './face.ts';

const people = `ou=People,${root}`;
await using face = await startFace();

/** Octets of each connection since the last recording, in the order of the connections. */
let heard: Buffer[][] = [];
const proxy = createServer((client) => {
  const octets: Buffer[] = [];
  heard.push(octets);
  const server = connect(face.port, '127.0.0.1');
  client.on('data', (piece: Buffer) => octets.push(piece));
  client.pipe(server).pipe(client);
  for (const socket of [client, server]) socket.on('error', () => undefined);
}).listen(0, '127.0.0.1');
await once(proxy, 'listening');
const address = proxy.address();
const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
const url = `ldap://127.0.0.1:${port}`;

function messagesOf(octets: readonly Buffer[]): string[] {
  const framer = new Framer(1_000_000);
  const lines: string[] = [];
  for (const piece of octets) {
    framer.push(piece);
    for (let one = framer.next(); one !== undefined; one = framer.next()) lines.push(one.toString('hex'));
  }
  return lines;
}

async function record(name: string, run: () => Promise<unknown>): Promise<void> {
  heard = [];
  await run();
  const sessions = heard.map((octets) => messagesOf(octets).join('\n'));
  await writeFile(join('test/directory-face/sessions', `${name}.hex`), `${sessions.join('\n\n')}\n`);
  process.stdout.write(`${name}: ${sessions.length} sessions\n`);
}

const admin = ['-x', '-H', url, '-D', adminDn, '-w', password];
const run = promisify(execFile);
async function tool(name: string, args: readonly string[], input = ''): Promise<void> {
  const child = run(name, [...admin, ...args], { timeout: 300_000 });
  child.child.stdin?.end(input);
  await child.catch(() => undefined);
}

await record('ldapsearch', async () => {
  await tool('ldapsearch', ['-b', '', '-s', 'base', '*', '+']);
  await tool('ldapsearch', ['-b', 'cn=schema', '-s', 'base', '(objectClass=subschema)', 'objectClasses']);
  await tool('ldapsearch', [
    '-b',
    root,
    '(&(|(sn=A*r)(cn>=B)(!(mail=*)))(cn:caseExactMatch:=Ann)(:dn:2.5.4.11:=People))',
  ]);
  await tool('ldapsearch', ['-b', root, '-E', 'pr=2/noprompt', '-E', '!sss=-sn:caseIgnoreOrderingMatch', '-S', '']);
  await tool('ldapsearch', [
    '-b',
    people,
    '-s',
    'one',
    '-a',
    'always',
    '-l',
    '5',
    '-z',
    '1',
    '-A',
    '-M',
    '@person',
    '1.1',
  ]);
  await tool('ldapsearch', ['-b', people, '-E', '!sync=ro', '-e', '!assert=(ou=People)', 'cn;lang-de']);
});
await record('ldapmodify', async () => {
  const dn = `cn=Tool,${people}`;
  const add = `dn: ${dn}\nobjectClass: user\nsn: x\nuserAccountControl: 1\njpegPhoto:: /wAqXCgpgA==\n\n`;
  const change = `dn: ${dn}\nchangetype: modify\nadd: description\ndescription: a\n-\nreplace: sn\nsn: y\n-\ndelete: jpegPhoto\n-\nincrement: userAccountControl\nuserAccountControl: 2\n\n`;
  await tool('ldapadd', ['-e', 'postread=entryUUID'], add);
  await tool('ldapmodify', ['-e', '!preread=*', '-e', '!postread=sn', '-e', 'noop'], change);
  await tool('ldapcompare', [dn, 'sn:y']);
  await tool('ldapmodrdn', ['-r', '-s', root, dn, 'cn=Tool 2+sn=y']);
  await tool('ldapdelete', ['-r', `cn=Tool 2+sn=y,${root}`]);
});
await record('extended', async () => {
  await tool('ldapwhoami', []);
  await tool('ldappasswd', ['-a', password, '-s', password, `cn=user,${root}`]);
  await tool('ldapexop', ['cancel', '1']);
  await tool('ldapexop', ['1.3.6.1.4.1.1466.20037']);
});
await record('python', async () => {
  await run('/usr/bin/python3', ['test/directory-face/round.py', String(port), root, adminDn, password]);
});
await record('ldapts', async () => {
  await using client = new DirectoryClient({ url, bind: { dn: adminDn, password } });
  await client.searchAll({ base: root, filter: parseFilter('(|(cn=*n*)(sn=Baker))'), attributes: ['*', 'entryUUID'] });
  await client.get(`cn=Ann,${people}`);
});
proxy.close();
