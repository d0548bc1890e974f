import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { parseDate } from '../../src/base/index.ts';

/** Whatever the zone: a date without one is local, as .NET's DateTime.Parse has it. */
const local: readonly (readonly [text: string, parts: readonly number[]])[] = [
  ['2026-11-26', [2026, 10, 26]],
  ['2026/11/26', [2026, 10, 26]],
  ['2026-11-26 18:30', [2026, 10, 26, 18, 30]],
  ['2026-11-26T18:30:05', [2026, 10, 26, 18, 30, 5]],
  ['2026-11-26T18:30:05.250', [2026, 10, 26, 18, 30, 5, 250]],
  ['11/26/2026', [2026, 10, 26]],
  ['11/26/26', [2026, 10, 26]],
  ['1/2/99 3:04 AM', [1999, 0, 2, 3, 4]],
  ['11/26/2026 6:30 PM', [2026, 10, 26, 18, 30]],
  ['11/26/2026 6:30:05 pm', [2026, 10, 26, 18, 30, 5]],
  ['26 November 2026', [2026, 10, 26]],
  ['November 26, 2026 18:30', [2026, 10, 26, 18, 30]],
  ['Thursday, November 26, 2026 6:30:05 PM', [2026, 10, 26, 18, 30, 5]],
];
const absolute: readonly (readonly [text: string, utc: number])[] = [
  ['2026-11-26T18:30:05Z', Date.UTC(2026, 10, 26, 18, 30, 5)],
  ['2026-11-26T18:30:05.5+02:00', Date.UTC(2026, 10, 26, 16, 30, 5, 500)],
  ['2026-11-26 18:30 -0530', Date.UTC(2026, 10, 27, 0, 0)],
  ['Thu, 26 Nov 2026 18:30:05 GMT', Date.UTC(2026, 10, 26, 18, 30, 5)],
];

test('a date without a zone is local, one with a zone is not', () => {
  for (const [text, [year = 0, month = 0, ...rest]] of local) {
    assert.equal(parseDate(text)?.getTime(), new Date(year, month, ...rest).getTime(), text);
  }
  for (const [text, utc] of absolute) assert.equal(parseDate(text)?.getTime(), utc, text);
});

test('what is no date is none', () => {
  for (const text of [
    '',
    '30 February 2026',
    '2026-02-30',
    '13/13/2026',
    '2026-11-26 25:00',
    '13:00 PM',
    'the day before',
    '1',
  ])
    assert.equal(parseDate(text), undefined, text);
});

for (const zone of ['Pacific/Auckland', 'America/Los_Angeles']) {
  test(`ISO dates are not read as Greenwich in ${zone}`, () => {
    const base = new URL('../../src/base/index.ts', import.meta.url).href;
    const script = `const { parseDate } = await import('${base}'); console.log(parseDate('2026-11-26').getHours())`;
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
    assert.equal(execFileSync(process.execPath, args, { env: { TZ: zone }, encoding: 'utf8' }), '0\n');
  });
}
