/** The table of parameters that cannot mean anything here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parametersWithoutMeaning,
  propertyName,
  receiveConnector,
  remoteDomain,
  sendConnector,
  type TableShape,
  transportConfig,
  transportService,
} from '../../src/config/index.ts';

const tables: readonly TableShape[] = [
  receiveConnector,
  sendConnector,
  remoteDomain,
  transportService,
  transportConfig,
];

test('it has at most sixty rows, and each speaks of a parameter that there is', () => {
  assert.ok(parametersWithoutMeaning.length <= 60);
  for (const [noun, pattern, reason] of parametersWithoutMeaning) {
    const table = tables.find((one) => one.noun === noun);
    const names = Object.entries(table?.properties ?? {}).map(([field, row]) => propertyName(field, row));
    assert.ok(
      names.some((name) => pattern.test(name)),
      `${noun} ${pattern}`,
    );
    assert.ok(reason.length > 20);
  }
});

test('none of them is called missing as well', () => {
  for (const { properties } of tables)
    for (const [field, row] of Object.entries(properties))
      if (row.withoutMeaning !== undefined) assert.equal(row.notImplementedYet, undefined, field);
});

/** Of these Exchange says that it reserves them for itself. */
const reserved =
  /^(?:RequestBroker|TransportHttp|TransportMaintenance|Wlm|TransportSync|WindowsLiveHotmailTransportSync)/;

test('so many parameters cannot mean anything, and no more', () => {
  const names = tables.flatMap(({ noun, properties }) =>
    Object.entries(properties)
      .filter(([, row]) => row.withoutMeaning !== undefined)
      .map(([field, row]) => `${noun} ${propertyName(field, row)}`),
  );
  const own = names.filter((name) => !reserved.test(name.replace(/^TransportService /, '')));
  assert.equal(own.length, 60);
  assert.equal(names.length, 103);
});
