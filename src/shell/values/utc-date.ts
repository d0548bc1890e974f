import { parseDate } from '../../base/index.ts';

/** A date of .NET's kind Utc: the same instant as any other, whose parts are those of UTC. */
export class UtcDate extends Date {
  override getFullYear(): number {
    return this.getUTCFullYear();
  }

  override getMonth(): number {
    return this.getUTCMonth();
  }

  override getDate(): number {
    return this.getUTCDate();
  }

  override getDay(): number {
    return this.getUTCDay();
  }

  override getHours(): number {
    return this.getUTCHours();
  }

  override getMinutes(): number {
    return this.getUTCMinutes();
  }

  override getSeconds(): number {
    return this.getUTCSeconds();
  }

  override getTimezoneOffset(): number {
    return 0;
  }

  override setFullYear(year: number): number {
    return this.setUTCFullYear(year);
  }

  override setMonth(month: number): number {
    return this.setUTCMonth(month);
  }

  override setDate(date: number): number {
    return this.setUTCDate(date);
  }

  override setHours(hours: number): number {
    return this.setUTCHours(hours);
  }

  override setMinutes(minutes: number): number {
    return this.setUTCMinutes(minutes);
  }

  override setSeconds(seconds: number): number {
    return this.setUTCSeconds(seconds);
  }
}

/** Another instant as a date of the same kind. */
export function sameKind(date: Date, instant: number): Date {
  return date instanceof UtcDate ? new UtcDate(instant) : new Date(instant);
}

/** The midnight that its day began with. */
export function startOfDay(date: Date): Date {
  const start = sameKind(date, date.getTime());
  start.setHours(0);
  start.setMinutes(0);
  start.setSeconds(0);
  return sameKind(date, start.getTime() - start.getUTCMilliseconds());
}

/** A text that is compared with a date: one that names no zone is of the date's kind. */
export function parseLike(date: Date, text: string): Date | undefined {
  const zoned = date instanceof UtcDate ? (parseDate(`${text}Z`) ?? parseDate(`${text} 00:00Z`)) : undefined;
  return zoned ?? parseDate(text);
}
