/** PKCS#12 files for Export-ExchangeCertificate (RFC 7292): the key sealed by OpenSSL, everything sealed by a MAC. */
import { createHmac, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import type { KeyMaterial } from './key-material.ts';
import { printKeyDer } from './key-sealing.ts';

const { asn1 } = forge;
const { Class, Type } = asn1;
type Node = forge.asn1.Asn1;

const oids = {
  data: '1.2.840.113549.1.7.1',
  certBag: '1.2.840.113549.1.12.10.1.3',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

/** Of the key derivation of the MAC: what OpenSSL 3 writes. */
const iterations = 2048;

/** Key, chain and friendly name under one password. Certificates are public and stand in clear, the key does not. */
export function writePfx({ key, chain, friendlyName }: KeyMaterial, password: string): Buffer {
  const id = randomBytes(20);
  const attributes = [
    attribute(oids.localKeyId, octets(id)),
    ...(friendlyName === '' ? [] : [attribute(oids.friendlyName, bmp(friendlyName))]),
  ];
  const keyBag = bag(oids.shroudedKeyBag, parsed(printKeyDer(key, password)), attributes);
  const certBags = chain.map(({ raw }, i) =>
    bag(oids.certBag, sequence(oid(oids.x509Certificate), explicit(octets(raw))), i === 0 ? attributes : []),
  );
  const content = der(sequence(dataOf(sequence(...certBags)), dataOf(sequence(keyBag))));
  const version = asn1.create(Class.UNIVERSAL, Type.INTEGER, false, '\x03');
  return der(sequence(version, sequence(oid(oids.data), explicit(octets(content))), macOf(content, password)));
}

/** RFC 7292 §5.1: the MAC's key comes from the password in UTF-16 by the derivation of appendix B. */
function macOf(content: Buffer, password: string): Node {
  const salt = randomBytes(8);
  const derived = forge.pkcs12.generateKey(
    password,
    forge.util.createBuffer(salt.toString('latin1')),
    3,
    iterations,
    32,
    forge.md.sha256.create(),
  );
  const mac = createHmac('sha256', Buffer.from(derived.getBytes(), 'latin1')).update(content).digest();
  const algorithm = sequence(oid(oids.sha256), asn1.create(Class.UNIVERSAL, Type.NULL, false, ''));
  const rounds = asn1.create(Class.UNIVERSAL, Type.INTEGER, false, asn1.integerToDer(iterations).getBytes());
  return sequence(sequence(algorithm, octets(mac)), octets(salt), rounds);
}

function dataOf(safe: Node): Node {
  return sequence(oid(oids.data), explicit(octets(der(safe))));
}

function bag(type: string, value: Node, attributes: readonly Node[]): Node {
  const set = attributes.length === 0 ? [] : [asn1.create(Class.UNIVERSAL, Type.SET, true, [...attributes])];
  return sequence(oid(type), explicit(value), ...set);
}

function attribute(type: string, value: Node): Node {
  return sequence(oid(type), asn1.create(Class.UNIVERSAL, Type.SET, true, [value]));
}

function bmp(text: string): Node {
  return asn1.create(Class.UNIVERSAL, Type.BMPSTRING, false, text);
}

function octets(value: Buffer): Node {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, value.toString('latin1'));
}

function oid(value: string): Node {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(value).getBytes());
}

function sequence(...nodes: Node[]): Node {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, nodes);
}

function explicit(node: Node): Node {
  return asn1.create(Class.CONTEXT_SPECIFIC, 0, true, [node]);
}

function parsed(value: Buffer): Node {
  return asn1.fromDer(forge.util.createBuffer(value.toString('latin1')));
}

function der(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}
