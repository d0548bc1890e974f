/** Why a text is no mailbox or domain; `message` says it in words. */
export class AddressError extends RangeError {
  override readonly name = 'AddressError';
}
