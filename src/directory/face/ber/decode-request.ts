/** Requests from the wire: RFC 4511 §4.1–4.12. Two steps, so that a request that cannot be served can still be answered. */
import { LdapError } from '../../../ldap/index.ts';
import type { AttributeValues, Modification, SearchScope } from '../../store/entries/contract.ts';
import { BerFault, BerReader, tags } from './ber-reader.ts';
import { decodeFilter, type FilterLimits } from './decode-filter.ts';
import {
  type AddCall,
  type BindCall,
  type Call,
  type CompareCall,
  type ExtendedCall,
  type ModifyCall,
  type ModifyDnCall,
  type RawControl,
  type RequestKind,
  requestTags,
  type SearchCall,
} from './request.ts';

/** A message whose envelope is read: enough to answer it. */
export interface Envelope {
  readonly messageId: number;
  readonly kind: RequestKind;
  readonly controls: readonly RawControl[];
  /** Decodes the operation. Throws BerFault for broken BER, LdapError for a request that is refused. */
  readonly call: () => Call;
  /** Elements that were read so far: each may be an object. */
  readonly elements: () => number;
}

const kinds = new Map<number, RequestKind>(
  Object.entries(requestTags).map(([kind, tag]) => [tag, kind as RequestKind]),
);
const maxControls = 50;
/** RFC 4511 §4.1.1.1: message IDs end at 2^31-1; 0 is for notices of the server. */
const controlsTag = 0xa0;

/** Reads the envelope of one message. Throws BerFault: the connection must end (RFC 4511 §4.1.1). */
export function decodeEnvelope(message: Buffer, limits: FilterLimits): Envelope {
  const reader = new BerReader(message).enter(tags.sequence);
  const messageId = reader.integer();
  if (messageId <= 0) throw new BerFault(`message ID ${messageId}`);
  const tag = reader.nextTag;
  const kind = kinds.get(tag);
  if (kind === undefined) throw new BerFault(`0x${tag.toString(16)} is no request`);
  const body = reader.fork();
  reader.skip();
  const controls = reader.nextTag === controlsTag ? decodeControls(reader.enter(controlsTag)) : [];
  // What follows is of a later version of the protocol and is passed over (RFC 4511 §4).
  return { messageId, kind, controls, call: () => decoders[kind](body, limits), elements: () => body.elements };
}

function decodeControls(reader: BerReader): RawControl[] {
  const controls: RawControl[] = [];
  while (!reader.done) {
    const one = reader.enter(tags.sequence);
    const oid = one.text();
    if (oid === undefined) throw new BerFault('control type is no text');
    const critical = one.nextTag === tags.boolean ? one.boolean() : false;
    const value = one.nextTag === tags.octetString ? one.octets() : undefined;
    one.finish();
    controls.push({ oid, critical, ...(value && { value }) });
    if (controls.length > maxControls) throw new BerFault(`more than ${maxControls} controls`);
  }
  return controls;
}

const decoders: {
  readonly [K in RequestKind]: (reader: BerReader, limits: FilterLimits) => Extract<Call, { kind: K }>;
} = {
  bind: (reader) => decodeBind(reader.enter(requestTags.bind)),
  unbind: (reader) => {
    reader.octets(requestTags.unbind);
    return { kind: 'unbind' };
  },
  search: (reader, limits) => decodeSearch(reader.enter(requestTags.search), limits),
  modify: (reader) => decodeModify(reader.enter(requestTags.modify)),
  add: (reader) => decodeAdd(reader.enter(requestTags.add)),
  delete: (reader) => ({ kind: 'delete', dn: dn(reader.text(requestTags.delete)) }),
  modifyDn: (reader) => decodeModifyDn(reader.enter(requestTags.modifyDn)),
  compare: (reader) => decodeCompare(reader.enter(requestTags.compare)),
  abandon: (reader) => ({ kind: 'abandon', messageId: reader.integer(requestTags.abandon) }),
  extended: (reader) => decodeExtended(reader.enter(requestTags.extended)),
};

