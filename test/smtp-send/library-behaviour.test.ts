/**
 * What sending leans on inside nodemailer, beyond its declarations: each is held by what it does. A new version must pass this
 * before anything else is looked at.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { NodemailerConnection } from '../../src/smtp-send/connection/nodemailer-connection.ts';
import { type PeerScript, ScriptedPeer } from './scripted-peer.ts';

test('the nodemailer that is installed is the one that this room was written against', () => {
  const installed = createRequire(import.meta.url).resolve('nodemailer/package.json');
  assert.equal((JSON.parse(readFileSync(installed, 'utf8')) as { version: string }).version, '10.6.0');
});

/** Notes each hook that nodemailer calls, and lets it act. */
class Watched extends NodemailerConnection {
  readonly calls: string[] = [];
  readonly errors: string[] = [];

  override _onData(chunk: Buffer): void {
    this.calls.push('_onData');
    // As in the product: whole replies go to the action that waits for them.
    for (const reply of chunk.toString().split(/(?<=^\d{3} .*\r\n)/m)) {
      const action = this._responseActions.shift();
      if (action !== undefined) action.call(this, reply.trimEnd().replaceAll('\r\n', '\n'));
    }
  }
  override _sendCommand(text: string): void {
    this.calls.push(`_sendCommand ${text}`);
    this._socket.write(`${text}\r\n`);
  }
  override _parseEhloExtensions(reply: string): void {
    this.calls.push(`_parseEhloExtensions ${reply.split('\n').length}`);
  }
  override _actionGreeting(reply: string): void {
    this.calls.push('_actionGreeting');
    super._actionGreeting(reply);
  }
  override _actionHELO(reply: string): void {
    this.calls.push('_actionHELO');
    super._actionHELO(reply);
  }
  override _upgradeConnection(done: (error: Error | null, secured?: boolean) => void): void {
    this.calls.push('_upgradeConnection');
    super._upgradeConnection(done);
    this.calls.push(`upgrading ${this.upgrading === true}`);
    // The handshake is not what is looked at here.
    this._socket.destroy();
  }
  override _onError(_error: unknown, type: string, reply: string | false, command: string): void {
    this.errors.push(`${type} ${command} ${reply === false ? '' : reply}`.trim());
    this.close();
    this.emit('over');
  }
  override _onClose(): void {
    this.calls.push('_onClose');
    this.emit('over');
  }
}

async function open(script: PeerScript, options: object = {}): Promise<Watched> {
  await using peer = await ScriptedPeer.start(script);
  const socket: Socket = connect(peer.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const connection = new Watched({ connection: socket, host: '127.0.0.1', name: 'us.test', logger: false, ...options });
  const over = new Promise<void>((resolve) => {
    connection.once('connect', resolve);
    connection.once('over', resolve);
  });
  assert.deepEqual([connection._responseActions, connection._destroyed], [[], false]);
  connection.connect();
  await over;
  connection.close();
  assert.equal(connection._destroyed, true, 'close() marks it');
  socket.destroy();
  return connection;
}

test('greeting, EHLO and its answer pass the hooks in this order', async () => {
  const { calls, errors } = await open({ extensions: ['SIZE 10'] });
  assert.deepEqual(calls, [
    '_onData',
    '_actionGreeting',
    '_sendCommand EHLO us.test',
    '_onData',
    '_parseEhloExtensions 2',
  ]);
  assert.deepEqual(errors, []);
});

test('EHLO refused: HELO follows, and its answer goes to _actionHELO', async () => {
  const { calls } = await open({ on: { EHLO: '502 No' } });
  assert.deepEqual(calls.slice(2), [
    '_sendCommand EHLO us.test',
    '_onData',
    '_sendCommand HELO us.test',
    '_onData',
    '_actionHELO',
  ]);
});

test('STARTTLS that is offered is asked for, and a yes is followed by the upgrade', async () => {
  const { calls } = await open({ extensions: ['STARTTLS'], on: { STARTTLS: '220 go' } });
  assert.deepEqual(calls.slice(2, 7), [
    '_sendCommand EHLO us.test',
    '_onData',
    '_sendCommand STARTTLS',
    '_onData',
    '_upgradeConnection',
  ]);
  assert.ok(calls.includes('upgrading true'), 'the flag stands while the handshake runs');
});

for (const [name, script, options, error] of [
  ['a greeting that is no 220', { greeting: '554 No' }, {}, 'EPROTOCOL CONN 554 No'],
  ['STARTTLS refused', { extensions: ['STARTTLS'], on: { STARTTLS: '454 No' } }, {}, 'ETLS STARTTLS 454 No'],
  [
    'requireTLS asks for STARTTLS that is not offered',
    { on: { STARTTLS: '502 No' } },
    { requireTLS: true },
    'ETLS STARTTLS 502 No',
  ],
  ['requireTLS and EHLO refused: no HELO', { on: { EHLO: '502 No' } }, { requireTLS: true }, 'ECONNECTION EHLO 502 No'],
] as const) {
  test(`_onError is told of: ${name}`, async () => {
    assert.deepEqual((await open(script, options)).errors, [error]);
  });
}

test('ignoreTLS: STARTTLS that is offered is not asked for', async () => {
  const { calls } = await open({ extensions: ['STARTTLS'] }, { ignoreTLS: true });
  assert.ok(!calls.includes('_sendCommand STARTTLS'));
});

test('with lmtp it says LHLO', async () => {
  const { calls } = await open({ lmtp: true }, { lmtp: true });
  assert.ok(calls.includes('_sendCommand LHLO us.test'));
});
