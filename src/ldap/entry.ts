/** One entry of the directory as every room sees it. Attribute names are compared without case. */
export interface Entry {
  /** Distinguished name as stored (case kept). */
  readonly dn: string;
  /** Names of the attributes that have values, in their stored spelling. */
  readonly attributes: readonly string[];
  /** Values as text (UTF-8); none for an absent attribute. */
  values(attribute: string): readonly string[];
  /** Values as octets; none for an absent attribute. */
  buffers(attribute: string): readonly Buffer[];
}
