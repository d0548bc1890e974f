/** Passwords at rest: argon2id (RFC 9106), kept in userPassword as `{ARGON2}` and the PHC text form. */
import { argon2Sync, randomBytes } from 'node:crypto';
import { LdapError, type Schema } from '../ldap/index.ts';
import type { Operation } from './store/entries/contract.ts';

export interface Argon2Cost {
  /** Memory in KiB. */
  readonly memory: number;
  readonly passes: number;
}

/** The second choice of RFC 9106 §4 takes 64 MiB; this is the one OWASP's password storage sheet gives for servers. */
export const defaultCost: Argon2Cost = { memory: 19_456, passes: 2 };
const scheme = '{ARGON2}';
const form =
  /^\{ARGON2\}\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
/** Longest password, in octets. */
export const maxPasswordBytes = 1024;

/** Value for userPassword. */
export function formatHash({ memory, passes }: Argon2Cost, nonce: Buffer, tag: Buffer): string {
  return `${scheme}$argon2id$v=19$m=${memory},t=${passes},p=1$${base64(nonce)}$${base64(tag)}`;
}

export interface Hash extends Argon2Cost {
  readonly parallelism: number;
  readonly nonce: Buffer;
  readonly expected: Buffer;
}

/** Dearest hash that is taken, in KiB and passes: whoever may set a password must not make each bind cost a gigabyte. */
const maxMemory = 256 * 1024;
const maxPasses = 10;

/** Undefined for what is no hash, or one that costs too much. */
export function parseHash(stored: string): Hash | undefined {
  const parts = form.exec(stored);
  if (parts === null) return undefined;
  const [memory = 0, passes = 0, parallelism = 0] = parts.slice(1, 4).map(Number);
  if (memory > maxMemory || memory < 8 * parallelism) return undefined;
  if (passes < 1 || passes > maxPasses || parallelism < 1) return undefined;
  const [nonce, expected] = parts.slice(4, 6).map((part) => Buffer.from(part, 'base64'));
  return nonce === undefined || expected === undefined ? undefined : { memory, passes, parallelism, nonce, expected };
}

/** True for a value that is a hash already, such as one that comes from an export. */
export function isHashed(value: Buffer): boolean {
  return parseHash(value.toString('latin1')) !== undefined;
}

/**
 * The operation with passwords in clear replaced by their hashes. Works at once, some 30 ms for each: an import runs within one
 * transaction, that waits for nothing. Throws LdapError for a password that is too long.
 */
export function withHashedPasswords(operation: Operation, schema: Schema): Operation {
  const hashed = <P extends { readonly attribute: string; readonly values: readonly Buffer[] }>(part: P): P => {
    if (schema.describe(part.attribute)?.attribute.key !== 'userpassword') return part;
    return { ...part, values: part.values.map((value) => (isHashed(value) ? value : Buffer.from(hashNow(value)))) };
  };
  if (operation.kind === 'add') return { ...operation, attributes: operation.attributes.map(hashed) };
  return operation.kind === 'modify' ? { ...operation, modifications: operation.modifications.map(hashed) } : operation;
}

function hashNow(password: Buffer): string {
  if (password.length > maxPasswordBytes)
    throw new LdapError('constraintViolation', `a password has at most ${maxPasswordBytes} octets`);
  const nonce = randomBytes(16);
  const cost = { ...defaultCost, parallelism: 1, tagLength: 32 };
  return formatHash(defaultCost, nonce, argon2Sync('argon2id', { message: password, nonce, ...cost }));
}

const base64 = (octets: Buffer): string => octets.toString('base64').replace(/=+$/, '');
