/** Speaks LDAP octet by octet, so that tests can send what no library would. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BerReader } from '../../src/directory/face/ber/ber-reader.ts';
import { boolean, element, enumerated, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { Framer } from '../../src/directory/face/ber/framer.ts';
import type { RawControl } from '../../src/directory/face/ber/request.ts';

/** One response, taken apart as far as tests look. */
export interface RawAnswer {
  readonly id: number;
  /** Tag of the operation. */
  readonly tag: number;
  /** Result code; undefined for entries, references and intermediate responses. */
  readonly code?: number;
  readonly matchedDn?: string;
  readonly message?: string;
  /** Entry: its name. Intermediate and extended: their names. */
  readonly name?: string;
  /** Extended and intermediate responses: their value. */
  readonly value?: Buffer;
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
  readonly controls: ReadonlyMap<string, Buffer>;
}

const answerLimitMs = 60_000;

export class RawClient implements Disposable {
  readonly socket: Socket;
  readonly #framer = new Framer(2 ** 31);
  readonly #answers: RawAnswer[] = [];
  #wake = (): void => undefined;
  #closed = false;
  #next = 1;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#framer.push(data);
      for (let one = this.#framer.next(); one !== undefined; one = this.#framer.next())
        this.#answers.push(answerOf(one));
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async connect(target: number | string): Promise<RawClient> {
    const socket = typeof target === 'number' ? connect(target, '127.0.0.1') : connect(target);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends an operation in its envelope and returns the message ID. */
  send(operation: Buffer, controls: readonly RawControl[] = [], id = this.#next++): number {
    this.socket.write(message(id, operation, controls));
    return id;
  }

  /** The next response, of whichever request; undefined at the end of the connection. */
  async next(): Promise<RawAnswer | undefined> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined || this.#closed) return answer;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no answer')), answerLimitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Everything up to the response that ends this operation. */
  async answers(id: number): Promise<RawAnswer[]> {
    const all: RawAnswer[] = [];
    for (;;) {
      const answer = await this.next();
      assert.ok(answer, 'the connection ended before the answer');
      all.push(answer);
      if (answer.id === id && answer.code !== undefined) return all;
    }
  }

  /** Sends, and returns the response that ends the operation. */
  async ask(operation: Buffer, controls: readonly RawControl[] = []): Promise<RawAnswer> {
    const answers = await this.answers(this.send(operation, controls));
    return answers.at(-1) as RawAnswer;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export function message(id: number, operation: Buffer, controls: readonly RawControl[] = []): Buffer {
  const list = controls.map(({ oid, critical, value }) =>
    sequence(octets(oid), ...(critical ? [boolean(true)] : []), ...(value === undefined ? [] : [octets(value)])),
  );
  return sequence(integer(id), operation, ...(list.length === 0 ? [] : [element(0xa0, ...list)]));
}

export const bindOp = (dn: string, password: string | Buffer, version = 3): Buffer =>
  element(0x60, integer(version), octets(dn), octets(password, 0x80));

export const saslBindOp = (mechanism: string, response?: string): Buffer =>
  element(
    0x60,
    integer(3),
    octets(''),
    element(0xa3, octets(mechanism), ...(response === undefined ? [] : [octets(response)])),
  );

export const present = (attribute: string): Buffer => octets(attribute, 0x87);
export const equality = (attribute: string, value: string | Buffer): Buffer =>
  element(0xa3, octets(attribute), octets(value));

export interface RawSearch {
  readonly base: string;
  readonly scope?: number;
  readonly sizeLimit?: number;
  readonly timeLimit?: number;
  readonly typesOnly?: boolean;
  readonly filter?: Buffer;
  readonly attributes?: readonly string[];
}

export function searchOp({
  base,
  scope = 0,
  sizeLimit = 0,
  timeLimit = 0,
  typesOnly = false,
  filter,
  attributes = [],
}: RawSearch): Buffer {
  return element(
    0x63,
    octets(base),
    enumerated(scope),
    enumerated(0),
    integer(sizeLimit),
    integer(timeLimit),
    boolean(typesOnly),
    filter ?? present('objectClass'),
    sequence(...attributes.map((name) => octets(name))),
  );
}

type Values = Readonly<Record<string, readonly (string | Buffer)[]>>;
const attributeList = (name: string, values: readonly (string | Buffer)[]): Buffer =>
  sequence(octets(name), element(0x31, ...values.map((value) => octets(value))));

export const addOp = (dn: string, values: Values): Buffer =>
  element(0x68, octets(dn), sequence(...Object.entries(values).map(([name, list]) => attributeList(name, list))));

/** Operations: 0 add, 1 delete, 2 replace, 3 increment. */
export const modifyOp = (
  dn: string,
  ...changes: readonly (readonly [number, string, readonly (string | Buffer)[]])[]
): Buffer =>
  element(
    0x66,
    octets(dn),
    sequence(...changes.map(([kind, name, values]) => sequence(enumerated(kind), attributeList(name, values)))),
  );

export const deleteOp = (dn: string): Buffer => octets(dn, 0x4a);

export const modifyDnOp = (dn: string, newRdn: string, deleteOld = true, newSuperior?: string): Buffer =>
  element(
    0x6c,
    octets(dn),
    octets(newRdn),
    boolean(deleteOld),
    ...(newSuperior === undefined ? [] : [octets(newSuperior, 0x80)]),
  );

export const compareOp = (dn: string, attribute: string, value: string | Buffer): Buffer =>
  element(0x6e, octets(dn), sequence(octets(attribute), octets(value)));

export const extendedOp = (name: string, value?: Buffer): Buffer =>
  element(0x77, octets(name, 0x80), ...(value === undefined ? [] : [octets(value, 0x81)]));

export const abandonOp = (id: number): Buffer => integer(id, 0x50);
export const unbindOp: Buffer = Buffer.from([0x42, 0]);

function answerOf(octetsOfOne: Buffer): RawAnswer {
  const whole = new BerReader(octetsOfOne).enter(0x30);
  const id = whole.integer();
  const tag = whole.nextTag;
  const body = whole.enter(tag);
  const controls = new Map<string, Buffer>();
  const list = whole.done ? undefined : whole.enter(0xa0);
  while (list !== undefined && !list.done) {
    const one = list.enter(0x30);
    const oid = one.text() ?? '';
    if (one.nextTag === 0x01) one.skip();
    controls.set(oid, one.done ? Buffer.alloc(0) : one.octets());
  }
  return {
    id,
    tag,
    controls,
    ...(tag === 0x64 ? entryOf(body) : tag === 0x79 ? intermediateOf(body) : resultOf(body)),
  };
}

type Body = Omit<RawAnswer, 'id' | 'tag' | 'controls'>;

export function entryOf(body: BerReader): Body {
  const name = body.text() ?? '';
  const attributes = new Map<string, readonly Buffer[]>();
  const list = body.enter(0x30);
  while (!list.done) {
    const one = list.enter(0x30);
    const type = one.text() ?? '';
    const values: Buffer[] = [];
    const set = one.enter(0x31);
    while (!set.done) values.push(set.octets());
    attributes.set(type, values);
  }
  return { name, attributes };
}

function intermediateOf(body: BerReader): Body {
  return { name: body.text(0x80) ?? '', value: body.octets(0x81), attributes: new Map() };
}

function resultOf(body: BerReader): Body {
  const code = body.enumerated();
  const matchedDn = body.text() ?? '';
  const text = body.text() ?? '';
  if (body.nextTag === 0xa3) body.skip();
  const name = body.nextTag === 0x8a ? body.text(0x8a) : undefined;
  const value = body.nextTag === 0x8b ? body.octets(0x8b) : undefined;
  return {
    code,
    matchedDn,
    message: text,
    attributes: new Map(),
    ...(name !== undefined && { name }),
    ...(value && { value }),
  };
}
