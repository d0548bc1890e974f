import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { sameKind } from '../values/date-kind.ts';
import { formatDate, formatUnix } from '../values/dates.ts';
import { timeSpan } from '../values/quantity.ts';
import { builtIn, numberParameter, textParameter } from './builtin.ts';

const count = { type: 'Int32' } as const;

function startDate(call: CmdletCall, now: () => number): Date {
  const given = call.bound.get('Date');
  const date = given instanceof Date ? sameKind(given, given.getTime()) : new Date(now());
  const parts = ['Year', 'Month', 'Day', 'Hour', 'Minute', 'Second'].map((name) => numberParameter(call, name));
  const [year, month, day, hour, minute, second] = parts;
  if (year !== undefined) date.setFullYear(year);
  if (month !== undefined) date.setMonth(month - 1);
  if (day !== undefined) date.setDate(day);
  if (hour !== undefined) date.setHours(hour);
  if (minute !== undefined) date.setMinutes(minute);
  if (second !== undefined) date.setSeconds(second);
  return date;
}

/** Get-Date and New-TimeSpan. */
export function dateCmdlets(now: () => number): readonly ShellCmdlet[] {
  const date = (value: unknown): value is Date => value instanceof Date;
  return [
    builtIn(
      {
        name: 'Get-Date',
        synopsis: 'Gives the time now, or another.',
        parameters: {
          Date: { type: 'DateTime', position: 0, aliases: ['LastWriteTime'], help: 'Another time than now.' },
          Format: { type: 'String', help: "Gives text: 'yyyy-MM-dd HH:mm', or one of .NET's letters." },
          UFormat: { type: 'String', help: "Gives text by a format of Unix: '%Y-%m-%d %H:%M:%S'." },
          DisplayHint: { type: 'String', help: 'Taken for compatibility.' },
          Year: { ...count, min: 1, max: 9999 },
          Month: { ...count, min: 1, max: 12 },
          Day: { ...count, min: 1, max: 31 },
          Hour: { ...count, min: 0, max: 23 },
          Minute: { ...count, min: 0, max: 59 },
          Second: { ...count, min: 0, max: 59 },
        },
        examples: [{ line: "Get-Date '2026-02-28' -Format 'dd.MM.yyyy'", text: 'Writes a date in another form.' }],
      },
      async function* (call) {
        const value = startDate(call, now);
        const [format, unix] = [textParameter(call, 'Format'), textParameter(call, 'UFormat')];
        if (unix !== undefined) {
          yield formatUnix(value, unix);
          return;
        }
        yield format === undefined ? value : formatDate(value, format);
      },
    ),
    builtIn(
      {
        name: 'New-TimeSpan',
        synopsis: 'Makes a span of time.',
        parameters: {
          Start: { type: 'DateTime', position: 0, help: 'Beginning of the span.' },
          End: { type: 'DateTime', position: 1, help: 'End of the span; default now.' },
          Days: { ...count },
          Hours: { ...count },
          Minutes: { ...count },
          Seconds: { ...count },
        },
        examples: [{ line: 'New-TimeSpan -Hours 2 | Select-Object TotalMinutes', text: 'Makes two hours.' }],
      },
      async function* (call) {
        const [start, end] = [call.bound.get('Start'), call.bound.get('End')];
        const from = date(start) ? start.getTime() : now();
        const to = date(end) ? end.getTime() : now();
        const units = { Days: 86_400, Hours: 3600, Minutes: 60, Seconds: 1 };
        const named = Object.entries(units).reduce(
          (sum, [name, unit]) => sum + (numberParameter(call, name) ?? 0) * unit,
          0,
        );
        yield timeSpan(date(start) || date(end) ? (to - from) / 1000 : named);
      },
    ),
  ];
}
