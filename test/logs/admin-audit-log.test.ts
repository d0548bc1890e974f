import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AdminAuditLog, type AdminAuditQuestion, type AdminAuditRecord } from '../../src/logs/index.ts';

const never = AbortSignal.timeout(60_000);
const noon = Date.UTC(2026, 0, 31, 12);

function record(facts: Partial<AdminAuditRecord>): AdminAuditRecord {
  return {
    at: noon,
    who: 'root',
    server: 'EDGE1',
    via: 'service',
    cmdlet: 'Set-ReceiveConnector',
    object: 'EDGE1\\Relay',
    dn: 'CN=Relay,CN=EDGE1',
    parameters: [{ name: 'Banner', value: '220 x' }],
    line: "Set-ReceiveConnector Relay -Banner '220 x'",
    properties: [{ name: 'Banner', before: '', after: '220 x' }],
    succeeded: true,
    error: '',
    ...facts,
  };
}

/** A log of its own at a time that the test sets. */
function openLog() {
  const folder = join(mkdtempSync(join(tmpdir(), 'edge-audit-')), 'AdminAudit');
  let now = noon;
  const log = new AdminAuditLog(folder, { now: () => now, monotonic: () => 0, after: () => ({ cancel: () => {} }) });
  return {
    folder,
    log,
    at: (ms: number) => void (now = ms),
    async found(question: AdminAuditQuestion = {}): Promise<AdminAuditRecord[]> {
      return Array.fromAsync(log.search(question, never));
    },
    [Symbol.dispose]() {
      log.close();
      rmSync(join(folder, '..'), { recursive: true });
    },
  };
}

describe('the admin audit log', () => {
  const records = [
    record({ at: noon, object: 'EDGE1\\One' }),
    record({ at: noon + 1000, cmdlet: 'Remove-Message', object: 'EDGE1\\3\\11', dn: '', who: 'root (alice by sudo)' }),
    record({
      at: noon + 2000,
      cmdlet: 'New-AcceptedDomain',
      object: 'Corp',
      succeeded: false,
      error: 'no',
      parameters: [],
    }),
  ];
  const questions: readonly (readonly [question: AdminAuditQuestion, found: readonly number[]])[] = [
    [{}, [2, 1, 0]],
    [{ cmdlets: ['remove-message'] }, [1]],
    [{ cmdlets: ['Set-*', 'New-*'] }, [2, 0]],
    [{ objects: ['one'] }, [0]],
    [{ objects: ['EDGE1\\One', 'CN=Relay,CN=EDGE1'] }, [2, 0]],
    [{ objects: ['On'] }, []],
    [{ parameters: ['BANNER'] }, [1, 0]],
    [{ users: ['root'] }, [2, 1, 0]],
    [{ users: ['*alice*'] }, [1]],
    [{ succeeded: false }, [2]],
    [{ start: new Date(noon + 1000) }, [2, 1]],
    [{ end: new Date(noon + 1000), succeeded: true }, [1, 0]],
  ];
  for (const [question, found] of questions) {
    test(`finds ${JSON.stringify(question)}`, async () => {
      using audit = openLog();
      for (const one of records) audit.log.write(one);
      assert.deepEqual(
        (await audit.found(question)).map((one) => records.findIndex(({ at }) => at === one.at)),
        found,
      );
    });
  }

  test('a record is on disk when write returns, for its owner only', () => {
    using audit = openLog();
    audit.log.write(record({}));
    const [name = ''] = readdirSync(audit.folder);
    const { mode, size } = statSync(join(audit.folder, name));
    assert.equal(mode & 0o777, 0o600);
    assert.ok(size > 0);
  });

  test('two processes share it, and newest comes first over files of several hours', async () => {
    using audit = openLog();
    const other = new AdminAuditLog(audit.folder, {
      now: () => noon + 3_600_000,
      monotonic: () => 0,
      after: () => ({ cancel: () => {} }),
    });
    other.write(record({ object: 'later' }));
    audit.log.write(record({ object: 'first' }));
    other.write(record({ object: 'last' }));
    other.close();
    assert.deepEqual(
      (await audit.found()).map(({ object }) => object),
      ['last', 'later', 'first'],
    );
  });

  test('no text and no list grows without bound', async () => {
    using audit = openLog();
    const properties = Array.from({ length: 5000 }, (_, i) => ({ name: `P${i}`, before: '', after: 'x' }));
    audit.log.write(record({ line: 'y'.repeat(1_000_000), properties }));
    const [found] = await audit.found();
    assert.equal(found?.line.length, 4001);
    assert.equal(found.properties.length, 200);
  });

  test('files older than 90 days go', async () => {
    using audit = openLog();
    audit.log.write(record({ object: 'old' }));
    audit.at(Date.now() + 91 * 86_400_000);
    audit.log.write(record({ object: 'new' }));
    assert.deepEqual(
      (await audit.found()).map(({ object }) => object),
      ['new'],
    );
  });

  test('a torn or foreign line is passed over', async () => {
    using audit = openLog();
    audit.log.write(record({ object: 'before' }));
    const [name = ''] = readdirSync(audit.folder);
    appendFileSync(join(audit.folder, name), '{"at":1,"cmdl\r\nnull\r\n[]\r\n');
    audit.log.write(record({ object: 'after' }));
    assert.deepEqual(
      (await audit.found()).map(({ object }) => object),
      ['after', 'before'],
    );
  });

  test('who cannot write is told', () => {
    using audit = openLog();
    writeFileSync(audit.folder, 'a file where the folder belongs');
    assert.throws(() => audit.log.write(record({})), /EEXIST|ENOTDIR/);
  });
});
