import { isAscii } from 'node:buffer';
import { HeaderBlock, type HeaderFacts } from '../../mail/index.ts';
import type { ReplacedHead } from '../../queue/index.ts';

/** The header block of one message: as it came, then as header firewall and agents left it, with our trace field in front. */
export class MessageHeader {
  /** Octets as they came. */
  readonly #received: number;
  readonly #fqdn: string;
  #block: HeaderBlock;
  #facts: HeaderFacts;
  /** What goes before it, and behind it, to the sink. */
  #trace = '';
  #separator = '';
  /** Octets with trace field and separator that the sink has. */
  #stored = 0;
  /** It is not what the sink has. */
  #changedLate = false;

  /** `fqdn`: name of this server, for the count of its own Received fields. */
  constructor(octets: Buffer, fqdn: string) {
    this.#received = octets.length;
    this.#fqdn = fqdn;
    this.#block = new HeaderBlock(octets);
    this.#facts = this.#block.facts(fqdn);
    this.#stored = octets.length;
  }

  get octets(): Buffer {
    return this.#block.bytes;
  }

  /** The fields, found once. */
  get block(): HeaderBlock {
    return this.#block;
  }

  get facts(): HeaderFacts {
    return this.#facts;
  }

  /** Undefined: it is as it came. Otherwise whether all of it is ASCII. */
  changed: { readonly isAscii: boolean } | undefined;

  /** Octets that the kept header has more than the received one. */
  get added(): number {
    return this.#stored - this.#received;
  }

  change(octets: Buffer): void {
    this.#block = new HeaderBlock(octets);
    this.#facts = this.#block.facts(this.#fqdn);
    this.changed = { isAscii: isAscii(octets) };
    this.#changedLate = true;
  }

  /**
   * What goes to the sink before the content: the trace field, and the header itself when it was changed. `hasContent`: octets
   * follow, which would become part of our field (RFC 5322 §2.2.3) but for an empty line, where no header came.
   */
  store(trace: string, hasContent: boolean): Buffer {
    this.#trace = trace;
    this.#separator = this.#received === 0 && hasContent ? '\r\n' : '';
    this.#changedLate = false;
    const whole = this.#whole();
    this.#stored = whole.length;
    return this.changed === undefined ? Buffer.from(`${trace}${this.#separator}`) : whole;
  }

  /** It was changed since the sink has it: what replaces it there. */
  replacement(): ReplacedHead | undefined {
    if (!this.#changedLate) return undefined;
    this.#changedLate = false;
    const octets = this.#stored;
    const head = this.#whole();
    this.#stored = head.length;
    return { head, octets };
  }

  #whole(): Buffer {
    return Buffer.concat([Buffer.from(this.#trace), this.octets, Buffer.from(this.#separator)]);
  }
}
