/** What an operation carries: attributes with their values, and changes to them. */

/** Attribute description with its values, as in an add or an LDIF content record. */
export interface AttributeValues {
  readonly attribute: string;
  readonly values: readonly Buffer[];
}

/** One change of a modify operation; `increment` is RFC 4525. */
export interface Modification extends AttributeValues {
  readonly operation: 'add' | 'delete' | 'replace' | 'increment';
}
