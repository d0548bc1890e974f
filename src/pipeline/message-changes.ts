/** Changes that agents make to a message, as values, and what they do. Pure. */
import { type Envelope, type EnvelopeRecipient, HeaderBlock, insertFields, removeFields } from '../mail/index.ts';

/** One change of the header block. Names in any case. */
export type HeaderChange =
  /** A field on top of the header, below the trace field of this server. `value`: encoded and folded as it is to stand there. */
  | { readonly kind: 'add'; readonly name: string; readonly value: string }
  /** Every field of that name. */
  | { readonly kind: 'remove'; readonly name: string };

/** One change of the recipients. An address that is not there is no fault. */
export type RecipientChange =
  | { readonly kind: 'add'; readonly recipient: EnvelopeRecipient }
  | { readonly kind: 'remove'; readonly address: string }
  | { readonly kind: 'replace'; readonly address: string; readonly by: EnvelopeRecipient };

/** In the order in which they are made. */
export interface RecipientChanges {
  readonly recipients?: readonly RecipientChange[];
}

export interface MessageChanges extends RecipientChanges {
  readonly header?: readonly HeaderChange[];
}

/** RFC 5322 §3.6.8. */
const fieldName = /^[!-9;-~]+$/;

/** The header block after the changes. Throws RangeError for a field that would not be one field. */
export function changeHeader(header: Buffer, changes: readonly HeaderChange[]): Buffer {
  return changes.reduce((bytes, change) => {
    if (change.kind === 'add') {
      if (!fieldName.test(change.name)) throw new RangeError(`'${change.name}' is no field name`);
      return insertFields([`${change.name}: ${change.value}\r\n`], bytes);
    }
    const wanted = change.name.toLowerCase();
    return removeFields(new HeaderBlock(bytes), (name) => name === wanted);
  }, header);
}

/** The recipients after the changes; each address stands once. */
export function changeRecipients(
  recipients: readonly EnvelopeRecipient[],
  changes: readonly RecipientChange[],
): readonly EnvelopeRecipient[] {
  let list = [...recipients];
  for (const change of changes) {
    if (change.kind === 'add') list.push(change.recipient);
    else if (change.kind === 'remove') list = list.filter(({ address }) => address !== change.address);
    else list = list.map((one) => (one.address === change.address ? change.by : one));
  }
  return [...new Map(list.toReversed().map((one) => [one.address, one])).values()].toReversed();
}

/** The arguments of an event about a whole message after the changes. */
export function changedMessage<Args extends { readonly envelope: Envelope; readonly header: Buffer }>(
  args: Args,
  { header = [], recipients = [] }: MessageChanges,
): Args {
  const envelope = { ...args.envelope, recipients: changeRecipients(args.envelope.recipients, recipients) };
  return { ...args, envelope, header: changeHeader(args.header, header) };
}

/** The changes in words, for the decisions: 'adds X-Loop', 'removes <a@example.com>'. */
export function describeChanges({ header = [], recipients = [] }: MessageChanges): readonly string[] {
  const ofHeader = header.map(({ kind, name }) => `${kind}s the field ${name}`);
  const ofRecipients = recipients.map((change) => {
    if (change.kind === 'add') return `adds the recipient <${change.recipient.address}>`;
    if (change.kind === 'remove') return `removes the recipient <${change.address}>`;
    return `replaces the recipient <${change.address}> by <${change.by.address}>`;
  });
  return [...ofHeader, ...ofRecipients];
}
