import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NodemailerConnection } from '../../src/smtp-send/nodemailer-connection.ts';

// What we lean on beyond nodemailer's declarations. A new version must pass this before anything else is looked at.
const overridden = [
  '_onData',
  '_onError',
  '_onClose',
  '_sendCommand',
  '_parseEhloExtensions',
  '_upgradeConnection',
  '_actionGreeting',
  '_actionHELO',
  '_clearPhase',
];

test('nodemailer is the version that this room was written against', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  assert.equal(dependencies['nodemailer'], '10.6.0');
});

for (const name of overridden) {
  test(`nodemailer has ${name}`, () => {
    assert.equal(typeof Object.getOwnPropertyDescriptor(NodemailerConnection.prototype, name)?.value, 'function');
  });
}

test('nodemailer calls its hooks by name, so that overriding works', () => {
  const connection = new NodemailerConnection({ host: 'x', logger: false });
  assert.deepEqual(connection._responseActions, []);
  assert.equal(connection._destroyed, false);
  const source = NodemailerConnection.toString();
  for (const call of [
    'this._onData(chunk)',
    'this._onClose()',
    'this._parseEhloExtensions(str)',
    'this._upgradeConnection(',
    'this._actionGreeting)',
  ]) {
    assert.ok(source.includes(call), call);
  }
});
