/** A tree without its places, and with numbers by value: what two spellings of one meaning have in common. */
export function withoutExtents(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutExtents);
  if (node === null || typeof node !== 'object') return node;
  const fields = Object.entries(node).filter(([key]) => key !== 'extent' && !(key === 'text' && 'value' in node));
  return Object.fromEntries(fields.map(([key, value]) => [key, withoutExtents(value)]));
}
