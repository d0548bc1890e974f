/** Logons of send connectors to their smart hosts, on their way from the inside to an edge: sealed to the edge's key. Pure. */
import { createHmac } from 'node:crypto';
import { seal } from '../certificates/index.ts';

/** What a send connector logs on with. */
export interface ConnectorLogon {
  /** Name of the connector. */
  readonly connector: string;
  readonly user: string;
  readonly password: string;
}

/** A logon as it stands in edgeSyncConnectorSecret. */
export interface SealedLogon {
  readonly connector: string;
  readonly user: string;
  /** The password, sealed to the certificate of the edge; base64. */
  readonly sealed: string;
  /** Tells the inside whether this is what it would seal now; nobody without its key learns anything from it. */
  readonly check: string;
}

/** Whom it is sealed for, and the key of the check. */
export interface LogonSeal {
  /** Certificate of the edge, DER in base64. */
  readonly certificate: string;
  /** Base64. */
  readonly recipientKey: string;
}

export function checkOf(
  { connector, user, password }: ConnectorLogon,
  { certificate, recipientKey }: LogonSeal,
): string {
  const text = JSON.stringify(['connector logon', connector, user, password, certificate]);
  return createHmac('sha256', Buffer.from(recipientKey, 'base64')).update(text).digest('base64');
}

export function sealLogon(logon: ConnectorLogon, by: LogonSeal): SealedLogon {
  const { connector, user, password } = logon;
  const sealed = seal(Buffer.from(by.certificate, 'base64'), Buffer.from(password)).toString('base64');
  return { connector, user, sealed, check: checkOf(logon, by) };
}

/** Undefined for what is no logon. */
export function parseSealedLogon(text: string): SealedLogon | undefined {
  if (text.length > longest) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // Written by another program: whoever needs it writes it anew.
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { connector, user, sealed, check } = value as Partial<Record<keyof SealedLogon, unknown>>;
  return [connector, user, sealed, check].every((part) => typeof part === 'string')
    ? (value as SealedLogon)
    : undefined;
}

const longest = 16_384;
