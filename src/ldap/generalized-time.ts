/** Generalized Time, RFC 4517 §3.3.13. */

const pattern = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d{1,18}))?(Z|[+-]\d{2}(?:\d{2})?)$/;

/** Milliseconds since 1970 with the digits of the second's fraction; undefined for text of another form. */
function read(text: string): { readonly ms: number; readonly fraction: string } | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute, second, digits = '', zone = 'Z'] = match;
  const leap = second === '60' ? 1 : 0;
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute ?? 0),
    Number(second ?? 0) - leap,
  );
  const date = new Date(ms);
  if (Number(year) < 100) date.setUTCFullYear(Number(year));
  const fits =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour) &&
    Number(minute ?? 0) < 60 &&
    Number(second ?? 0) - leap < 60;
  if (!fits) return undefined;
  const offset = zoneMinutes(zone);
  if (offset === undefined) return undefined;
  // A fraction counts in the smallest unit that was written: hours, minutes or seconds.
  const unitSeconds = minute === undefined ? 3600 : second === undefined ? 60 : 1;
  const part = unitSeconds === 1 ? { seconds: 0, fraction: digits } : scaled(digits, unitSeconds);
  return { ms: date.getTime() - offset * 60_000 + part.seconds * 1000, fraction: part.fraction.replace(/0+$/, '') };
}

function scaled(digits: string, unitSeconds: number): { readonly seconds: number; readonly fraction: string } {
  if (digits === '') return { seconds: 0, fraction: '' };
  const scale = 10n ** BigInt(digits.length);
  const value = BigInt(digits) * BigInt(unitSeconds);
  return { seconds: Number(value / scale), fraction: String(value % scale).padStart(digits.length, '0') };
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3) || 0)];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Reads a time: milliseconds since 1970. Throws RangeError for text of another form. */
export function parseGeneralizedTime(text: string): number {
  const time = read(text);
  if (time === undefined) throw new RangeError(`'${text}' is not a Generalized Time such as 20260131235959Z`);
  return time.ms + Math.floor(Number(`0.${time.fraction || '0'}`) * 1000);
}

/** Writes a time as Active Directory does: `20260131235959.0Z`, or to the second without the fraction. */
export function formatGeneralizedTime(ms: number, fraction: '.0' | '' = ''): string {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return `${digits}${fraction}Z`;
}

/** One form for each instant, in order of time; undefined for text that is no time. For matching rules. */
export function normalizeGeneralizedTime(text: string): string | undefined {
  const time = read(text);
  if (time === undefined || time.ms < -62_167_219_200_000 || time.ms > 253_402_300_799_999) return undefined;
  const whole = formatGeneralizedTime(time.ms).slice(0, 14);
  return time.fraction === '' ? whole : `${whole}.${time.fraction}`;
}
