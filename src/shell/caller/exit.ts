/** `exit` or `exit 3` alone on a line, with the status if it names one; undefined for any other text. */
export function exitOf(text: string): { readonly status: number | undefined } | undefined {
  const found = /^\s*(?:exit|quit)(?:\s+(\d{1,3}))?\s*;?\s*$/i.exec(text);
  return found === null ? undefined : { status: found[1] === undefined ? undefined : Number(found[1]) & 0xff };
}
