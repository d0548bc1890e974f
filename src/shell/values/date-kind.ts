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

/** A date of .NET's kind Unspecified, as one written without a zone is: its parts are those of this machine's zone. */
export class UnspecifiedDate extends Date {}

export const kinds = ['Local', 'Unspecified', 'Utc'] as const;
type Kind = (typeof kinds)[number];

/** .NET's DateTime.Kind; a plain Date is local. */
export function kindOf(date: Date): Kind {
  if (date instanceof UtcDate) return 'Utc';
  return date instanceof UnspecifiedDate ? 'Unspecified' : 'Local';
}

/** Another instant as a date of the same kind. */
export function sameKind(date: Date, instant: number): Date {
  return new classes[kindOf(date)](instant);
}

const classes: Readonly<Record<Kind, new (instant: number) => Date>> = {
  Local: Date,
  Unspecified: UnspecifiedDate,
  Utc: UtcDate,
};

/** A date with the same parts and another kind: DateTime.SpecifyKind. */
export function withKind(date: Date, kind: Kind): Date {
  const hasParts = date instanceof UtcDate === (kind === 'Utc');
  return new classes[kind](hasParts ? date.getTime() : otherParts(date));
}

/** The instant at which UTC has the parts that the machine's zone has now, or the other way round. */
function otherParts(date: Date): number {
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  const [hour, minute, second, ms] = [date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()];
  return date instanceof UtcDate
    ? new Date(year, month, day, hour, minute, second, ms).getTime()
    : Date.UTC(year, month, day, hour, minute, second, ms);
}

/** DateTime.ToLocalTime: what says no kind is taken for UTC. */
export function toLocal(date: Date): Date {
  return new Date(date instanceof UnspecifiedDate ? otherParts(date) : date.getTime());
}

/** Reads a date as DateTime.Parse: with a zone it becomes local, without one it says no kind. Undefined when it is none. */
export function parseWithKind(text: string): Date | undefined {
  const date = parseDate(text);
  return date === undefined || inUtc(text) === undefined ? date : new UnspecifiedDate(date.getTime());
}

/** A text that names no zone, read in UTC; undefined for one that does. */
function inUtc(text: string): Date | undefined {
  return parseDate(`${text}Z`) ?? parseDate(`${text} 00:00Z`);
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
  return (date instanceof UtcDate ? inUtc(text) : undefined) ?? parseDate(text);
}
