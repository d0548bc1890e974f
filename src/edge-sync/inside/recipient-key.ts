/** The key of the address hashes of one subscription: it hashes here, is sealed for the edge, and shows whose the edge is. */
import { hash } from 'node:crypto';
import { seal } from '../../certificates/index.ts';
import { LdapError } from '../../ldap/index.ts';
import { RecipientHasher } from '../recipient-hash.ts';
import type { Subscription } from './inside-state.ts';

export const hasherOf = ({ recipientKey }: Pick<Subscription, 'recipientKey'>): RecipientHasher =>
  new RecipientHasher(Buffer.from(recipientKey, 'base64'));

/** The key as only the edge can open it. */
export interface SealedKey {
  readonly octets: Buffer;
  /** SHA-256 of the octets, in hex: sealed again, it is another one. */
  readonly digest: string;
}

export function sealedKeyOf({
  certificate,
  recipientKey,
}: Pick<Subscription, 'certificate' | 'recipientKey'>): SealedKey {
  const octets = seal(Buffer.from(certificate, 'base64'), Buffer.from(recipientKey, 'base64'));
  return { octets, digest: hash('sha256', octets, 'hex') };
}

/** Throws LdapError when the edge has the key of another inside: what is written here would be accepted by nobody. */
export async function expectOwnKey(
  { name, sealed }: Pick<Subscription, 'name' | 'sealed'>,
  edge: { sealedKeyDigest(): Promise<string> },
): Promise<void> {
  if (sealed === undefined || (await edge.sealedKeyDigest()) === sealed) return;
  throw new LdapError(
    'unwillingToPerform',
    `${name} was subscribed by another server since, with a key of its own: here edge sync unsubscribe ${name}, or subscribe it anew with a new file`,
  );
}
