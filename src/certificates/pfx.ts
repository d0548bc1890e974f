/** PKCS#12 files (RFC 7292), read by node-forge; keys that it does not know (EC) are handed to node:crypto as they are. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { CertificateError } from './certificate-error.ts';
import { attempt, chainFor, type KeyMaterial } from './key-material.ts';

/** Key, and chain in order. Throws CertificateError. */
export function readPfx(pfx: Buffer, password: string): Pick<KeyMaterial, 'key' | 'chain' | 'friendlyName'> {
  const bags = attempt('the PFX does not open: wrong password, or damaged', () => openBags(pfx, password));
  const keys = bags.map(keyOf).filter((key) => key !== undefined);
  const certificates = bags.map(certificateOf).filter((one) => one !== undefined);
  const [key] = keys;
  if (key === undefined) throw new CertificateError('the PFX has no private key');
  const names = bags.flatMap((bag) => friendlyNames(bag.attributes));
  return { key, chain: chainFor(key, certificates), friendlyName: names[0] ?? '' };
}

function openBags(pfx: Buffer, password: string): forge.pkcs12.Bag[] {
  const tree = forge.asn1.fromDer(forge.util.createBuffer(pfx.toString('latin1')));
  const open = (spelled: string): forge.pkcs12.Bag[] =>
    forge.pkcs12.pkcs12FromAsn1(tree, spelled).safeContents.flatMap((safe) => safe.safeBags);
  try {
    return open(password);
  } catch (error) {
    if (/^[ -~]*$/.test(password) || !Array.isArray(tree.value)) throw error;
    // RFC 7292 §B.1 spells the password in UTF-16 for the MAC, PBES2 in UTF-8 for the contents; forge knows one spelling
    // for both. So the MAC is left out: contents that decrypt to keys and certificates prove the password as well.
    tree.value.splice(2);
    return open(forge.util.encodeUtf8(password));
  }
}

function keyOf(bag: forge.pkcs12.Bag): KeyObject | undefined {
  const { keyBag, pkcs8ShroudedKeyBag } = forge.pki.oids;
  if (bag.type !== keyBag && bag.type !== pkcs8ShroudedKeyBag) return undefined;
  const plain = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
  return attempt('the private key of the PFX does not read', () =>
    createPrivateKey({ key: derOf(plain), format: 'der', type: 'pkcs8' }),
  );
}

function certificateOf(bag: forge.pkcs12.Bag): X509Certificate | undefined {
  if (bag.type !== forge.pki.oids['certBag']) return undefined;
  const tree = bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1;
  return attempt('a certificate of the PFX does not read', () => new X509Certificate(derOf(tree)));
}

function derOf(tree: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(tree).getBytes(), 'latin1');
}

function friendlyNames(attributes: unknown): string[] {
  if (typeof attributes !== 'object' || attributes === null || !('friendlyName' in attributes)) return [];
  const names: unknown = attributes.friendlyName;
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
