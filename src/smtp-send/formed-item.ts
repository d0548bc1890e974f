/** Messages to a remote domain in the form that it asks for: character sets, width of lines, transfer encoding, alternatives. */
import type { DeliveryItem } from '../queue/index.ts';
import { type FittedItem, withContent } from './fitted-item.ts';
import type { ContentForm } from './remote-domain-form.ts';

/** The item in that form. The code of it is loaded by who first needs it. Octets of BINARYMIME stay what they are. */
export async function formItem(item: DeliveryItem, form: ContentForm): Promise<FittedItem> {
  const { envelope, facts } = item.message;
  const kept = { body: envelope.body, headerSize: facts.headerSize };
  if (envelope.body === 'BINARYMIME') return { item, changes: [] };
  const { ContentFormWriter } = await import('./content-form.ts');
  const chunks = (): Iterable<Buffer> | AsyncIterable<Buffer> => {
    const content = item.content();
    return content === undefined ? item.stream() : [content];
  };
  const formed = async function* (): AsyncGenerator<Buffer, void> {
    const writer = new ContentFormWriter(form);
    for await (const chunk of chunks()) yield writer.push(chunk);
    yield writer.end();
  };
  const change = { change: 'form of the remote domain', broken: await signaturesOf(item, chunks()) };
  const whole = item.content();
  if (whole !== undefined) {
    const content = Buffer.concat(await Array.fromAsync(formed()));
    if (content.equals(whole)) return { item, changes: [] };
    return { item: withContent(item, content.length, () => content, [content], kept), changes: [change] };
  }
  // SIZE must be true (RFC 1870 §6.1).
  let size = 0;
  for await (const chunk of formed()) size += chunk.length;
  const stream = { [Symbol.asyncIterator]: formed };
  return { item: withContent(item, size, () => undefined, stream, kept), changes: [change] };
}

/** Signatures that changed content breaks. */
async function signaturesOf(item: DeliveryItem, chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<string[]> {
  for await (const chunk of chunks) {
    const header = chunk.toString('latin1', 0, item.message.facts.headerSize);
    return /^dkim-signature[ \t]*:/im.test(header) ? ['DKIM-Signature'] : [];
  }
  return [];
}
