/** An entry of the directory that does not decode. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly dn: string;
  readonly attribute: string;

  constructor(dn: string, attribute: string, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(`${attribute} of ${dn}: ${reason}`, options);
    this.dn = dn;
    this.attribute = attribute;
  }

  /** What is wrong with the attribute. */
  get reason(): string {
    return this.cause instanceof Error ? this.cause.message : String(this.cause);
  }
}
