/** Test-ReceiveConnector against the real thing: stopped and running, and every line that it proposes. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Appliance } from '../lib/appliance.ts';

let appliance: Appliance;
before(async () => {
  appliance = await Appliance.prepare({
    workers: 1,
    lines: [
      'New-AcceptedDomain corp.example -DomainName corp.example',
      'Set-ReceiveConnector "Default internal receive connector $server" -PermissionGroups ExchangeServers -RequireTLS $true -RejectSingleLabelRecipientDomains $true',
      'New-ReceiveConnector Printer -Usage Custom -Bindings 127.0.0.1:$port -RemoteIPRanges 10.0.0.9',
    ],
  });
});
after(() => appliance?.[Symbol.asyncDispose]());

interface Row {
  readonly Kind: string;
  readonly Item: string;
  readonly Result: string;
  readonly Reason: string;
  readonly Remedy: string;
}

async function asked(parameters: string): Promise<readonly Row[]> {
  const out = await appliance.shell(
    `Test-ReceiveConnector 127.0.0.1 -LocalEndpoint 127.0.0.1:$port ${parameters} | ConvertTo-Json`,
  );
  return JSON.parse(out) as Row[];
}

const envelope = '-Helo client.example -MailFrom a@corp.example -RcptTo b@far.example,c@corp.example,d@single';

test('a stopped appliance tells who takes the client, why not others, and what cannot be told', async () => {
  const rows = await asked(envelope);
  assert.deepEqual(
    rows.filter(({ Kind }) => Kind === 'Connector').map(({ Result }) => Result),
    ['chosen', 'passed over'],
  );
  assert.match(rows.find(({ Item }) => Item === 'Printer')?.Reason ?? '', /RemoteIPRanges has the client/);
  // As the session says it (RFC 5322 §3.3).
  assert.match(rows.find(({ Item }) => Item === '(connection)')?.Result ?? '', /\d \+0000$/);
  assert.equal(rows.find(({ Item }) => Item === 'back pressure')?.Result, 'not-tested');
  const missing = rows.filter(({ Kind }) => Kind === 'Extension').map(({ Item, Remedy }) => `${Item} ${Remedy}`);
  assert.deepEqual(
    missing.map((one) => one.replace(/'.*' -/, '-')),
    [
      'AUTH Set-ReceiveConnector -AuthMechanism Tls,ExchangeServer,BasicAuth,BasicAuthRequireTLS',
      'REQUIRETLS ',
      'LIMITS Set-ReceiveConnector -LimitsEnabled $true',
    ],
  );
  const right = rows.find(({ Item }) => Item === 'ms-Exch-SMTP-Submit');
  assert.match(`${right?.Result} ${right?.Reason}`, /^not held no entry of the connector grants it/);
});

test('the lines that it proposes lead, one after the other, to a session that takes everything', {
  timeout: 300_000,
}, async () => {
  await appliance.start();
  const refusals: string[] = [];
  for (let round = 0; round < 12; round++) {
    const rows = await asked(envelope);
    const refused = rows.find(({ Kind, Result }) => Kind === 'Reply' && /^[45]/.test(Result));
    if (refused === undefined) break;
    assert.notEqual(refused.Remedy, '', `${refused.Item}: ${refused.Result}`);
    refusals.push(refused.Result.slice(0, 10));
    await appliance.shell(refused.Remedy.replace(/ # .*/, ''));
  }
  assert.deepEqual(refusals, ['530 5.7.0 ', '530 5.7.57', '550 5.7.60', '550 5.7.54', '501 5.1.6 ', '550 5.7.54']);
});

test('nothing of a question is passed over, and a line for another endpoint names that endpoint', async () => {
  const remedy = async (line: string): Promise<string> =>
    (await appliance.shell(`(Test-ReceiveConnector ${line} | Where-Object {$_.Item -eq '(none)'}).Remedy`)).trim();
  assert.match(
    await remedy('2001:db8::1'),
    /^New-ReceiveConnector .* -Bindings \[::\]:25 -RemoteIPRanges 2001:db8::1 /,
  );
  assert.match(await remedy("'[2001:db8::1]' -LocalEndpoint '[2001:db8::2]:25'"), /-RemoteIPRanges 2001:db8::1 /);
  assert.match(await remedy('192.0.2.9 -LocalEndpoint 192.0.2.1:4025'), /-Bindings 192\.0\.2\.1:4025 /);
  for (const [line, message] of [
    ['192.0.2.9 -RcptTo a@corp.example', /MailFrom/],
    ['192.0.2.9 -LocalEndpoint 192.0.2.1:99999', /is not an\s+endpoint/],
    ['192.0.2.9 -LocalEndpoint 999.0.2.1:25', /is not an\s+endpoint/],
  ] as const)
    await assert.rejects(appliance.shell(`Test-ReceiveConnector ${line}`), message);
  const alone = await appliance.shell(
    "(Test-ReceiveConnector 127.0.0.1 -LocalEndpoint 127.0.0.1:$port -MailFrom scanner | Where-Object {$_.Item -like 'MAIL*'}).Remedy",
  );
  assert.match(alone, /^Set-ReceiveConnector '.*' -DefaultDomain corp\.example$/m);
  await appliance.shell('Set-ReceiveConnector Printer -MaxProtocolErrors 0');
  const ended = await appliance.shell(
    '(Test-ReceiveConnector 10.0.0.9 -LocalEndpoint 127.0.0.1:$port -MailFrom a@corp.example -RcptTo b@corp.example,c@corp.example).Result',
  );
  assert.match(ended, /^421 4\.7\.0 .*\nnot reached$/m);
});

test('inside TLS it goes on only where STARTTLS gets it there', { timeout: 300_000 }, async () => {
  const replies = (rows: readonly Row[]): string[] =>
    rows.filter(({ Kind }) => Kind === 'Reply').map(({ Item, Result }) => `${Item}: ${Result.slice(0, 4)}`);
  const inside = await asked('-Helo c.example -UseTls -RequireTls -MailFrom a@far.example');
  assert.deepEqual(replies(inside).slice(2), [
    'STARTTLS: 220 ',
    'EHLO c.example: 250-',
    'MAIL FROM:<a@far.example> REQUIRETLS: 250 ',
  ]);
  assert.match(inside.find(({ Item }) => Item === 'EHLO c.example')?.Result ?? '', /STARTTLS/);
  await appliance.shell(
    'Set-ReceiveConnector "Default internal receive connector $server" -RequireTLS $false -AuthMechanism None',
  );
  const clear = await asked('-Helo c.example -UseTls -RequireTls -MailFrom a@far.example');
  assert.deepEqual(replies(clear).slice(2), [
    'STARTTLS: 502 ',
    '(TLS): not ',
    'MAIL FROM:<a@far.example> REQUIRETLS: 555 ',
  ]);
});

test('the running one answers as it said', { timeout: 300_000 }, async () => {
  const rows = await asked(envelope);
  assert.equal(rows.find(({ Item }) => Item === 'back pressure')?.Result, 'Low');
  const socket = connect({ host: '127.0.0.1', port: appliance.port });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  for (const { Item, Result } of rows.filter(({ Kind }) => Kind === 'Reply')) {
    if (Item !== '(connection)') socket.write(`${Item}\r\n`);
    const got: string[] = [];
    for (const _ of Result.split('\n')) got.push(String((await lines.next()).value));
    const plain = (text: string): string => text.replace(/ready at .*/, '');
    assert.equal(plain(got.join('\n')), plain(Result));
  }
  socket.destroy();
});
