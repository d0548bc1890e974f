/**
 * Walks through every page in use of an LMDB file before it is mapped: LMDB believes what it reads, and ends the process with a
 * signal where a page is not what it should be. Layout of mdb.c of lmdb-js (64 bit, little-endian): page header of 24 octets
 * (number, transaction, pad, flags, lower, upper), then offsets of nodes; nodes of 8 octets and key and data. Values are not
 * looked into: that is `verify`. Only for a file that nobody writes to.
 */
import { readSync } from 'node:fs';

/** Where a tree begins; absent for an empty one. */
export interface TreeRoot {
  readonly page: number;
  /** The record of a tree within the file's trees, for messages. */
  readonly name: string;
}

const header = 24;
const nodeHeader = 8;
const flag = { branch: 0x01, leaf: 0x02, overflow: 0x04, leaf2: 0x20 } as const;
const nodeFlag = { bigData: 0x01, subTree: 0x02 } as const;
const treeRecord = 48;
const windowBytes = 1024 ** 2;
const noPage = 0xffffffffffffffffn;

/** Thrown inside and caught here. */
class Damage extends Error {}

/** What is wrong, in words; undefined when every page in use can be read. */
export function faultOfPages(
  descriptor: number,
  pageSize: number,
  pages: number,
  roots: readonly TreeRoot[],
): string | undefined {
  const walk = new PageWalk(descriptor, pageSize, pages);
  try {
    for (const { page, name } of roots) walk.tree(page, name);
    return undefined;
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
}

/** Root of the tree that a record of 48 octets describes. */
export function rootOf(record: Buffer, at: number): number | undefined {
  const root = record.readBigUInt64LE(at + 40);
  return root === noPage ? undefined : Number(root);
}

class PageWalk {
  readonly #descriptor: number;
  readonly #pageSize: number;
  readonly #seen: Uint8Array;
  /** Pages read at once, the first of them, and how many there are. */
  readonly #window: Buffer;
  readonly #words: Uint16Array;
  #first = 0;
  #pages = 0;
  /** Where the page that is looked at begins in the window. */
  #at = 0;
  #below: number[] = [];
  #tree = '';

  constructor(descriptor: number, pageSize: number, pages: number) {
    this.#descriptor = descriptor;
    this.#pageSize = pageSize;
    this.#seen = new Uint8Array(pages);
    const octets = new ArrayBuffer(Math.max(pageSize, windowBytes));
    this.#window = Buffer.from(octets);
    this.#words = new Uint16Array(octets);
  }

  /** Level by level and each in the order of the file, so that it is read in large pieces. */
  tree(root: number, name: string): void {
    this.#tree = name;
    for (let level = [root]; level.length > 0; level = this.#below.sort((a, b) => a - b)) {
      this.#below = [];
      for (const page of level) this.#visit(page);
    }
  }

  #visit(page: number): void {
    this.#read(page);
    const flags = this.#word(18);
    if ((flags & flag.leaf2) !== 0) return;
    const kind = flags & (flag.branch | flag.leaf | flag.overflow);
    if (kind !== flag.branch && kind !== flag.leaf) throw this.#damage(page, 'is neither branch nor leaf');
    const room = this.#pageSize - header;
    const [lower, upper] = [this.#word(20), this.#word(22)];
    if (lower > upper || upper > room || lower % 2 !== 0) throw this.#damage(page, 'has no sound header');
    for (let i = 0; i < lower; i += 2) {
      const node = this.#word(header + i);
      if (node < upper || node + nodeHeader > room || node % 2 !== 0) throw this.#damage(page, 'points outside itself');
      if (kind === flag.branch) this.#below.push(this.#window.readUIntLE(this.#at + header + node, 6));
      else this.#leafNode(page, header + node);
    }
  }

  /** 16 bits of the page; everything in a page stands at even places. */
  #word(at: number): number {
    return this.#words[(this.#at + at) >> 1] ?? 0;
  }

  #leafNode(page: number, at: number): void {
    const size = this.#word(at) + this.#word(at + 2) * 0x10000;
    const flags = this.#word(at + 4);
    const data = at + nodeHeader + this.#word(at + 6);
    const big = (flags & nodeFlag.bigData) !== 0;
    if (data + (big ? header : size) > this.#pageSize)
      throw this.#damage(page, 'holds a record that reaches over its end');
    if (big) this.#overflow(page, data, size);
    else if ((flags & nodeFlag.subTree) !== 0) {
      if (size < treeRecord) throw this.#damage(page, 'holds no sound record of a tree');
      const root = rootOf(this.#window, this.#at + data);
      if (root !== undefined) this.#below.push(root);
    }
  }

  /** Pages of a value that is longer than a page; only the first has a header. */
  #overflow(page: number, at: number, size: number): void {
    const first = Number(this.#window.readBigUInt64LE(this.#at + at));
    const count = Math.ceil((header + size) / this.#pageSize);
    if (first + count > this.#seen.length)
      throw this.#damage(page, `needs page ${first + count - 1}, which is not there`);
    const head = Buffer.alloc(header);
    this.#take(first, page);
    readSync(this.#descriptor, head, 0, header, first * this.#pageSize);
    if (Number(head.readBigUInt64LE(0)) !== first || (head.readUInt16LE(18) & flag.overflow) === 0)
      throw this.#damage(first, 'is not the long value that it should be');
  }

  #read(page: number): void {
    this.#take(page, page);
    if (page < this.#first || page >= this.#first + this.#pages) {
      const length = readSync(this.#descriptor, this.#window, 0, this.#window.length, page * this.#pageSize);
      this.#first = page;
      this.#pages = Math.floor(length / this.#pageSize);
    }
    this.#at = (page - this.#first) * this.#pageSize;
    if (this.#pages === 0 || Number(this.#window.readBigUInt64LE(this.#at)) !== page)
      throw this.#damage(page, 'is not the page that it should be');
  }

  #take(page: number, from: number): void {
    if (page >= this.#seen.length) throw this.#damage(from, `leads to page ${page}, which is not there`);
    if (this.#seen[page] === 1) throw this.#damage(page, 'is used twice');
    this.#seen[page] = 1;
  }

  #damage(page: number, what: string): Damage {
    return new Damage(`page ${page} of ${this.#tree} ${what}`);
  }
}
