import { principalName, wellKnownSids } from '../../config/index.ts';

/**
 * Who a session is: a value apart from the connector it came in by. Its rights are those that the connector's access control
 * entries give to any of the SIDs. An authenticated user, a partner and a server by direct trust are other values of this type.
 */
export interface Principal {
  /** As logs show it. */
  readonly name: string;
  /** [MS-DTYP] 2.4.2; never empty. */
  readonly sids: readonly string[];
}

/** An entry in words, with the names that the session knows: a SID tells an administrator nothing. */
export function inNamesOf({ name, sids }: Principal, entry: string): string {
  return entry.replace(/\bS-1-[\d-]+/, (sid) => (sid === sids[0] ? name : `${sid}, a group of ${name}`));
}

/** A session before it authenticates ([MS-DTYP] 2.4.2.4). */
export const anonymous: Principal = {
  name: principalName(wellKnownSids.anonymous),
  sids: [wellKnownSids.anonymous],
};

const serversOfOrganization: ReadonlySet<string> = new Set([
  wellKnownSids.hub,
  wellKnownSids.edge,
  wellKnownSids.externallySecured,
  wellKnownSids.legacy,
]);

/** A server of the organization, which is served longest when resources run short. */
export function isExchangeServer({ sids }: Principal): boolean {
  return sids.some((sid) => serversOfOrganization.has(sid));
}

/** A peer that is trusted by its address: AuthMechanism ExternalAuthoritative. */
export const externallySecured: Principal = {
  name: principalName(wellKnownSids.externallySecured),
  sids: [wellKnownSids.externallySecured],
};

/** A client that showed the certificate which the connector, or its domain's entry in the secure list, asks for. */
export const partner: Principal = {
  name: principalName(wellKnownSids.partner),
  sids: [wellKnownSids.partner, wellKnownSids.anonymous],
};

/** A server of the organization that proved itself by its key: direct trust. */
export function internalServer(name: string): Principal {
  return { name, sids: [wellKnownSids.hub] };
}

/** No other way than direct trust makes a session one of the inside. */
export function isInternalServer({ sids }: Principal): boolean {
  return sids.includes(wellKnownSids.hub);
}
