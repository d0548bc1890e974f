/** Domains against names and wildcards, as address spaces write them. */

/** How well a pattern fits a domain: 0 not at all; the bigger, the more specific. `*` 1, `*.a.b` more with every label, exact most. */
export function fit(pattern: string, domain: string): number {
  const wanted = pattern.toLowerCase();
  if (wanted === domain) return Number.MAX_SAFE_INTEGER;
  if (wanted === '*') return 1;
  // As in Exchange: *.example.com stands for the domains below example.com, not for example.com itself.
  if (wanted.startsWith('*.') && domain.endsWith(wanted.slice(1)) && domain.length >= wanted.length)
    return wanted.length;
  return 0;
}
