/** Hashing and checking of passwords, off the main thread. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { LdapError, type Schema } from '../../../ldap/index.ts';
import {
  type Argon2Cost,
  defaultCost,
  formatHash,
  isHashed,
  maxPasswordBytes,
  parseHash,
} from '../../password-hash.ts';
import type { AttributeValues } from '../../store/entries/contract.ts';
import { HashQueue, type HashRequester } from './hash-queue.ts';

export interface PasswordHasher {
  /** Value for userPassword. */
  hash(password: Buffer): Promise<string>;
  /** False also for a stored value of another form: passwords in clear are never taken. Who is not known waits for those who are. */
  verify(stored: string, password: Buffer, requester?: HashRequester): Promise<boolean>;
}

/** Hashes off the main thread, a bounded number at a time. */
export class Argon2Hasher implements PasswordHasher {
  readonly #cost: Argon2Cost;
  readonly #queue = new HashQueue();

  constructor(cost: Argon2Cost = defaultCost) {
    this.#cost = cost;
  }

  async hash(password: Buffer): Promise<string> {
    const { memory, passes } = this.#cost;
    const nonce = randomBytes(16);
    const tag = await this.#derive({ message: password, nonce, memory, passes, parallelism: 1, tagLength: 32 });
    return formatHash(this.#cost, nonce, tag);
  }

  async verify(stored: string, password: Buffer, requester?: HashRequester): Promise<boolean> {
    const hash = parseHash(stored);
    if (hash === undefined) return false;
    const { memory, passes, parallelism, nonce, expected } = hash;
    const tag = await this.#derive(
      { message: password, nonce, memory, passes, parallelism, tagLength: expected.length },
      requester,
    );
    return timingSafeEqual(tag, expected);
  }

  async #derive(parameters: Argon2Parameters, requester?: HashRequester): Promise<Buffer> {
    if ((parameters.message as Buffer).length > maxPasswordBytes)
      throw new LdapError('constraintViolation', `a password has at most ${maxPasswordBytes} octets`);
    return this.#queue.run(requester, () => promisify(argon2)('argon2id', parameters));
  }
}

/**
 * Replaces passwords in clear by their hashes, in what a client wants to write. `takesHash`: values that are hashes already are
 * taken as they are; else they are refused with LdapError constraintViolation.
 */
export async function hashPasswords<A extends AttributeValues>(
  attributes: readonly A[],
  schema: Schema,
  hasher: PasswordHasher,
  takesHash: boolean,
): Promise<A[]> {
  return Promise.all(
    attributes.map(async (one) => {
      if (schema.describe(one.attribute)?.attribute.key !== 'userpassword') return one;
      const values = one.values.map(async (value) => {
        if (!isHashed(value)) return Buffer.from(await hasher.hash(value));
        if (!takesHash) throw new LdapError('constraintViolation', 'a ready-made hash is for administrators to write');
        return value;
      });
      return { ...one, values: await Promise.all(values) };
    }),
  );
}
