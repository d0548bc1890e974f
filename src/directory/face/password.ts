/** Passwords at rest: argon2id (RFC 9106), kept in userPassword as `{ARGON2}` and the PHC text form. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { LdapError, type Schema } from '../../ldap/index.ts';
import { type AttributeValues } from '../store/contract.ts';

export interface PasswordHasher {
  /** Value for userPassword. */
  hash(password: Buffer): Promise<string>;
  /** False also for a stored value of another form: passwords in clear are never taken. */
  verify(stored: string, password: Buffer): Promise<boolean>;
}

export interface Argon2Cost {
  /** Memory in KiB. */
  readonly memory: number;
  readonly passes: number;
}

/** The second choice of RFC 9106 §4 takes 64 MiB; this is the one OWASP's password storage sheet gives for servers. */
const defaultCost: Argon2Cost = { memory: 19_456, passes: 2 };
const scheme = '{ARGON2}';
const form =
  /^\{ARGON2\}\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
/** Hashes that run at once: they share the runtime's few threads with everything that waits for the disk. */
const maxRunning = 2;
/** Hashes that run or wait; more are refused, so that guessing cannot fill the memory. */
const maxWaiting = 64;
const maxPasswordBytes = 1024;

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
    return `${scheme}$argon2id$v=19$m=${memory},t=${passes},p=1$${base64(nonce)}$${base64(tag)}`;
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

interface Hash extends Argon2Cost {
  readonly parallelism: number;
  readonly nonce: Buffer;
  readonly expected: Buffer;
}

/** Dearest hash that is taken, in KiB and passes: whoever may set a password must not make each bind cost a gigabyte. */
const maxMemory = 256 * 1024;
const maxPasses = 10;

/** Undefined for what is no hash, or one that costs too much. */
function parseHash(stored: string): Hash | undefined {
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

/** Replaces passwords in clear by their hashes, in what a client wants to write. */
export async function hashPasswords<A extends AttributeValues>(
  attributes: readonly A[],
  schema: Schema,
  hasher: PasswordHasher,
): Promise<A[]> {
  return Promise.all(
    attributes.map(async (one) => {
      if (schema.describe(one.attribute)?.attribute.key !== 'userpassword') return one;
      const values = one.values.map(async (value) => (isHashed(value) ? value : Buffer.from(await hasher.hash(value))));
      return { ...one, values: await Promise.all(values) };
    }),
  );
}

const base64 = (octets: Buffer): string => octets.toString('base64').replace(/=+$/, '');
