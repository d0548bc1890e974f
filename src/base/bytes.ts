/** Sizes in bytes as the Exchange Management Shell reads and prints them ("36 MB (37,748,736 bytes)"). */

const units: readonly (readonly [name: string, bytes: number])[] = [
  ['TB', 1024 ** 4],
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
  ['B', 1],
];

const sizePattern = /^\s*(\d+(?:\.\d+)?)\s*(TB|GB|MB|KB|B|bytes)?\s*(?:\(\s*([\d,]+)\s*bytes\s*\))?\s*$/i;

/** Reads "36MB", "64 KB", "37748736" or the printed form. Throws RangeError for anything else. */
export function parseByteSize(text: string): number {
  const match = sizePattern.exec(text);
  if (match === null) throw new RangeError(`'${text}' is not a size such as 36MB, 64KB or 37748736`);
  if (match[3] !== undefined) return Number(match[3].replaceAll(',', ''));
  const unit = (match[2] ?? 'B').toUpperCase();
  const bytes = units.find(([name]) => name === unit)?.[1] ?? 1;
  return Math.round(Number(match[1]) * bytes);
}

/** Prints as Exchange does: `36 MB (37,748,736 bytes)`. */
export function formatByteSize(bytes: number): string {
  const [name, factor] = units.find(([, size]) => bytes >= size) ?? ['B', 1];
  const amount = String(Number((bytes / factor).toPrecision(4)));
  return `${amount} ${name} (${grouped(bytes)} bytes)`;
}

/** Thousands apart, as in `37,748,736`; without the tables of all languages, which take 10 ms to load. */
function grouped(whole: number): string {
  return String(whole).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
