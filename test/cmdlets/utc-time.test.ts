import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { fromWire, toWire, UtcTime } from '../../src/cmdlets/index.ts';
import { UtcDate } from '../../src/shell/values/date-kind.ts';
import { formatDate } from '../../src/shell/values/dates.ts';

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const zones = ['UTC', 'Asia/Tokyo', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia'];
for (const service of zones) {
  for (const caller of zones) {
    test(`a time in UTC is shown as such, with the service in ${service} and its caller in ${caller}`, () => {
      process.env['TZ'] = service;
      const wire = JSON.stringify(toWire(new UtcTime(new Date('2026-01-05T01:02:03.004Z'))));
      process.env['TZ'] = caller;
      const time = fromWire(JSON.parse(wire));
      assert.ok(time instanceof UtcTime);
      assert.equal(formatDate(new UtcDate(time.getTime()), 'yyyy-MM-dd HH:mm:ss.fff'), '2026-01-05 01:02:03.004');
    });
  }
}
