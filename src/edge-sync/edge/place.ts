/** Where EdgeSync keeps its things in the directory of an edge. */

export interface EdgePlace {
  /** DN of the configuration naming context. */
  readonly configurationDn: string;
  /** DN of the entry of this server. */
  readonly serverDn: string;
  readonly serverName: string;
}

export const recipientsDn = 'CN=Recipients,OU=MSExchangeGateway';

export const subscriptionDn = ({ serverDn }: Pick<EdgePlace, 'serverDn'>): string => `CN=EdgeSync,${serverDn}`;
/** Its last change says who holds the lease since when. */
export const leaseDn = (place: Pick<EdgePlace, 'serverDn'>): string => `CN=Lease,${subscriptionDn(place)}`;
/** Its last change is the last successful run. */
export const heartbeatDn = (place: Pick<EdgePlace, 'serverDn'>): string => `CN=Heartbeat,${subscriptionDn(place)}`;
export const accountsDn = ({ configurationDn }: Pick<EdgePlace, 'configurationDn'>): string =>
  `CN=Services,${configurationDn}`;
export const roleDn = ({ configurationDn }: Pick<EdgePlace, 'configurationDn'>): string =>
  `CN=EdgeSync,CN=Roles,${configurationDn}`;

/** `ESRA.<edge>.<server>.<n>`; the bootstrap account is `ESRA.<edge>`. */
export interface AccountName {
  readonly edge: string;
  readonly server: string;
  readonly number: number;
}

const accountForm = /^ESRA\.(?<edge>[^.]{1,63})\.(?<server>[^.,=+<>#;"\\]{1,63})\.(?<number>\d{1,6})$/i;

export function parseAccountName(text: string): AccountName | undefined {
  const parts = accountForm.exec(text)?.groups;
  if (parts === undefined) return undefined;
  return { edge: parts['edge'] ?? '', server: parts['server'] ?? '', number: Number(parts['number']) };
}

export const formatAccountName = ({ edge, server, number }: AccountName): string => `ESRA.${edge}.${server}.${number}`;

/** Name of the account in a DN of one; undefined for another entry. */
export function accountOfDn(dn: string): AccountName | undefined {
  return parseAccountName(/^CN=([^,]+),/i.exec(dn)?.[1] ?? '');
}
