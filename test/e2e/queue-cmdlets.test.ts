import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { Appliance, eventually, edge as runEdge, serverName } from '../lib/appliance.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';

interface Message {
  readonly Identity: string;
  readonly Status: string;
  readonly FromAddress: string;
}

describe('queues and messages in the hands of an administrator', () => {
  let sink: ScriptedSink;
  let edge: Appliance;
  let sent = 0;

  before(async () => {
    sink = await ScriptedSink.listen();
    edge = await Appliance.start({
      workers: 2,
      lines: [
        'New-AcceptedDomain -Name Corp -DomainName corp.example',
        `New-SendConnector -Name Hub -AddressSpaces "--" -SmartHosts [127.0.0.1] -Port ${sink.port}`,
      ],
    });
  });
  after(async () => {
    await edge?.[Symbol.asyncDispose]();
    await sink?.[Symbol.asyncDispose]();
  });

  /** Sends messages, each over a connection of its own, so that they spread over the workers. */
  async function send(count: number, from = 'a@sender.example'): Promise<void> {
    for (let i = 0; i < count; i++) {
      const content = Buffer.from(`Subject: number ${++sent}\r\nMessage-ID: <${sent}@sender.example>\r\n\r\nx\r\n`);
      await sendMessage('127.0.0.1', edge.port, { from, to: ['bob@corp.example'], parameters: '', content });
    }
  }
  const messages = async (filter = ''): Promise<Message[]> => {
    const out = await edge.shell(
      `Get-Message ${filter} | ForEach-Object { "$($_.Identity) $($_.Status) $($_.FromAddress)" }`,
    );
    return out
      .split(/\r?\n/)
      .filter((line) => line !== '')
      .map((line) => {
        const [Identity = '', Status = '', FromAddress = ''] = line.split(' ');
        return { Identity, Status, FromAddress };
      });
  };
  /** The queue to the hub, by its next hop. */
  const queue = async (): Promise<string> =>
    (await edge.shell('(Get-Queue -Filter "NextHopConnector -eq \'Hub\'").Identity')).trim();

  test('Suspend-Queue holds the messages of every worker, those that come later and those after a restart', async () => {
    await send(1);
    await eventually('the first message', () => sink.taken.length === 1);
    await edge.shell(`Suspend-Queue ${await queue()} -Confirm:$false`);
    await send(8);
    assert.equal((await messages()).length, 8);
    assert.match(await edge.shell('Get-Queue'), /Suspended +8 /);
    await edge.stop();
    await edge.start();
    assert.match(await edge.shell('Get-Queue'), /Suspended +8 /);
    assert.equal(sink.taken.length, 1);
  });

  test('one message is suspended, resumed, exported and removed', async () => {
    const [first, second] = await messages('-SortOrder +DateReceived');
    await edge.shell(`Suspend-Message ${first?.Identity ?? ''} -Confirm:$false`);
    assert.deepEqual(
      (await messages('-Filter "Status -eq \'Suspended\'"')).map(({ Identity }) => Identity),
      [first?.Identity],
    );
    assert.match(
      await edge.shell(`[System.Text.Encoding]::ASCII.GetString((Export-Message ${second?.Identity ?? ''}).FileData)`),
      /Subject: number 3\b/,
    );
    await edge.shell(`Resume-Message ${first?.Identity ?? ''} -Confirm:$false`);
    assert.equal((await messages('-Filter "Status -eq \'Suspended\'"')).length, 0);
    await edge.shell(`Remove-Message ${second?.Identity ?? ''} -WithNDR $false -Confirm:$false`);
    await eventually('one message less', async () => (await messages()).length === 7);
  });

  test('a filter through the pipeline acts on what it finds alone', async () => {
    await send(2, 'spam@bad.example');
    await edge.shell(
      'Get-Message -Filter "FromAddress -like \'*@bad.example\'" | Remove-Message -WithNDR $false -Confirm:$false',
    );
    await eventually('the seven others', async () => (await messages()).length === 7);
    assert.ok((await messages()).every(({ FromAddress }) => FromAddress === 'a@sender.example'));
  });

  test('Resume-Queue lets all of them go, and they stay gone', async () => {
    await edge.shell(`Resume-Queue ${await queue()} -Confirm:$false`);
    await eventually('all at the hub', () => sink.taken.length === 8);
    await edge.stop();
    await edge.start();
    await send(1);
    await eventually('the next one', () => sink.taken.length === 9);
    assert.ok(!sink.taken.some(({ from }) => from.includes('bad.example')));
  });

  test('Retry-Queue does not wait for the retry time', async () => {
    await sink.shut();
    await send(1);
    await eventually('a queue in Retry', async () => /Retry +1 /.test(await edge.shell('Get-Queue')));
    await sink.open();
    await edge.shell('Get-Queue -Filter "Status -eq \'Retry\'" | Retry-Queue -Confirm:$false');
    await eventually('the message', () => sink.taken.length === 10);
  });

  test('Redirect-Message empties the queues to another server', async () => {
    const other = await ScriptedSink.listen();
    await using _ = other;
    await sink.shut();
    await send(4, 'moved@sender.example');
    await edge.shell(`Redirect-Message -Server ${serverName()} -Target [127.0.0.1]:${other.port} -Confirm:$false`);
    await eventually('all at the other server', () => other.taken.length === 4);
    assert.ok(other.taken.every(({ from, to }) => from === 'moved@sender.example' && to[0] === 'bob@corp.example'));
    await eventually('nothing is left', async () => (await messages()).length === 0);
    await sink.open();
  });

  test('Test-SmtpConnectivity meets the service', async () => {
    assert.match(
      await edge.shell('Test-SmtpConnectivity | Format-List'),
      new RegExp(`EndPoint +: 127\\.0\\.0\\.1:${edge.port}\\s+StatusCode +: Success\\s+Details +: 220 `),
    );
  });

  test('what was done is in the admin audit log, with the message that is gone', async () => {
    const out = await edge.shell(
      'Search-AdminAuditLog -Cmdlets *-Queue,Suspend-Message,Resume-Message,Remove-Message | ForEach-Object { $_.CmdletName + " " + $_.ObjectModified }',
    );
    const done = out
      .trim()
      .split(/\r?\n/)
      .map((line) => line.replace(/ .*/, ''));
    assert.deepEqual(done, [
      'Retry-Queue',
      'Resume-Queue',
      'Remove-Message',
      'Remove-Message',
      'Remove-Message',
      'Resume-Message',
      'Suspend-Message',
      'Suspend-Queue',
    ]);
    assert.match(
      await edge.shell(
        '(Search-AdminAuditLog -Cmdlets Remove-Message -ResultSize 1 3> $null).ModifiedProperties | Format-List',
      ),
      /Name +: FromAddress\s+NewValue : spam@bad\.example/,
    );
  });

  test('the tracking log is read on the stopped appliance too; queues say that nothing runs', async () => {
    const count = 'Get-MessageTrackingLog -EventId RECEIVE -ResultSize Unlimited | Measure-Object | % Count';
    const before = Number(await edge.shell(count));
    assert.ok(before > 8);
    await edge.stop();
    assert.equal(Number(await edge.shell(count)), sent);
    const { status, error } = await runEdge('shell', '--state', edge.state, '-c', 'Get-Queue');
    assert.equal(status, 1);
    assert.match(error, /The transport service is not running on this server/);
  });
});
