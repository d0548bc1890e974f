/** The hourly look at what came by ACME. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { CmdletObject, type CmdletRunner } from '../../src/cmdlets/index.ts';
import { AcmeRenewal } from '../../src/services/directory/acme-renewal.ts';

function world(orders: () => Promise<readonly unknown[]>) {
  const said: string[] = [];
  const runner: Pick<CmdletRunner, 'run'> = {
    run: async function* ({ cmdlet }) {
      said.push(cmdlet);
      yield new CmdletObject('AcmeCertificate', [['Identity', 'mx.test']]);
    },
  };
  const faults = {
    begin: (name: string, text: string) => said.push(`${name}: ${text}`),
    end: () => said.push('ended'),
  };
  const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };
  const parts = { orders, runner: runner as CmdletRunner, clock: systemClock, faults, log };
  return { renewal: new AcmeRenewal(parts), said };
}

test('what was ordered is looked at by the cmdlet', async () => {
  const { renewal, said } = world(() => Promise.resolve([{}]));
  await renewal.look();
  assert.deepEqual(said, ['Update-AcmeCertificate', 'ACME: mx.test was looked at', 'ended']);
});

test('where nothing was ordered no cmdlet runs', async () => {
  const { renewal, said } = world(() => Promise.resolve([]));
  await renewal.look();
  assert.deepEqual(said, ['ended']);
});

test('a file that is damaged is a fault until it is mended', async () => {
  const { renewal, said } = world(() => Promise.reject(new Error('acme.json is damaged')));
  await renewal.look();
  assert.deepEqual(said, ['ACME: a certificate was not renewed: acme.json is damaged']);
});
