import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ServiceSettings,
  serviceConfigOf,
  shortest,
  withServiceConfig,
} from '../../src/edge-sync/inside/service-config.ts';

const settings: ServiceSettings = { configurationInterval: 180, recipientInterval: 300 };

test('a site has the defaults until an administrator says otherwise, for that site alone', () => {
  const main = { ...serviceConfigOf(settings, 'Main'), recipientSyncInterval: 60 };
  const changed = withServiceConfig(settings, main);
  assert.equal(serviceConfigOf(changed, 'MAIN').recipientSyncInterval, 60);
  assert.equal(serviceConfigOf(changed, 'Branch').recipientSyncInterval, 300);
  const again = withServiceConfig(changed, { ...main, lockDuration: 600 });
  assert.equal(again.services?.length, 1);
  assert.equal(serviceConfigOf(again, 'main').lockDuration, 600);
});

test('what is done for all sites at once goes by the shortest', () => {
  const configs = [serviceConfigOf(settings, 'a'), { ...serviceConfigOf(settings, 'b'), recipientSyncInterval: 30 }];
  assert.equal(shortest(configs, 'recipientSyncInterval', 300), 30);
  assert.equal(shortest([], 'recipientSyncInterval', 300), 300);
});
