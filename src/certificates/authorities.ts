/** Whom certificates of peers may come from. */
import { getCACertificates } from 'node:tls';
import { TrustAnchors } from '../tls/index.ts';
import type { AuthorityEntry } from './store-folder.ts';

/** The system's authorities and those that were imported. */
export function allAnchors(imported: readonly AuthorityEntry[]): TrustAnchors {
  return new TrustAnchors([...systemAuthorities(), ...imported.map(({ pem }) => pem)]);
}

/** Only those named by thumbprint. */
export function anchorsNamed(imported: readonly AuthorityEntry[], thumbprints: readonly string[]): TrustAnchors {
  return new TrustAnchors(imported.flatMap(({ thumbprint, pem }) => (thumbprints.includes(thumbprint) ? [pem] : [])));
}

/** The system's store; a machine without one has what Node brings along. */
function systemAuthorities(): readonly string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('bundled');
}
