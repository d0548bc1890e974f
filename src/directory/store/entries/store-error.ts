/** The store cannot be opened or written; the message says what to do. */
export class StoreError extends Error {
  /** `missing`: nothing there. `damaged`: there, but not whole. `format`: of another version. `locked`: another writer. `io`: a write failed. */
  readonly reason: 'missing' | 'damaged' | 'format' | 'locked' | 'io';

  constructor(reason: StoreError['reason'], message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.reason = reason;
  }
}
