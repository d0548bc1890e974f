/** The header firewall of sending: the content of a message without the fields that the next hop must not get. */
import { crossPremises, HeaderBlock, renameFields, type Screened, screenHeader } from '../../mail/index.ts';
import type { DeliveryItem } from '../../queue/index.ts';
import { type FittedItem, headerOf, withContent } from './fitted-item.ts';

/** All but the Routing class begin so; most messages have none of them, and are passed on as they are. */
const exchangeField = 'x-ms-exchange-';
const hasExchangeField = /x-ms-exchange-/i;

/** What a next hop may get. */
export interface Screening {
  readonly forbiddenFields: readonly string[];
  /** CloudServicesMailEnabled: the other half of a hybrid organization. */
  readonly crossesPremises: boolean;
}

/** The item itself, at once, when nothing has to be taken away: that is nearly always. */
export function screenItem(
  item: DeliveryItem,
  { forbiddenFields: forbidden, crossesPremises }: Screening,
): FittedItem | Promise<FittedItem> {
  if (forbidden.length === 0 && !crossesPremises) return { item, changes: [] };
  const content = item.content();
  if (content === undefined) return screenStream(item, { forbiddenFields: forbidden, crossesPremises });
  const { headerSize } = item.message.facts;
  const screened = screenedHeader(content.subarray(0, headerSize), { forbiddenFields: forbidden, crossesPremises });
  if (screened === undefined) return { item, changes: [] };
  const whole = Buffer.concat([screened.header, content.subarray(headerSize)]);
  const kept = withContent(item, whole.length, () => whole, [whole], { body: item.message.envelope.body });
  return { item: kept, changes: [changeOf(screened.removed)] };
}

/** Where premises are crossed, fields of the organization get the name under which they may: the firewall takes none of them away. */
function screenedHeader(header: Buffer, { forbiddenFields, crossesPremises }: Screening): Screened | undefined {
  const onlyExchange = forbiddenFields.every((name) => name.startsWith(exchangeField));
  if (onlyExchange && !hasExchangeField.test(header.toString('latin1'))) return undefined;
  const block = new HeaderBlock(header);
  if (!crossesPremises) return screenHeader(block, forbiddenFields);
  const renamed = renameFields(block, crossPremises.within.toLowerCase(), crossPremises.outside);
  const screened = screenHeader(new HeaderBlock(renamed), forbiddenFields);
  if (screened !== undefined || renamed.equals(header)) return screened;
  return { header: renamed, removed: [`${crossPremises.within}* (now ${crossPremises.outside}*)`] };
}

const changeOf = (removed: readonly string[]) =>
  ({ change: `header firewall: without ${removed.slice(0, 20).join(', ')}`.slice(0, 500), broken: [] }) as const;

/** Of a large message only the header is held. */
async function screenStream(item: DeliveryItem, screening: Screening): Promise<FittedItem> {
  const { headerSize, size } = item.message.facts;
  const screened = screenedHeader(await headerOf(item), screening);
  if (screened === undefined) return { item, changes: [] };
  const stream = async function* (): AsyncGenerator<Buffer, void> {
    yield screened.header;
    let left = headerSize;
    for await (const chunk of item.stream()) {
      const rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  };
  const shorter = size - headerSize + screened.header.length;
  const content = { [Symbol.asyncIterator]: stream };
  const kept = withContent(item, shorter, () => undefined, content, { body: item.message.envelope.body });
  return { item: kept, changes: [changeOf(screened.removed)] };
}
