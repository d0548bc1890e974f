/** Dates as people write them: the culture is en-US, and a date without a zone is of the machine's own (.NET, DateTime.Parse). */

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const monthName = '(?<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
const time =
  '(?:(?:T|,?\\s+)(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:\\.(?<fraction>\\d{1,9}))?)?\\s*(?<half>AM|PM)?\\s*(?<zone>Z|GMT|UTC|[+-]\\d{2}:?\\d{2})?)?';

const patterns = [
  // 2026-02-28, 2026/2/28
  '(?<year>\\d{4})[-/](?<month>\\d{1,2})[-/](?<day>\\d{1,2})',
  // 2/28/2026, 2-28-26
  '(?<month>\\d{1,2})[-/](?<day>\\d{1,2})[-/](?<year>\\d{4}|\\d{2})',
  // 28 February 2026, Sat, 28-Feb-2026
  `(?:[a-z]{3,9},?\\s+)?(?<day>\\d{1,2})[-\\s]+${monthName}[-\\s]+(?<year>\\d{4})`,
  // February 28, 2026; Saturday, February 28, 2026
  `(?:[a-z]{3,9},?\\s+)?${monthName}\\s+(?<day>\\d{1,2}),?\\s+(?<year>\\d{4})`,
].map((date) => new RegExp(`^${date}${time}$`, 'i'));

/** Longest text that is looked at, in characters. */
const longest = 80;

/** Reads `2/28/2026 5:05 PM`, `2026-02-28`, `28 Feb 2026 17:05:00Z`; undefined for anything else, 30 February too. */
export function parseDate(text: string): Date | undefined {
  const trimmed = text.trim();
  if (trimmed.length > longest) return undefined;
  const groups = patterns.map((pattern) => pattern.exec(trimmed)?.groups).find((found) => found !== undefined);
  if (groups === undefined) return undefined;
  const { year = '', month, day = '', name = '', minute = '0', second = '0', fraction = '0', zone } = groups;
  const hour = hourOf(groups['hour'] ?? '0', groups['half']);
  if (hour === undefined) return undefined;
  const monthNumber = month === undefined ? months.indexOf(name.toLowerCase()) + 1 : Number(month);
  const milliseconds = Math.trunc(Number(`0.${fraction}`) * 1000);
  const parts = [yearOf(year), monthNumber, Number(day), hour, Number(minute), Number(second), milliseconds];
  const date = localDate(parts);
  return date === undefined || zone === undefined ? date : inZone(date, zone);
}

/** Two digits are years up to 2049, and from 1950 (.NET's TwoDigitYearMax). */
function yearOf(text: string): number {
  const year = Number(text);
  return text.length > 2 ? year : year + (year < 50 ? 2000 : 1900);
}

function hourOf(text: string, half: string | undefined): number | undefined {
  const hour = Number(text);
  if (half === undefined) return hour;
  return hour < 1 || hour > 12 ? undefined : (hour % 12) + (/pm/i.test(half) ? 12 : 0);
}

/** The time that a clock of the zone shows as this one shows its own. */
function inZone(local: Date, zone: string): Date | undefined {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  const { year, month, day, hour, minute, second, millisecond } = partsOf(local);
  return new Date(Date.UTC(year, month, day, hour, minute, second, millisecond) - offset * 60_000);
}

function partsOf(date: Date) {
  return {
    year: date.getFullYear(),
    month: date.getMonth(),
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    millisecond: date.getMilliseconds(),
  };
}

/** A date of the machine's zone: year, month (from 1), day, hour, minute, second, millisecond; undefined when there is no such one. */
export function localDate(parts: readonly number[]): Date | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0] = parts;
  const date = new Date(year, month - 1, day, hour, minute, second, millisecond);
  const kept = date.getMonth() === month - 1 && date.getDate() === day && hour < 24 && minute < 60 && second < 60;
  return kept ? date : undefined;
}
