/** Dates as the shell prints and reads them: the culture is en-US, times are the machine's local time, or UTC for dates of the kind Utc. */

import { localDate } from '../../base/index.ts';
import { kindOf, UnspecifiedDate } from './date-kind.ts';

const two = (value: number): string => String(value).padStart(2, '0');
const months = 'January February March April May June July August September October November December'.split(' ');
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Parts of .NET's custom date formats. */
const parts: Readonly<Record<string, (date: Date) => string>> = {
  yyyy: (date) => String(date.getFullYear()).padStart(4, '0'),
  yy: (date) => two(date.getFullYear() % 100),
  MMMM: (date) => months[date.getMonth()] ?? '',
  MMM: (date) => (months[date.getMonth()] ?? '').slice(0, 3),
  MM: (date) => two(date.getMonth() + 1),
  M: (date) => String(date.getMonth() + 1),
  dddd: (date) => days[date.getDay()] ?? '',
  ddd: (date) => (days[date.getDay()] ?? '').slice(0, 3),
  dd: (date) => two(date.getDate()),
  d: (date) => String(date.getDate()),
  HH: (date) => two(date.getHours()),
  H: (date) => String(date.getHours()),
  hh: (date) => two(date.getHours() % 12 || 12),
  h: (date) => String(date.getHours() % 12 || 12),
  mm: (date) => two(date.getMinutes()),
  m: (date) => String(date.getMinutes()),
  ss: (date) => two(date.getSeconds()),
  s: (date) => String(date.getSeconds()),
  fff: (date) => String(date.getMilliseconds()).padStart(3, '0'),
  tt: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  zzz: zone,
  K: (date) => ({ Local: zone(date), Unspecified: '', Utc: 'Z' })[kindOf(date)],
};

const roundTrip = "yyyy-MM-dd'T'HH:mm:ss.fff'0000'K";

/** .NET's standard formats of one letter. */
const standard: Readonly<Record<string, string>> = {
  d: 'M/d/yyyy',
  D: 'dddd, MMMM d, yyyy',
  f: 'dddd, MMMM d, yyyy h:mm tt',
  F: 'dddd, MMMM d, yyyy h:mm:ss tt',
  g: 'M/d/yyyy h:mm tt',
  G: 'M/d/yyyy h:mm:ss tt',
  s: "yyyy-MM-dd'T'HH:mm:ss",
  t: 'h:mm tt',
  T: 'h:mm:ss tt',
  o: roundTrip,
  O: roundTrip,
  u: "yyyy-MM-dd HH:mm:ss'Z'",
};

function zone(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const span = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(span / 60))}:${two(span % 60)}`;
}

/** Prints a date by a .NET format, standard or custom. */
export function formatDate(date: Date, format = 'G'): string {
  const pattern = standard[format] ?? format;
  return pattern.replace(
    /'([^']*)'|\\(.)|yyyy|yy|M{1,4}|d{1,4}|HH?|hh?|mm?|ss?|fff|tt|zzz|K/g,
    (token, quoted?: string, char?: string) => {
      return quoted ?? char ?? parts[token]?.(date) ?? token;
    },
  );
}

/** As strings hold a date: `02/28/2026 17:05:00`. */
export function dateText(date: Date): string {
  return formatDate(date, 'MM/dd/yyyy HH:mm:ss');
}

/** What each token of a .NET format reads, as a group of a pattern. */
const readers: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{2})',
  d: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
};

/** Reads a date that is written as the format says; undefined for any other, and for formats of other tokens. */
export function parseExact(text: string, format: string): Date | undefined {
  const tokens = format.match(/y+|M+|d+|H+|h+|m+|s+|f+|t+|z+|./g) ?? [];
  const parts = tokens.map((token) => (/^[yMdHhmsftz]/.test(token) ? readers[token] : token.replace(/\W/g, '\\$&')));
  if (parts.includes(undefined) || new Set(parts).size < new Set(tokens).size) return undefined;
  const {
    year,
    month,
    day,
    hour = 0,
    minute = 0,
    second = 0,
  } = new RegExp(`^${parts.join('')}$`).exec(text.trim())?.groups ?? {};
  if (year === undefined) return undefined;
  const date = localDate([year, month ?? 1, day ?? 1, hour, minute, second].map(Number));
  return date === undefined ? undefined : new UnspecifiedDate(date.getTime());
}

const unixParts: Readonly<Record<string, string>> = {
  Y: 'yyyy', y: 'yy', m: 'MM', B: 'MMMM', b: 'MMM', d: 'dd', A: 'dddd', a: 'ddd', H: 'HH', I: 'hh', M: 'mm', S: 'ss', p: 'tt',
  T: 'HH:mm:ss', R: 'HH:mm', D: 'MM/dd/yy', F: 'yyyy-MM-dd', e: 'd',
}; // biome-ignore format: a table of letters

/** Prints a date by a format of Unix, as -UFormat has it. */
export function formatUnix(date: Date, format: string): string {
  return format.replace(/^\+/, '').replace(/%([A-Za-z%])/g, (whole, letter: string) => {
    if (letter === '%') return '%';
    if (letter === 's') return String(Math.trunc(date.getTime() / 1000));
    const part = unixParts[letter];
    return part === undefined ? whole : formatDate(date, part);
  });
}
