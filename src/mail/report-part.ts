/** One part of a report. */
export interface Part {
  readonly type: string;
  readonly encoding: '7bit' | '8bit' | 'base64';
  readonly body: Buffer;
}

/** With its header, without the delimiter. */
export function rendered({ type, encoding, body }: Part): Buffer {
  const fields = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return Buffer.concat([Buffer.from(fields), body, Buffer.from('\r\n')]);
}
