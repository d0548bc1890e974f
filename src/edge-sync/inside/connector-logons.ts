/** Which logons an edge is to have for its send connectors, and the write that brings them there. */
import { credentialPurpose, sendConnector } from '../../config/index.ts';
import { type ConnectorLogon, checkOf, parseSealedLogon, sealLogon } from '../connector-logon.ts';
import { placeOf, subscriptionDn } from '../edge/place.ts';
import type { ConfigurationChange, ConfigurationObject } from './configuration.ts';
import type { Subscription } from './inside-state.ts';

export interface LogonParts {
  /** Opens a password that this machine sealed; throws for any other. Absent: connectors of the source bring none. */
  readonly unseal?: (sealed: string, purpose: string) => string;
  readonly progress: (text: string) => void;
}

/** What was given here for a connector goes before what the source has for it. */
export function connectorLogons(
  objects: readonly ConfigurationObject[],
  given: readonly ConnectorLogon[],
  { unseal, progress }: LogonParts,
): ConnectorLogon[] {
  const logons: ConnectorLogon[] = [];
  for (const { kind, name, source } of objects) {
    if (kind !== 'sendConnector') continue;
    const own = given.find(({ connector }) => connector.toLowerCase() === name.toLowerCase());
    const logon = own === undefined ? opened(source?.logon, unseal) : own;
    if (logon === 'sealed elsewhere')
      progress(
        `the logon of '${name}' was not sealed on this machine: edge sync logon '${name}' --user … --password-file …`,
      );
    else if (logon !== undefined) logons.push({ connector: name, user: logon.user, password: logon.password });
  }
  return logons;
}

function opened(
  text: string | undefined,
  unseal: LogonParts['unseal'],
): Omit<ConnectorLogon, 'connector'> | 'sealed elsewhere' | undefined {
  if (text === undefined) return undefined;
  try {
    const kept = syntax.read([text]);
    if (kept === null || unseal === undefined) return 'sealed elsewhere';
    return { user: kept.userName, password: unseal(kept.sealed, credentialPurpose(kept)) };
  } catch {
    return 'sealed elsewhere'; // By another machine, or in Exchange's own way.
  }
}

const { syntax } = sendConnector.properties.authenticationCredential;

/** Undefined when the edge has what it is to have. */
export function logonChange(
  logons: readonly ConnectorLogon[],
  present: readonly string[],
  subscription: Subscription,
): ConfigurationChange | undefined {
  const known = new Map(present.map((text) => [parseSealedLogon(text)?.check ?? '', text] as const));
  const values = logons.map(
    (logon) => known.get(checkOf(logon, subscription)) ?? JSON.stringify(sealLogon(logon, subscription)),
  );
  if (values.length === present.length && values.every((value) => present.includes(value))) return undefined;
  const list = values.map((value) => Buffer.from(value));
  return {
    kind: 'modify',
    dn: subscriptionDn(placeOf(subscription)),
    modifications: [{ operation: 'replace', attribute: 'edgeSyncConnectorSecret', values: list }],
  };
}
