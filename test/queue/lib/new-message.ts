import type { EnvelopeRecipient } from '../../../src/mail/index.ts';
import type { MessageWriter, NewMessage, StoredMessage } from '../../../src/queue/index.ts';

export interface MessageWish {
  readonly from?: string;
  readonly recipients?: readonly (string | EnvelopeRecipient)[];
  readonly size?: number;
}

/** A message as a receiver hands it over. */
export function newMessage({ from = 'sender@example.org', recipients, size = 0 }: MessageWish = {}): NewMessage {
  const list = (recipients ?? ['a@example.com']).map((recipient) =>
    typeof recipient === 'string'
      ? { address: recipient, domain: recipient.slice(recipient.lastIndexOf('@') + 1) }
      : recipient,
  );
  return {
    envelope: { from, recipients: list, body: '7BIT', smtpUtf8: false },
    origin: { session: 'S1', connector: 'Test', remoteAddress: '192.0.2.9', localAddress: '192.0.2.1', helo: 'client' },
    facts: {
      size,
      headerSize: size,
      leadingDots: false,
      eightBit: false,
      utf8Header: false,
      bareLines: false,
      messageId: '<1@example.org>',
      subject: 'test',
    },
  };
}

/** Every facet of a message that an engine must bring back as it was. */
export const elaborate: NewMessage = {
  envelope: {
    from: 'jürgen@münchen.example',
    recipients: [
      { address: 'a@example.com', domain: 'example.com', notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;A@example.com' },
      { address: '"b c"@xn--mnchen-3ya.example', domain: 'xn--mnchen-3ya.example', notify: ['NEVER'] },
      { address: 'd@example.net', domain: 'example.net', orcpt: 'utf-8;d\u{1F600}@example.net' },
      { address: 'e@example.net', domain: 'example.net' },
    ],
    body: '8BITMIME',
    smtpUtf8: true,
    ret: 'HDRS',
    envid: 'QQ 314159=+',
    tls: 'required',
  },
  origin: {
    session: '0123456789ABCDEF',
    connector: 'Default internal receive connector EDGE1',
    remoteAddress: '2001:db8::1',
    localAddress: '192.0.2.1',
    helo: 'client.example.org',
    tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  },
  facts: {
    size: 12,
    headerSize: 4,
    leadingDots: true,
    eightBit: true,
    utf8Header: true,
    bareLines: true,
    messageId: '<"quoted\u0000"@example.org>',
    subject: 'Grüße, "quoted" \\ \ud800 and a lone surrogate',
  },
};

export const inTwoDays = 172_800_000;

/** Writes and commits at once. */
export async function put(
  target: { begin(): MessageWriter },
  wish: MessageWish = {},
  content = Buffer.from('Subject: test\r\n\r\nHello\r\n'),
  expiresAt = Date.now() + inTwoDays,
): Promise<StoredMessage> {
  const writer = target.begin();
  await writer.write(content);
  return writer.commit(newMessage({ size: content.length, ...wish }), expiresAt);
}

/** The content, however it is kept. */
export async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const list: Buffer[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return Buffer.concat(list);
}
