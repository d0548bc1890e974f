/**
 * The canonical form of an address: what is hashed inside and what a RCPT is looked up by, so both sides must use this one function.
 * One SMTP mailbox without its `smtp:` prefix; the domain in A-labels and lower case; the local part as meant (without quotes), in
 * Unicode NFC, lower case. Exchange compares local parts without regard to case, and so does this.
 */
import { AddressError, type Mailbox, parseMailbox } from '../smtp/index.ts';

/** Address types that are no SMTP: `X400:`, `X500:`, `SIP:`, `EUM:`, `SPO:` … A colon cannot stand in an unquoted local part. */
const typed = /^([a-z0-9-]{1,20}):/i;

/** The canonical form of a mailbox that was parsed already. */
export function canonicalMailbox({ localPart, domain }: Pick<Mailbox, 'localPart' | 'domain'>): string {
  // ASCII is in every form of Unicode as it stands.
  if (/^[\x00-\x7f]*$/.test(localPart)) return `${localPart.toLowerCase()}@${domain}`;
  // Folding may compose anew, so the form is made again behind it.
  return `${localPart.normalize('NFC').toLowerCase().normalize('NFC')}@${domain}`;
}

/** The canonical form of a proxy address or of a plain one; undefined for another type of address and for what is no mailbox. */
export function canonicalAddress(text: string): string | undefined {
  const type = typed.exec(text)?.[1];
  if (type !== undefined && type.toLowerCase() !== 'smtp') return undefined;
  const mailbox = type === undefined ? text : text.slice(type.length + 1);
  try {
    const parsed = parseMailbox(mailbox.trim());
    return parsed.domain === '' || parsed.domain.startsWith('[') ? undefined : canonicalMailbox(parsed);
  } catch (error) {
    // The directory may hold anything: what cannot be an envelope recipient is none.
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

/** What a recipient may be known as, best first: as it stands, and without the part behind a plus (RFC 5233). */
export function lookupForms(canonical: string): readonly string[] {
  const plus = canonical.indexOf('+');
  if (plus <= 0) return [canonical];
  const at = canonical.lastIndexOf('@');
  return plus > at ? [canonical] : [canonical, canonical.slice(0, plus) + canonical.slice(at)];
}
