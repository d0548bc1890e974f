/** Messages of ldapts where its own ones lose octets or end too early. */
import { type BerReader, type BerWriter, CompareRequest, Control, Filter, SearchFilter } from 'ldapts';
import type { Filter as FilterValue } from '../../ldap/index.ts';
import { type EncodedFilter, encodeFilter } from './encode-filter.ts';

/** A filter of ours in a request of ldapts. */
export class WireFilter extends Filter {
  readonly type = SearchFilter.present;
  readonly #encoded: EncodedFilter;

  constructor(filter: FilterValue) {
    super();
    this.#encoded = encodeFilter(filter);
  }

  override write(writer: BerWriter): void {
    writer.writeBuffer(this.#encoded.contents, this.#encoded.tag);
  }

  override toString(): string {
    return '(filter)';
  }
}

/** Compare with octets. */
export class OctetCompareRequest extends CompareRequest {
  readonly #octets: Buffer;

  constructor(messageId: number, dn: string, attribute: string, octets: Buffer) {
    super({ messageId, dn, attribute, value: '' });
    this.#octets = octets;
  }

  override writeMessage(writer: BerWriter): void {
    writer.writeString(this.dn);
    writer.startSequence();
    writer.writeString(this.attribute);
    writer.writeBuffer(this.#octets, 0x04);
    writer.endSequence();
  }
}

/** A control given and answered as octets. The answer is put into the instance that was sent. */
export class OctetControl extends Control {
  /** Value of the response control; undefined when there was none. */
  response: Buffer | undefined;
  readonly #value: Buffer | undefined;

  constructor(
    oid: string,
    value?: Buffer,
    { critical = true, responseType = oid }: { critical?: boolean; responseType?: string } = {},
  ) {
    super(oid, { critical, responseType });
    this.#value = value;
  }

  protected override writeControl(writer: BerWriter): void {
    if (this.#value !== undefined) writer.writeBuffer(this.#value, 0x04);
  }

  protected override parseControl(reader: BerReader): void {
    this.response = Buffer.from(reader.remainingBuffer);
  }
}
