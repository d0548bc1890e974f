/**
 * Numbers that every worker of an appliance sees. Each worker has a file that it alone writes, and reads those of the others: a
 * few octets from the system's cache, without asking anybody. What a worker that was killed had written is forgotten when it
 * comes back, or when somebody would be refused for it before.
 */
import { hash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Places in a file. Two names share one by chance only: once in 262,144. */
const cells = 2 ** 18;
/** Numbers of 32 bits in a place. */
const numbersInCell = 4;
const cellBytes = numbersInCell * 4;

/** The numbers of all workers under names. */
export interface SharedNumbers {
  /** Where the numbers of a name stand. */
  placeOf(name: string): number;
  /** Writes what this worker has to say there: at most four whole numbers below 2^32. */
  write(place: number, ...numbers: number[]): void;
  /** What each of the other workers has written there: always four numbers, 0 where nothing was written. Good until it is asked again. */
  others(place: number): readonly Uint32Array[];
  /** Forgets what workers have written that do not run any more. */
  forgetDead?(): void;
}

/** A worker that is alone. */
export const unshared: SharedNumbers = { placeOf: () => 0, write() {}, others: () => [] };

/** Shared by files in a folder that only the account of the workers may enter. */
export class NumberFiles implements SharedNumbers, Disposable {
  readonly #own: number;
  readonly #others: readonly { readonly file: number; readonly cell: Uint32Array }[];
  /** A stranger who chooses addresses must not choose the place of somebody else's. */
  readonly #secret: string;
  readonly #cell = new Uint32Array(numbersInCell);
  readonly #cells: readonly Uint32Array[];

  private constructor(own: number, others: readonly number[], secret: string) {
    this.#own = own;
    // One for each file and for good: octets outside the heap are costly to get for each connection.
    this.#others = others.map((file) => ({ file, cell: new Uint32Array(numbersInCell) }));
    this.#cells = this.#others.map(({ cell }) => cell);
    this.#secret = secret;
  }

  /** `index`: this worker, of so many. Throws the system's error. */
  static open(folder: string, index: number, workers: number): NumberFiles {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const open = (worker: number): number => openSync(join(folder, `worker-${worker}`), flags, 0o600);
    const own = open(index);
    clear(own);
    sign(own);
    const others = Array.from({ length: workers }, (_, worker) => worker).filter((worker) => worker !== index);
    return new NumberFiles(own, others.map(open), secretOf(folder, index));
  }

  placeOf(name: string): number {
    return Number.parseInt(hash('sha256', this.#secret + name, 'hex').slice(0, 8), 16) % cells;
  }

  write(place: number, ...numbers: number[]): void {
    this.#cell.fill(0);
    this.#cell.set(numbers);
    writeSync(this.#own, this.#cell, 0, cellBytes, place * cellBytes);
  }

  others(place: number): readonly Uint32Array[] {
    // Nothing is there for the moment in which a worker empties its file.
    for (const { file, cell } of this.#others)
      if (readSync(file, cell, 0, cellBytes, place * cellBytes) < cellBytes) cell.fill(0);
    return this.#cells;
  }

  forgetDead(): void {
    for (const { file } of this.#others) if (!isAlive(writerOf(file))) clear(file);
  }

  /** An orderly end leaves nothing behind. */
  [Symbol.dispose](): void {
    clear(this.#own);
    for (const file of [this.#own, ...this.#others.map((other) => other.file)]) closeSync(file);
  }
}

/** Behind the places: which process writes the file. */
const signatureAt = cells * cellBytes;
const signatureBytes = 64;

function clear(file: number): void {
  ftruncateSync(file, 0);
  ftruncateSync(file, cells * cellBytes);
}

function sign(file: number): void {
  writeSync(
    file,
    Buffer.from(`${process.pid} ${startOf(process.pid)}`.padEnd(signatureBytes)),
    0,
    signatureBytes,
    signatureAt,
  );
}

/** Process id and when it began; '' for a file that nobody has signed. */
function writerOf(file: number): string {
  const octets = Buffer.alloc(signatureBytes);
  return octets.toString('latin1', 0, readSync(file, octets, 0, signatureBytes, signatureAt)).trim();
}

/** Who cannot be told apart from a running process counts as one. */
function isAlive(writer: string): boolean {
  const [pid = '', began = ''] = writer.split(' ');
  return pid === '' || startOf(Number(pid)) === began;
}

/** proc(5): field 22 of stat, behind a name that may hold anything; '' when there is no such process. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

/** The same for all workers: the first one makes it. */
function secretOf(folder: string, index: number): string {
  const path = join(folder, 'secret');
  const draft = `${path}.${index}`;
  writeFileSync(draft, randomBytes(16).toString('hex'), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    // Another worker was first, now or at an earlier start.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  rmSync(draft);
  return readFileSync(path, 'utf8');
}
