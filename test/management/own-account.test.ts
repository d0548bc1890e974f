import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountText } from '../../src/management/audit/index.ts';

/** Who stands in the admin audit log: what sudo says counts for root alone, and only as a name. */
const rows: readonly (readonly [account: string, sudoer: string | undefined, who: string])[] = [
  ['root', undefined, 'root'],
  ['root', '', 'root'],
  ['root', 'alice', 'root (alice by sudo)'],
  ['root', 'root', 'root'],
  ['bob', 'alice', 'bob'],
  ['root', 'alice\nadmin', 'root'],
  ['root', 'x'.repeat(65), 'root'],
];
for (const [account, sudoer, who] of rows) {
  test(`${account} with SUDO_USER=${JSON.stringify(sudoer)}`, () => assert.equal(accountText(account, sudoer), who));
}
