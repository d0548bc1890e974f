import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseUnbuilt } from '../../src/cmdlets/calling/index.ts';
import { cmdletCatalogue } from '../../src/cmdlets/index.ts';
import { Bench } from './lib/bench.ts';

const catalogue = cmdletCatalogue();

test('every cmdlet of the fact base is known, by name in any case', () => {
  assert.ok(catalogue.all.length >= 154);
  assert.equal(catalogue.find('get-RECEIVEconnector')?.name, 'Get-ReceiveConnector');
  assert.equal(catalogue.find('Set-TransportRule')?.notImplementedYet, true);
  assert.equal(catalogue.find('Get-Nothing'), undefined);
});

test('names, parameters and aliases are unique', () => {
  const names = catalogue.all.map(({ name }) => name.toLowerCase());
  assert.equal(new Set(names).size, names.length);
  for (const { name, parameters } of catalogue.all) {
    const all = parameters.flatMap((one) => [one.name, ...(one.aliases ?? [])]).map((one) => one.toLowerCase());
    assert.equal(new Set(all).size, all.length, name);
  }
});

test('a cmdlet that is not built says so', async () => {
  const { error } = await new Bench().try('New-TransportRule', { Name: 'x' });
  assert.equal(error?.message, 'New-TransportRule is not implemented yet. Nothing was changed.');
  assert.equal(error?.category, 'NotImplemented');
});

/** Parameters of built cmdlets that nothing stands behind at all: none gets lost, none is forgotten when it is built. */
test('what built cmdlets refuse is known', () => {
  const refused = catalogue.all
    .filter(
      ({ name, notImplementedYet }) =>
        notImplementedYet !== true && /^(?:New|Set)-(?:Receive|Send)Connector$/.test(name),
    )
    .map(({ name, parameters }) => [
      name,
      parameters.filter((one) => one.notImplementedYet === true).map((one) => one.name),
    ]);
  assert.deepEqual(refused, [
    ['New-ReceiveConnector', []],
    ['Set-ReceiveConnector', []],
    ['New-SendConnector', ['IsCoexistenceConnector', 'LinkedReceiveConnector']],
    ['Set-SendConnector', ['IsCoexistenceConnector', 'LinkedReceiveConnector']],
  ]);
});

test('what receive and send connectors, domains and transport settings refuse is of another product, and said so', () => {
  const whole =
    /^(?:Get|New|Set|Remove)-(?:ReceiveConnector|SendConnector|RemoteDomain|TransportConfig|TransportService)$/;
  const cmdlets = cmdletCatalogue().all.filter(({ name }) => whole.test(name));
  assert.equal(cmdlets.length, 16);
  const all = cmdlets.flatMap((cmdlet) => cmdlet.parameters.map((one) => ({ cmdlet, ...one })));
  const refused = all.filter(({ notImplementedYet }) => notImplementedYet === true);
  assert.ok(refused.length > 10);
  for (const { cmdlet, name, onlyIn } of refused) {
    assert.ok(onlyIn !== undefined, `${cmdlet.name} ${name}`);
    const says = `The parameter -${name} of ${cmdlet.name} is of ${onlyIn} alone. Nothing was changed.`;
    assert.throws(() => refuseUnbuilt(cmdlet, new Map([[name, 'x']])), { message: says });
  }
});

test('literals are checked without running anything', () => {
  const fault = (cmdlet: string, parameter: string, value: unknown) =>
    catalogue
      .find(cmdlet)
      ?.parameters.find(({ name }) => name === parameter)
      ?.check?.(value);
  assert.equal(fault('Set-ReceiveConnector', 'MaxHopCount', 60), undefined);
  assert.equal(fault('Set-ReceiveConnector', 'MaxHopCount', 501), '501 is outside the range from 1 to 500.');
  assert.match(fault('Set-ReceiveConnector', 'SizeEnabled', 'On') ?? '', /'On' is not one of Enabled/);
  assert.match(fault('New-ReceiveConnector', 'Usage', 'Inernal') ?? '', /Did you mean 'Internal'/);
  assert.match(fault('Add-ADPermission', 'ExtendedRights', 'x-y') ?? '', /There is no extended right/);
  assert.match(fault('Set-SenderFilterConfig', 'Action', 'Rejct') ?? '', /Did you mean 'Reject'/);
});

test('parameters say what the shell needs to bind them', () => {
  const of = (cmdlet: string, parameter: string) =>
    catalogue.find(cmdlet)?.parameters.find(({ name }) => name === parameter);
  assert.deepEqual(
    [of('Set-ReceiveConnector', 'Identity')?.position, of('Set-ReceiveConnector', 'Identity')?.pipeline],
    [1, true],
  );
  assert.equal(of('Set-ReceiveConnector', 'Identity')?.identityOf, 'ReceiveConnector');
  assert.equal(of('Set-TransportService', 'Identity')?.mandatory, false);
  assert.equal(of('New-ReceiveConnector', 'Custom')?.isSwitch, true);
  assert.equal(of('New-ReceiveConnector', 'Bindings')?.multivalued, true);
  assert.deepEqual(of('Set-ReceiveConnector', 'WhatIf')?.aliases, ['wi']);
  assert.ok(of('New-ReceiveConnector', 'BareLinefeedRejectionEnabled'));
});

test('every built cmdlet has a synopsis, and its examples name it', () => {
  for (const { name, synopsis, examples, notImplementedYet } of catalogue.all) {
    if (notImplementedYet === true) continue;
    assert.match(synopsis, /\.$/, name);
    for (const { line, says } of examples) {
      assert.ok(line.includes(name), `${name}: ${line}`);
      assert.match(says, /\.$/, name);
    }
  }
});

test('every type of object has a view, of properties that it has', async () => {
  const bench = new Bench('mailbox');
  for (const noun of [
    'ReceiveConnector',
    'RemoteDomain',
    'TransportService',
    'TransportServer',
    'FrontendTransportService',
    'MailboxTransportService',
    'TransportConfig',
    'ExchangeServer',
  ]) {
    const [object] = (await bench.run(`Get-${noun}`)).objects;
    const view = catalogue.views.get(object?.typeName ?? '') ?? assert.fail(noun);
    for (const column of view.columns) assert.ok(object?.has(column), `${noun} ${column}`);
  }
});
