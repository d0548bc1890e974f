/** Python's ldap3 and ldap do the whole round, in clear and over TLS. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ca, contextOf } from './certificates.ts';
import { adminDn, password, root, startFace } from './face.ts';

// Debian's own Python: the one the modules are packaged for.
const python = '/usr/bin/python3';

for (const mode of ['none', 'starttls', 'ldaps'] as const) {
  test(`the whole round with ldap3 and python-ldap: ${mode}`, async () => {
    const certificate = contextOf('localhost');
    await using face = await startFace({ tls: { secureContext: () => certificate } });
    const { port } = await face.server.listen({ host: '127.0.0.1', port: 0, tls: true });
    const authority = join(face.folder, 'ca.pem');
    await writeFile(authority, ca);
    const secure = mode === 'none' ? [] : [authority, face.local];
    const at = String(mode === 'ldaps' ? port : face.port);
    const round = ['test/directory-face/round.py', at, root, adminDn, password, mode, ...secure];
    const ended = promisify(execFile)(python, round, { timeout: 300_000 });
    await assert.doesNotReject(ended);
  });
}