function decodeBind(reader: BerReader): BindCall {
  const version = reader.integer();
  const name = dn(reader.text());
  const method = reader.nextTag;
  if (method === 0x80)
    return { kind: 'bind', version, name, credentials: { method: 'simple', password: reader.octets(0x80) } };
  if (method !== 0xa3) {
    reader.skip();
    return { kind: 'bind', version, name, credentials: { method: 'unknown' } };
  }
  const sasl = reader.enter(0xa3);
  const mechanism = plainText(sasl.text(), 'SASL mechanism');
  const response = sasl.done ? undefined : sasl.octets();
  sasl.finish();
  return { kind: 'bind', version, name, credentials: { method: 'sasl', mechanism, ...(response && { response }) } };
}

const scopes: readonly SearchScope[] = ['base', 'one', 'sub', 'subordinate'];
const dereferences = ['never', 'searching', 'finding', 'always'] as const;

function decodeSearch(reader: BerReader, limits: FilterLimits): SearchCall {
  const base = dn(reader.text());
  const scope = scopes[reader.enumerated()];
  const dereference = dereferences[reader.enumerated()];
  const sizeLimit = reader.integer();
  const timeLimit = reader.integer();
  const typesOnly = reader.boolean();
  if (scope === undefined) throw new LdapError('protocolError', 'unknown scope');
  if (dereference === undefined) throw new LdapError('protocolError', 'unknown way to dereference aliases');
  if (sizeLimit < 0 || timeLimit < 0) throw new LdapError('protocolError', 'negative limit');
  const filter = decodeFilter(reader, limits);
  const list = reader.enter(tags.sequence);
  const attributes: string[] = [];
  while (!list.done) attributes.push(plainText(list.text(), 'attribute description'));
  reader.finish();
  return { kind: 'search', base, scope, dereference, sizeLimit, timeLimit, typesOnly, filter, attributes };
}

const modifications = ['add', 'delete', 'replace', 'increment'] as const;

function decodeModify(reader: BerReader): ModifyCall {
  const name = dn(reader.text());
  const changes: Modification[] = [];
  const list = reader.enter(tags.sequence);
  while (!list.done) {
    const one = list.enter(tags.sequence);
    const operation = modifications[one.enumerated()];
    const change = decodeAttribute(one.enter(tags.sequence));
    one.finish();
    if (operation === undefined) throw new LdapError('protocolError', 'unknown kind of modification');
    changes.push({ operation, ...change });
  }
  reader.finish();
  return { kind: 'modify', dn: name, modifications: changes };
}

function decodeAdd(reader: BerReader): AddCall {
  const name = dn(reader.text());
  const attributes: AttributeValues[] = [];
  const list = reader.enter(tags.sequence);
  while (!list.done) {
    const one = decodeAttribute(list.enter(tags.sequence));
    if (one.values.length === 0) throw new LdapError('protocolError', `attribute ${one.attribute} has no value`);
    attributes.push(one);
  }
  reader.finish();
  return { kind: 'add', dn: name, attributes };
}

function decodeAttribute(reader: BerReader): AttributeValues {
  const attribute = plainText(reader.text(), 'attribute description');
  const values: Buffer[] = [];
  const set = reader.enter(tags.set);
  while (!set.done) values.push(set.octets());
  reader.finish();
  return { attribute, values };
}

function decodeModifyDn(reader: BerReader): ModifyDnCall {
  const name = dn(reader.text());
  const newRdn = dn(reader.text());
  const deleteOldRdn = reader.boolean();
  const newSuperior = reader.nextTag === 0x80 ? dn(reader.text(0x80)) : undefined;
  reader.finish();
  return { kind: 'modifyDn', dn: name, newRdn, deleteOldRdn, ...(newSuperior !== undefined && { newSuperior }) };
}

function decodeCompare(reader: BerReader): CompareCall {
  const name = dn(reader.text());
  const assertion = reader.enter(tags.sequence);
  const attribute = plainText(assertion.text(), 'attribute description');
  const value = assertion.octets();
  assertion.finish();
  reader.finish();
  return { kind: 'compare', dn: name, attribute, value };
}

function decodeExtended(reader: BerReader): ExtendedCall {
  const name = plainText(reader.text(0x80), 'request name');
  const value = reader.nextTag === 0x81 ? reader.octets(0x81) : undefined;
  reader.finish();
  return { kind: 'extended', name, ...(value && { value }) };
}

function dn(text: string | undefined): string {
  if (text === undefined) throw new LdapError('invalidDNSyntax', 'name is no UTF-8');
  return text;
}

function plainText(text: string | undefined, what: string): string {
  if (text === undefined) throw new LdapError('protocolError', `${what} is no UTF-8`);
  return text;
}
