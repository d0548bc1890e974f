/**
 * Values that came over a channel (JSON from another process, a client, a file) parsed into types: every reader bounds what it
 * takes, and throws ShapeError with the place that is at fault. Fields that a record does not name are dropped.
 */

/** What came has another form than was agreed. */
class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Gives the value as its type. `path` names the place in errors. Throws ShapeError. */
export type Shape<T> = (value: unknown, path: string) => T;

/** A field that may be missing. */
export interface Maybe<T> {
  readonly maybe: Shape<T>;
}

/** Longest text that is taken when nothing else is said, in characters. */
const longestText = 64 * 1024;
/** Longest list that is taken when nothing else is said. */
const longestList = 100_000;

function wrong(path: string, expected: string): never {
  throw new ShapeError(`${path} is not ${expected}`);
}

/** Text of at most so many characters. */
export function text(most = longestText): Shape<string> {
  return (value, path) =>
    typeof value === 'string' && value.length <= most ? value : wrong(path, `text of at most ${most} characters`);
}

/** A whole number from `least` to `most`. */
export function whole(least = 0, most = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, path) =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
      ? Number(value)
      : wrong(path, `a whole number from ${least} to ${most}`);
}

/** Any finite number. */
export const finite: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : wrong(path, 'a number');

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : wrong(path, 'true or false');

/** No value: absent or null. What stands there all the same is an error. */
export const nothing: Shape<undefined> = (value, path) =>
  value === undefined || value === null ? undefined : wrong(path, 'absent');

/** A value that the next reader parses. */
export const unread: Shape<unknown> = (value) => value;

/** One of these words. */
export function oneOf<W extends string>(...words: readonly W[]): Shape<W> {
  return (value, path) => words.find((word) => word === value) ?? wrong(path, `one of ${words.join(', ')}`);
}

/** A list of at most so many values. */
export function list<T>(of: Shape<T>, most = longestList): Shape<readonly T[]> {
  return (value, path) =>
    Array.isArray(value) && value.length <= most
      ? value.map((one, i) => of(one, `${path}[${i}]`))
      : wrong(path, `a list of at most ${most}`);
}

/** Two values. */
export function pair<A, B>(first: Shape<A>, second: Shape<B>): Shape<readonly [A, B]> {
  return (value, path) =>
    Array.isArray(value) && value.length === 2
      ? [first(value[0], `${path}[0]`), second(value[1], `${path}[1]`)]
      : wrong(path, 'a pair');
}

/** A field of a record that may be missing or null. */
export function maybe<T>(of: Shape<T>): Maybe<T> {
  return { maybe: of };
}

/** The shape of each field; those that may be missing are `maybe`. */
export type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Maybe<Exclude<T[K], undefined>> : Shape<T[K]>;
};

/** An object with these fields. */
export function record<T extends object>(fields: Fields<T>): Shape<T> {
  const rows: [string, Shape<unknown> | Maybe<unknown>][] = Object.entries(fields);
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(path, 'a record');
    const given = value as Readonly<Record<string, unknown>>;
    const found: Record<string, unknown> = {};
    for (const [name, shape] of rows) {
      const field = Object.hasOwn(given, name) ? given[name] : undefined;
      if (typeof shape === 'function') found[name] = shape(field, `${path}.${name}`);
      else if (field !== undefined && field !== null) found[name] = shape.maybe(field, `${path}.${name}`);
    }
    return found as T;
  };
}
