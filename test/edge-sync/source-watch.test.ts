/** What a source tells of changes, and what becomes of a connection that is lost or refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LdapStream } from '../../src/edge-sync/source/ldap-stream.ts';
import type { ChangeNotice } from '../../src/edge-sync/source/root-dse.ts';
import { controlOids } from '../../src/edge-sync/source/source-controls.ts';
import { watchSource } from '../../src/edge-sync/source/source-watch.ts';
import { eventually } from '../lib/appliance.ts';
import { type Script, ScriptedLdap, type ScriptedReply, type ScriptedSearch } from '../lib/scripted-ldap.ts';

/** Watches a scripted server until `until` holds; what was heard. */
async function heard(
  tells: ChangeNotice | undefined,
  script: Script,
  until: (heard: Heard) => boolean,
): Promise<Heard> {
  const searches: ScriptedSearch[] = [];
  await using server = await ScriptedLdap.listen((search) => {
    searches.push(search);
    return script(search);
  });
  const found: Heard = { searches, changes: 0, silences: [] };
  const stop = new AbortController();
  const connect = () => LdapStream.open({ url: server.url, bindDn: '', password: '' });
  const watch = watchSource(
    {
      open: () =>
        Promise.resolve({
          profile: { base: 'dc=corp', tells },
          connect,
          addressAttributes: ['proxyAddresses', 'mail'],
        }),
      changed: () => void (found.changes += 1),
      silent: (reason) => void found.silences.push(reason),
      retryMs: [5, 40],
    },
    stop.signal,
  );
  await eventually('what is waited for', () => until(found));
  stop.abort();
  await watch;
  return found;
}

interface Heard {
  readonly searches: ScriptedSearch[];
  changes: number;
  readonly silences: string[];
}

const entry = (dn: string): ScriptedReply => ({ entry: dn, values: {} });
/** RFC 4533 §2.5: refreshDelete without a cookie; refreshDone is its default. */
const refreshed: ScriptedReply = { intermediate: controlOids.syncInfo, value: Buffer.from([0xa1, 0x00]) };

describe('signs of a source', () => {
  test('each entry of a change notification is one; a lost connection is made again and is one, too', async () => {
    const { changes, searches } = await heard(
      'change notification',
      () => [entry('CN=a,dc=corp'), entry('CN=b,dc=corp'), 'hang up'],
      ({ searches: { length } }) => length >= 3,
    );
    assert.ok(changes >= 6, `${changes} signs of two whole connections`);
    assert.ok(searches.every(({ controls }) => controls.has(controlOids.notification)));
  });

  test('a persistent search asks for entries with addresses alone', async () => {
    const { searches } = await heard(
      'persistent search',
      () => [entry('uid=a,dc=corp'), 'hang up'],
      (one) => one.changes > 1,
    );
    assert.ok(
      searches[0]?.controls.get(controlOids.persistentSearch)?.equals(Buffer.from('300902010f0101ff010100', 'hex')),
    );
  });

  test('content synchronization: what comes before the refresh is done is old', async () => {
    let persisted = 0;
    const script: Script = (search) => {
      // The first search asks where the content stands.
      if (search.controls.get(controlOids.syncRequest)?.[4] === 1) return [];
      persisted += 1;
      return [entry('uid=old,dc=corp'), entry('uid=older,dc=corp'), refreshed, entry('uid=new,dc=corp'), 'hang up'];
    };
    const { changes } = await heard('content synchronization', script, ({ changes: n }) => n >= 2);
    assert.ok(changes <= 2 * persisted, `${changes} signs of ${persisted} connections: one for each and one change`);
  });

  test('a refusal is said and tried again less and less often', async () => {
    const start = performance.now();
    const { silences, changes } = await heard(
      'content synchronization',
      () => [{ result: 'unwillingToPerform', message: 'no sync here' }],
      ({ searches: { length } }) => length >= 8,
    );
    assert.match(silences[0] ?? '', /no sync here/);
    assert.equal(changes, 0);
    // Four connections of two searches: 5, 10 and 20 ms lie between them.
    assert.ok(performance.now() - start >= 30);
  });

  test('a source that tells nothing is not connected to', async () => {
    const { searches } = await heard(
      undefined,
      () => [],
      () => true,
    );
    assert.equal(searches.length, 0);
  });
});
