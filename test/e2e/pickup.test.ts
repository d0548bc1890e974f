/** The pickup and replay folders of a running appliance: a file becomes a message in a queue, and tracking tells of it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Appliance, eventually } from '../lib/appliance.ts';

let appliance: Appliance;
let folder: string;
let replay: string;
before(async () => {
  appliance = await Appliance.prepare({ workers: 2 });
  folder = join(appliance.state, '..', 'pickup');
  replay = join(appliance.state, '..', 'replay');
  for (const one of [folder, replay]) mkdirSync(one);
  await appliance.shell(`Set-TransportService -PickupDirectoryPath ${folder} -ReplayDirectoryPath ${replay}`);
  await appliance.start();
});
after(() => appliance?.[Symbol.asyncDispose]());

/** What the tracking log tells of messages received from a sender; a worker writes it down within a second. */
async function received(sender: string): Promise<string[]> {
  const columns = "$_.Source + ' ' + $_.Sender + ' ' + $_.Recipients + ' ' + $_.MessageSubject";
  let rows: string[] = [];
  await eventually('the tracking log has it', async () => {
    const line = `Get-MessageTrackingLog -EventId RECEIVE -Sender ${sender} | ForEach-Object { ${columns} }`;
    rows = (await appliance.shell(line)).split('\n').filter((row) => row !== '');
    return rows.length > 0;
  });
  return rows;
}

test('a file is taken once, and tracking tells of it', { timeout: 300_000 }, async () => {
  writeFileSync(join(folder, 'draft'), 'From: a@corp.example\nTo: b@far.example\nSubject: from a script\n\nx\n');
  renameSync(join(folder, 'draft'), join(folder, 'one.eml'));
  await eventually('the file is gone', () => !existsSync(join(folder, 'one.eml')));
  assert.deepEqual(await received('a@corp.example'), ['PICKUP a@corp.example b@far.example from a script']);
});

test('an exported file is sent again: its envelope is in its first fields', { timeout: 300_000 }, async () => {
  const fields = 'X-Sender: <c@corp.example>\nX-Receiver: <d@far.example>\nX-CreatedBy: MSExchange15\n';
  const inner = 'X-MS-Exchange-Organization-SCL: 1\nFrom: other@corp.example\nSubject: again\n\nx\n';
  writeFileSync(join(replay, 'draft'), `${fields}${inner}`);
  renameSync(join(replay, 'draft'), join(replay, 'two.eml'));
  await eventually('the file is gone', () => !existsSync(join(replay, 'two.eml')));
  assert.deepEqual(await received('c@corp.example'), ['REPLAY c@corp.example d@far.example again']);
});
