/** .NET's DateTime.Kind: Utc is the same instant, shown and read in UTC, wherever the machine is; what is written without a zone is Unspecified. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env['TZ'] = 'Asia/Kathmandu';
const { TestShell } = await import('./lib/test-shell.ts');
const { toWire } = await import('../../src/cmdlets/index.ts');
const { UtcDate } = await import('../../src/shell/values/date-kind.ts');

// Kathmandu is 5:45 before Greenwich: 02:15:09 there is 20:30:09 of the day before.
const rows: readonly (readonly [line: string, printed: string])[] = [
  ["$local.ToString('o')", '2026-03-01T02:15:09.0000000+05:45'],
  ["$utc.ToString('o')", '2026-02-28T20:30:09.0000000Z'],
  ["$utc.ToString('O'); Get-Date $utc -Format o", '2026-02-28T20:30:09.0000000Z\n2026-02-28T20:30:09.0000000Z'],
  ["$utc.ToString('u')", '2026-02-28 20:30:09Z'],
  ["$utc.ToString('yyyy-MM-dd HH:mm zzz K')", '2026-02-28 20:30 +00:00 Z'],
  ['"$utc"', '02/28/2026 20:30:09'],
  ['$utc.Hour, $utc.Minute, $utc.Day, $utc.Month, $utc.DayOfYear -join " "', '20 30 28 2 59'],
  ['$utc.DayOfWeek', 'Saturday'],
  ["$utc.Date.ToString('o')", '2026-02-28T00:00:00.0000000Z'],
  ["$utc.ToLocalTime().ToString('o')", '2026-03-01T02:15:09.0000000+05:45'],
  ["$utc.ToUniversalTime().ToString('o')", '2026-02-28T20:30:09.0000000Z'],
  ["$utc.AddHours(4).ToString('o')", '2026-03-01T00:30:09.0000000Z'],
  ["$utc.AddMonths(-1).ToString('o')", '2026-01-28T20:30:09.0000000Z'],
  ["($utc + [timespan]'1:00').ToString('o'); ($utc - [timespan]'1:00').Hour", '2026-02-28T21:30:09.0000000Z\n19'],
  ["(Get-Date $utc -Hour 1 -Minute 2).ToString('o')", '2026-02-28T01:02:09.0000000Z'],
  [
    '$utc -eq $local; $utc -lt $local.AddSeconds(1); $local -lt $utc; ($utc - $local).TotalSeconds',
    'True\nTrue\nFalse\n0',
  ],
  ["$utc -gt '2026-02-28 20:30'; $utc -gt '2026-02-28 20:31'; $utc -gt '2026-02-28'", 'True\nFalse\nTrue'],
  ["$utc -eq '2026-03-01 02:15:09 +05:45'; $local -gt '2026-03-01'", 'True\nTrue'],
  ['(New-TimeSpan -Start $utc -End $local).TotalSeconds', '0'],
  ['([datetime]::UtcNow - (Get-Date)).TotalSeconds', '0'],
  ['@{ At = $utc } | ConvertTo-Json -Compress', '{"At":"2026-02-28T20:30:09.000Z"}'],
  ['$local, $plain | ConvertTo-Json -Compress', '["2026-03-01T02:15:09.000+05:45","2026-03-01T02:15:09.000"]'],
  ['$local.Kind; $utc.Kind; $plain.Kind', 'Local\nUtc\nUnspecified'],
  [
    '(Get-Date).Kind; [datetime]::Now.Kind; [datetime]::Today.Kind; [datetime]::UtcNow.Kind',
    'Local\nLocal\nLocal\nUtc',
  ],
  ["([datetime]'2026-11-26 10:00Z').Kind; ([datetime]'2026-11-26 10:00 +01:00').Kind", 'Local\nLocal'],
  [
    "[datetime]::Parse('11/26/2026').Kind; [datetime]::ParseExact('20261126','yyyyMMdd',$null).Kind",
    'Unspecified\nUnspecified',
  ],
  [
    "(New-Object DateTime 2026,11,26).Kind; (Get-Date '2026-11-26').Kind; ([datetime]'Nov 26, 2026').Kind",
    'Unspecified\nUnspecified\nUnspecified',
  ],
  ["$plain.ToString('o'); $plain.ToString('K zzz')", '2026-03-01T02:15:09.0000000\n +05:45'],
  [
    "$plain.AddDays(1).Kind; $plain.Date.Kind; $plain.AddMonths(1).Kind; ($plain + [timespan]'1:00').Kind",
    'Unspecified\nUnspecified\nUnspecified\nUnspecified',
  ],
  // What says no kind counts as local on the way to UTC, and as UTC on the way to local.
  ["$plain.ToUniversalTime().ToString('o')", '2026-02-28T20:30:09.0000000Z'],
  ["$plain.ToLocalTime().ToString('o')", '2026-03-01T08:00:09.0000000+05:45'],
  ["[datetime]::SpecifyKind($plain, 'Utc').ToString('o')", '2026-03-01T02:15:09.0000000Z'],
  ["[datetime]::SpecifyKind($utc, 'Local').ToString('o')", '2026-02-28T20:30:09.0000000+05:45'],
  ["try { [datetime]::SpecifyKind($utc, 'Mars') } catch { 'refused' }", 'refused'],
  ['$local.ToLocalTime() -eq $local; $plain -eq $local', 'True\nTrue'],
  ['$utc.GetType().FullName; $utc -is [datetime]', 'System.DateTime\nTrue'],
];
test('a date made universal is the same instant in other parts', async () => {
  const shell = new TestShell();
  await shell.run(
    "$plain = [datetime]'2026-03-01 02:15:09'; $local = [datetime]::SpecifyKind($plain, 'Local'); $utc = $local.ToUniversalTime()",
  );
  for (const [line, printed] of rows) assert.equal((await shell.run(line)).text, `${printed}\n`, line);
});

test('a kind outlives Export-Clixml', async () => {
  const shell = new TestShell();
  for (const [kind, written] of [
    ['Local', '<DT>2026-03-01T02:15:09+05:45</DT>'],
    ['Utc', '<DT>2026-03-01T02:15:09Z</DT>'],
    ['Unspecified', '<DT>2026-03-01T02:15:09</DT>'],
  ]) {
    const { text } = await shell.run(
      `[datetime]::SpecifyKind([datetime]'2026-03-01 02:15:09', '${kind}') | Export-Clixml x.xml; Get-Content x.xml; $d = Import-Clixml x.xml; "$($d.Kind) $d"`,
    );
    assert.ok(text.includes(written ?? ''), text);
    assert.ok(text.endsWith(`${kind} 03/01/2026 02:15:09\n`), text);
  }
});

test('a cmdlet is given the instant', () => {
  const instant = Date.UTC(2026, 1, 28, 20, 30, 9);
  assert.deepEqual(toWire(new UtcDate(instant)), toWire(new Date(instant)));
});
