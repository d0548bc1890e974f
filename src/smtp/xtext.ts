/** Encodings of DSN parameters: xtext (RFC 3461 §4), utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 §3). */

const xtext = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;
/** Controls would break out of the field of a report that repeats the value. */
const controls = /[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u;

/** Encodes UTF-8 octets outside `!`–`~`, and `+` and `=`, as `+XX`. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]+/gu, (run) =>
    Array.from(Buffer.from(run), (octet) => `+${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Decodes; throws RangeError for text that is no xtext or whose octets are no UTF-8 or hold control characters. */
export function decodeXtext(text: string): string {
  if (!xtext.test(text)) throw new RangeError('this is no xtext');
  if (!text.includes('+')) return text;
  // Plain characters are ASCII, so that '%' for '+' makes it a URI component; its decoder is strict about UTF-8.
  const decoded = decodeUri(text.replaceAll('%', '%25').replace(/\+(?=[0-9A-F]{2})/g, '%'));
  if (controls.test(decoded)) throw new RangeError('the xtext hides a control character');
  return decoded;
}

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new RangeError('the xtext is not UTF-8', { cause });
  }
}

/** RFC 6533 §3: `\x{…}`, upper-case hexadecimal, for what an ORCPT may not hold as it is. */
const codePoint = /\\x\{([0-9A-F]{1,6})\}/g;
const utf8Address = /^(?:[!-*,-<>-[\]-~]|[^\0-\x7f]|\\x\{[0-9A-F]{1,6}\})+$/u;

/** Reads the value of ORCPT= into 'type;address', decoded. Throws RangeError. */
export function parseOrcpt(value: string): string {
  const [, type = '', address = ''] = /^([A-Za-z0-9-]+);(.+)$/su.exec(value) ?? [];
  if (type === '') throw new RangeError('ORCPT is not type;address');
  if (type.toLowerCase() !== 'utf-8') return `${type};${decodeXtext(address)}`;
  if (!utf8Address.test(address)) throw new RangeError('this is no address of RFC 6533');
  const decoded = address.replace(codePoint, (_, hex: string) => character(Number.parseInt(hex, 16)));
  if (controls.test(decoded)) throw new RangeError('the address hides a control character');
  return `${type};${decoded}`;
}

function character(code: number): string {
  if (code > 0x10ffff) throw new RangeError(`U+${code.toString(16)} is no character`);
  return String.fromCodePoint(code);
}

/** The value for ORCPT= towards a host; `utf8`: it offered SMTPUTF8 and the transaction uses it. */
export function renderOrcpt(orcpt: string, utf8: boolean): string {
  const [, type = '', address = ''] = /^([^;]*);(.*)$/s.exec(orcpt) ?? [];
  if (type.toLowerCase() !== 'utf-8') return `${type};${encodeXtext(address)}`;
  const escape = utf8 ? /[\0- +=\\\x7f]/gu : /[^!-*,-<>-[\]-~]/gu;
  return `${type};${address.replace(escape, (char) => `\\x{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`)}`;
}
