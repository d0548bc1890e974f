/** Attribute descriptions: a type and its options, RFC 4512 §2.5. */

export interface AttributeDescription {
  /** Descriptor or OID, as written. */
  readonly type: string;
  /** Options in lower case, sorted, without repetition. */
  readonly options: readonly string[];
}

const pattern = /^(?:[A-Za-z][A-Za-z0-9-]*|(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+)(?:;[A-Za-z0-9-]+)*$/;

/** Reads an attribute description; undefined for text of another form. */
export function parseAttributeDescription(text: string): AttributeDescription | undefined {
  if (text.length > 512 || !pattern.test(text)) return undefined;
  if (!text.includes(';')) return { type: text, options: [] };
  const [type = '', ...options] = text.split(';');
  return { type, options: [...new Set(options.map((option) => option.toLowerCase()))].sort() };
}
