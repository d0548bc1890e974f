/** The encodings of `[System.Text.Encoding]` and of -Encoding. */
export interface Encoding {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

function node(name: 'utf8' | 'utf16le' | 'latin1' | 'ascii'): Encoding {
  return {
    encode: (text) => new Uint8Array(Buffer.from(name === 'ascii' ? text.replace(/[^\x00-\x7F]/g, '?') : text, name)),
    decode: (bytes) =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        .toString(name)
        .replace(/^\uFEFF/, ''),
  };
}

export const encodings = {
  UTF8: node('utf8'),
  ASCII: node('ascii'),
  Unicode: node('utf16le'),
  Default: node('latin1'),
} satisfies Record<string, Encoding>;

/** An encoding by name, without regard to case; undefined for names that this shell has not. */
export function findEncoding(name: string): Encoding | undefined {
  const folded = name.toLowerCase();
  return Object.entries(encodings).find(([own]) => own.toLowerCase() === folded)?.[1];
}
