/** The header firewall of receiving: the fields that a session may not bring. Pure. */
import type { Right } from '../../config/index.ts';
import { type HeaderClass, headerClasses } from '../../mail/index.ts';

/** Beginnings and names of the fields that a session may not bring. */
export function forbiddenFields(granted: { has(right: Right): boolean }): readonly string[] {
  return (Object.keys(headerClasses) as HeaderClass[]).flatMap((one) =>
    granted.has(`ms-Exch-Accept-Headers-${one}`) ? [] : headerClasses[one],
  );
}
