/** Requests as they come from the wire, decoded and binary-safe: RFC 4511 §4.2–4.12. Names are still text: only the schema can judge them. */
import type { Filter } from '../../../ldap/index.ts';
import type { AttributeValues, Modification, SearchScope } from '../../store/entries/contract.ts';

/** Tags of the requests (RFC 4511 §4.2–4.12). */
export const requestTags = {
  bind: 0x60,
  unbind: 0x42,
  search: 0x63,
  modify: 0x66,
  add: 0x68,
  delete: 0x4a,
  modifyDn: 0x6c,
  compare: 0x6e,
  abandon: 0x50,
  extended: 0x77,
} as const;

/** StartTLS, RFC 4511 §4.14. */
export const startTlsOid = '1.3.6.1.4.1.1466.20037';

export type RequestKind = keyof typeof requestTags;

/** Kinds of requests that have a response. */
export type AnsweredKind = Exclude<RequestKind, 'unbind' | 'abandon'>;

/** Tags of the responses. Unbind and abandon have none. */
export const responseTags = {
  bind: 0x61,
  entry: 0x64,
  search: 0x65,
  reference: 0x73,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  modifyDn: 0x6d,
  compare: 0x6f,
  extended: 0x78,
  intermediate: 0x79,
} as const;

export interface BindCall {
  readonly kind: 'bind';
  readonly version: number;
  readonly name: string;
  readonly credentials:
    | { readonly method: 'simple'; readonly password: Buffer }
    | { readonly method: 'sasl'; readonly mechanism: string; readonly response?: Buffer }
    | { readonly method: 'unknown' };
}

export interface SearchCall {
  readonly kind: 'search';
  readonly base: string;
  readonly scope: SearchScope;
  readonly dereference: 'never' | 'searching' | 'finding' | 'always';
  /** Entries; 0 is no limit. */
  readonly sizeLimit: number;
  /** Seconds; 0 is no limit. */
  readonly timeLimit: number;
  readonly typesOnly: boolean;
  readonly filter: Filter;
  /** Attribute descriptions, `*`, `+` and `1.1` as sent. */
  readonly attributes: readonly string[];
}

export interface ModifyCall {
  readonly kind: 'modify';
  readonly dn: string;
  readonly modifications: readonly Modification[];
}

export interface AddCall {
  readonly kind: 'add';
  readonly dn: string;
  readonly attributes: readonly AttributeValues[];
}

export interface DeleteCall {
  readonly kind: 'delete';
  readonly dn: string;
}

export interface ModifyDnCall {
  readonly kind: 'modifyDn';
  readonly dn: string;
  readonly newRdn: string;
  readonly deleteOldRdn: boolean;
  readonly newSuperior?: string;
}

export interface CompareCall {
  readonly kind: 'compare';
  readonly dn: string;
  readonly attribute: string;
  readonly value: Buffer;
}

export interface AbandonCall {
  readonly kind: 'abandon';
  readonly messageId: number;
}

export interface UnbindCall {
  readonly kind: 'unbind';
}

export interface ExtendedCall {
  readonly kind: 'extended';
  readonly name: string;
  readonly value?: Buffer;
}

export type Call =
  | BindCall
  | SearchCall
  | ModifyCall
  | AddCall
  | DeleteCall
  | ModifyDnCall
  | CompareCall
  | AbandonCall
  | UnbindCall
  | ExtendedCall;

/** A control as sent: RFC 4511 §4.1.11. */
export interface RawControl {
  readonly oid: string;
  readonly critical: boolean;
  readonly value?: Buffer;
}
