/** Messages to a remote domain in the form that it asks for: character sets, width of lines, transfer encoding, alternatives. */
import type { DeliveryItem } from '../../queue/index.ts';
import { type FittedItem, headerOf, rewrittenItem } from './fitted-item.ts';
import type { ContentForm } from './remote-domain-form.ts';

/** The item in that form. The code of it is loaded by who first needs it. Octets of BINARYMIME stay what they are. */
export async function formItem(item: DeliveryItem, form: ContentForm): Promise<FittedItem> {
  const { envelope, facts } = item.message;
  const kept = { body: envelope.body, headerSize: facts.headerSize };
  if (envelope.body === 'BINARYMIME') return { item, changes: [] };
  const { ContentFormWriter } = await import('./content-form.ts');
  const formed = await rewrittenItem(item, () => new ContentFormWriter(form), kept);
  const content = formed.content();
  if (content !== undefined && item.content()?.equals(content) === true) return { item, changes: [] };
  return { item: formed, changes: [{ change: 'form of the remote domain', broken: await signaturesOf(item) }] };
}

/** Signatures that changed content breaks. */
async function signaturesOf(item: DeliveryItem): Promise<string[]> {
  const header = (await headerOf(item)).toString('latin1');
  return /^dkim-signature[ \t]*:/im.test(header) ? ['DKIM-Signature'] : [];
}
