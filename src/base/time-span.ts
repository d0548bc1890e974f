/** Spans of time as Exchange writes them: `[-][d.]hh:mm:ss[.fffffff]`. All values are seconds. */

const spanPattern = /^\s*(-)?(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?\s*$/;

/** Reads `1.02:30:00`, `00:05:00`, `02:30`, or a bare number of days as the shell does. Throws RangeError. */
export function parseTimeSpan(text: string): number {
  const match = spanPattern.exec(text);
  if (match === null) {
    if (/^\s*\d+\s*$/.test(text)) return Number(text) * 86_400;
    throw new RangeError(`'${text}' is not a time span such as 00:05:00 or 1.00:00:00`);
  }
  const [, sign, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
    throw new RangeError(`'${text}' has an hour above 23, or a minute or second above 59`);
  }
  const total = Number(days) * 86_400 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(`${seconds}.${fraction}`);
  return sign === undefined ? total : -total;
}

/** Prints `00:05:00`, `1.00:00:00`, `00:00:00.5000000`. */
export function formatTimeSpan(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const whole = Math.floor(Math.abs(seconds));
  const days = Math.floor(whole / 86_400);
  const clock = [Math.floor(whole / 3_600) % 24, Math.floor(whole / 60) % 60, whole % 60].map(two).join(':');
  const ticks = Math.round((Math.abs(seconds) - whole) * 1e7);
  const fraction = ticks === 0 ? '' : `.${String(ticks).padStart(7, '0')}`;
  return `${seconds < 0 ? '-' : ''}${days > 0 ? `${days}.` : ''}${clock}${fraction}`;
}
