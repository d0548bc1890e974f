/** Text of other scripts in header fields: RFC 2047. */
import { printable } from '../base/index.ts';

const encodedWord = /=\?([!-~]{1,40}?)(?:\*[^?]*)?\?([bq])\?([!->@-~]*)\?=/gi;

/** Decodes the encoded words of a value; what does not decode stays as it is. The result is printable. */
export function decodeWords(value: string): string {
  if (!value.includes('=?')) return printable(value);
  // §6.2: white space between two encoded words is no text.
  const joined = value.replace(/(\?=)[ \t]+(?==\?)/g, '$1');
  return printable(
    joined.replace(
      encodedWord,
      (word, charset: string, encoding: string, text: string) => decode(charset, encoding, text) ?? word,
    ),
  );
}

function decode(charset: string, encoding: string, text: string): string | undefined {
  const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : fromQ(text);
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    // A charset that nobody knows: show the word itself.
    return undefined;
  }
}

function fromQ(text: string): Buffer {
  const binary = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(binary, 'latin1');
}

/** RFC 2047 §2: a word is at most 75 octets; 45 octets of text are 60 of base64, and 12 more stand around them. */
const octetsPerWord = 45;

/** Makes a value of an unstructured field ASCII. Plain text comes back unchanged; encoded words are joined by folds. */
export function encodeWords(text: string): string {
  const clean = printable(text);
  if (/^[ -~]*$/.test(clean) && !clean.includes('=?')) return clean;
  const words: string[] = [];
  let word = '';
  for (const character of clean) {
    if (Buffer.byteLength(word + character) > octetsPerWord) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  words.push(word);
  return words.map((one) => `=?utf-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}
