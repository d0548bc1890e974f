/** What a list links. */
interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/** Items in order, linked through themselves. An item is in one list at most. */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  push(item: T): void {
    item.previous = this.#last;
    item.next = undefined;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
  }

  unshift(item: T): void {
    item.previous = undefined;
    item.next = this.#first;
    if (this.#first === undefined) this.#last = item;
    else this.#first.previous = item;
    this.#first = item;
    this.#size += 1;
  }

  remove(item: T): void {
    if (item.previous === undefined) this.#first = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.#last = item.previous;
    else item.next.previous = item.previous;
    item.previous = undefined;
    item.next = undefined;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Generator<T, void> {
    for (let item = this.#first; item !== undefined; ) {
      // The reader may take the item out.
      const { next } = item;
      yield item;
      item = next;
    }
  }
}
