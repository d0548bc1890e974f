import { ShellObject } from './shell-object.ts';

/** One key of a hash table with its value, as GetEnumerator gives it. */
export function dictionaryEntry([key, value]: readonly [key: unknown, value: unknown]): ShellObject {
  return new ShellObject('System.Collections.DictionaryEntry', [
    ['Name', key],
    ['Key', key],
    ['Value', value],
  ]);
}
