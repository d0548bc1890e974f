/** Where EdgeSync keeps its things in the directory of an edge. */
import { internalServersPath } from '../../config/index.ts';

export interface EdgePlace {
  /** DN of the configuration naming context. */
  readonly configurationDn: string;
  /** DN of the entry of this server. */
  readonly serverDn: string;
  readonly serverName: string;
}

/** Where things lie on the edge: by its name, as every Edge server is laid out. */
export function placeOf({
  name,
  configurationDn,
}: {
  readonly name: string;
  readonly configurationDn: string;
}): EdgePlace {
  const servers = `CN=Servers,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,CN=First Organization,CN=Microsoft Exchange,CN=Services,${configurationDn}`;
  return { configurationDn, serverName: name, serverDn: `CN=${name},${servers}` };
}

export const recipientsDn = 'CN=Recipients,OU=MSExchangeGateway';

export const subscriptionDn = ({ serverDn }: Pick<EdgePlace, 'serverDn'>): string => `CN=EdgeSync,${serverDn}`;
/** Its last change says who holds the lease since when. */
export const leaseDn = (place: Pick<EdgePlace, 'serverDn'>): string => `CN=Lease,${subscriptionDn(place)}`;
/** Its last change is the last successful run. */
export const heartbeatDn = (place: Pick<EdgePlace, 'serverDn'>): string => `CN=Heartbeat,${subscriptionDn(place)}`;
/** Servers of the organization that the inside names, each with the certificate that it proves itself by. */
export const internalServersDn = ({ configurationDn }: Pick<EdgePlace, 'configurationDn'>): string =>
  `${internalServersPath},${configurationDn}`;
/** Send connectors. */
export const connectorsDn = ({ configurationDn }: Pick<EdgePlace, 'configurationDn'>): string =>
  `${connectorsPath},${configurationDn}`;
export const connectorsPath =
  'CN=Connections,CN=Exchange Routing Group (DWBGZMFD01QNBJR),CN=Routing Groups,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,CN=First Organization,CN=Microsoft Exchange,CN=Services';
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
