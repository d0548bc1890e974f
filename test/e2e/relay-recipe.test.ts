import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { Appliance, type CommandResult, eventually, serverName } from '../lib/appliance.ts';
import { needs, swaks } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { shellHere } from '../lib/shell-here.ts';

/** The recipe for an anonymous relay as it is published, typographic quotes and all; the port alone is a free one. */
const recipe = (port: number): readonly string[] => [
  `New-Receiveconnector -Name “Exchange16Email Relay” -RemoteIPRange (“127.0.0.9”) -TransportRole “FrontendTransport” -Bindings (“127.0.0.1:${port}”) -usage “Custom” -Server “${serverName()}”`,
  'Set-ReceiveConnector “Exchange16Email Relay” -PermissionGroups AnonymousUsers',
  'Get-ReceiveConnector “Exchange16Email Relay” | Add-ADPermission -User ‘NT AUTHORITY\\Anonymous Logon’ -ExtendedRights MS-Exch-SMTP-Accept-Any-Recipient',
];

describe('the published recipe for an anonymous relay', needs('swaks'), () => {
  let sink: ScriptedSink;
  let edge: Appliance;
  const run = (line: string): Promise<CommandResult> => shellHere({ state: edge.state, lines: [line] });

  before(async () => {
    sink = await ScriptedSink.listen();
    edge = await Appliance.start({
      lines: [`New-SendConnector -Name Out -AddressSpaces * -SmartHosts [127.0.0.1] -Port ${sink.port}`],
    });
  });
  after(async () => {
    await edge?.[Symbol.asyncDispose]();
    await sink?.[Symbol.asyncDispose]();
  });

  /** Offers a message to a foreign domain from a local address; the reply to RCPT or why there was none. */
  const offer = (port: number, from: string, to: string): { status: number; text: string } =>
    swaks('--server', `127.0.0.1:${port}`, '--local-interface', from, '--from', 'printer@corp.example', '--to', to);

  test('relays for 127.0.0.9 and not for 127.0.0.8, with no restart', async () => {
    const before = edge.workers();
    const lines = recipe(edge.port);
    const said: string[] = [];
    for (const line of lines) {
      const { status, out, error } = await run(line);
      assert.equal(status, 0, `${line}\n${out}${error}`);
      said.push(out + error);
    }
    assert.match(said[0] ?? '', /WARNING: The TransportRole parameter has no effect on an Edge Transport server\./);
    assert.match(said[0] ?? '', /Exchange16Email Relay +\{127\.0\.0\.1:\d+\} +True/);
    assert.doesNotMatch(said.join(''), /open relay/, 'one address of the own machine is what the recipe is for');

    await eventually('the relay in every worker', () =>
      [1, 2, 3, 4].every(() => offer(edge.port, '127.0.0.9', 'a@any.example').status === 0),
    );
    const refused = offer(edge.port, '127.0.0.8', 'refused@any.example');
    assert.match(refused.text, /<\*\* 550 5\.7\.54 SMTP; Unable to relay recipient in non-accepted domain/);
    const other = offer(edge.port, '127.0.0.9', 'bob@other.example');
    assert.match(other.text, /<- {2}250 2\.6\.0 /);
    await eventually('the message at the next hop', () => sink.taken.some(({ to }) => to.join().includes('bob@other')));
    assert.ok(!sink.taken.some(({ to }) => to.join().includes('refused@')));
    assert.deepEqual(edge.workers(), before);
  });

  test('on a port of its own, the others are not served at all', async () => {
    const port = await freePort();
    await run(`Set-ReceiveConnector "Exchange16Email Relay" -Bindings 127.0.0.1:${port}`);
    await eventually('the port', () => offer(port, '127.0.0.9', 'x@any.example').status === 0);
    assert.match(offer(port, '127.0.0.8', 'x@any.example').text, /421 4\.3\.2 Service not available/);
    assert.match(offer(edge.port, '127.0.0.9', 'x@any.example').text, /550 5\.7\.54/);
  });

  test('a whole subnet, and public addresses, are named as an open relay', async () => {
    for (const range of ['192.0.2.0/24', '10.0.0.0/8', '0.0.0.0-255.255.255.255', '203.0.113.7']) {
      const { status, error } = await run(
        `Set-ReceiveConnector "Exchange16Email Relay" -RemoteIPRanges 127.0.0.9,${range}`,
      );
      assert.equal(status, 0, error);
      assert.ok(error.includes(`is an open relay for ${range}: `), `${range}\n${error}`);
      assert.ok(!error.includes('127.0.0.9:'), error);
    }
    const back = await run('Set-ReceiveConnector "Exchange16Email Relay" -RemoteIPRanges 127.0.0.9');
    assert.doesNotMatch(back.error, /open relay/);
  });

  test('who did it stands in the admin audit log, and the same after the service has stopped', async () => {
    const lines = recipe(edge.port);
    const read = async (): Promise<string> =>
      (
        await run(
          'Search-AdminAuditLog -ObjectIds "Exchange16Email Relay" | ForEach-Object { $_.Caller + " | " + $_.Line }',
        )
      ).out;
    const logged = await read();
    const records = logged.trim().split(/\r?\n/);
    for (const line of lines)
      assert.ok(
        records.some((record) => record.endsWith(` | ${line}`)),
        `${line}\n${logged}`,
      );
    for (const record of records) assert.ok(record.startsWith(userInfo().username), record);
    await edge.stop();
    assert.equal(await read(), logged);
    assert.equal(
      (await run('Set-ReceiveConnector "Exchange16Email Relay" -Comment "made while it was stopped"')).status,
      0,
    );
    const { out } = await run('(Search-AdminAuditLog -ResultSize 1).ModifiedProperties | Format-List');
    assert.match(out, /Name +: Comment\s+NewValue : made while it was stopped\s+OldValue :/);
  });
});
