/** Hashing and checking of passwords, off the main thread. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { LdapError, type Schema } from '../../../ldap/index.ts';
import {
  type Argon2Cost,
  defaultCost,
  formatHash,
  isHashed,
  maxPasswordBytes,
  parseHash,
} from '../../password-hash.ts';
import type { AttributeValues } from '../../store/contract.ts';

export interface PasswordHasher {
  /** Value for userPassword. */
  hash(password: Buffer): Promise<string>;
  /** False also for a stored value of another form: passwords in clear are never taken. */
  verify(stored: string, password: Buffer): Promise<boolean>;
}

/** Hashes that run at once: they share the runtime's few threads with everything that waits for the disk. */
const maxRunning = 2;
/** Hashes that run or wait; more are refused, so that guessing cannot fill the memory. */
const maxWaiting = 64;

/** Hashes off the main thread, a bounded number at a time. */
export class Argon2Hasher implements PasswordHasher {
  readonly #cost: Argon2Cost;
  #waiting = 0;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(cost: Argon2Cost = defaultCost) {
    this.#cost = cost;
  }

  async hash(password: Buffer): Promise<string> {
    const { memory, passes } = this.#cost;
    const nonce = randomBytes(16);
    const tag = await this.#derive({ message: password, nonce, memory, passes, parallelism: 1, tagLength: 32 });
    return formatHash(this.#cost, nonce, tag);
  }

  async verify(stored: string, password: Buffer): Promise<boolean> {
    const hash = parseHash(stored);
    if (hash === undefined) return false;
    const { memory, passes, parallelism, nonce, expected } = hash;
    const tag = await this.#derive({
      message: password,
      nonce,
      memory,
      passes,
      parallelism,
      tagLength: expected.length,
    });
    return timingSafeEqual(tag, expected);
  }

  #derive(parameters: Argon2Parameters): Promise<Buffer> {
    if ((parameters.message as Buffer).length > maxPasswordBytes) {
      return Promise.reject(new LdapError('constraintViolation', `a password has at most ${maxPasswordBytes} octets`));
    }
    if (this.#waiting >= maxWaiting)
      return Promise.reject(new LdapError('busy', 'too many passwords are being checked'));
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      this.#queue.push(() =>
        argon2('argon2id', parameters, (error, tag) => {
          this.#waiting -= 1;
          this.#running -= 1;
          this.#next();
          if (error === null) resolve(tag);
          else reject(error);
        }),
      );
      this.#next();
    });
  }

  #next(): void {
    if (this.#running >= maxRunning) return;
    const run = this.#queue.shift();
    if (run === undefined) return;
    this.#running += 1;
    run();
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
