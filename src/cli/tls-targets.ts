/** What a person names to `edge tls test`: domains, hosts, files of them, and receive connectors of a state. */

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { nearestNameHint } from '../base/index.ts';
import { fileReason } from '../base/text/index.ts';
import { type Protocol, parseTarget, type Target } from '../compliance/index.ts';
import { certificateNameDifference, parseTlsCertificateName, readCertificate } from '../tls/index.ts';
import type { CommandParts, ConnectorPlaces, Terminal } from './parts.ts';

export interface TargetOptions {
  readonly targets: readonly string[];
  readonly smtp?: boolean;
  readonly lmtp?: boolean;
  readonly smtps?: boolean;
  readonly ldap?: boolean;
  readonly tls?: boolean;
  /** Every target is the name of a receive connector. */
  readonly connector: boolean;
  readonly state: string;
}

/** Targets that were found. Disposing closes the sockets of connectors. */
export interface FoundTargets extends AsyncDisposable {
  /** One by one: a file of them is read line by line, however long it is. */
  each(done: ReadonlySet<string>): AsyncIterable<Target>;
}

/** Throws RangeError that says what a target is not. */
export async function findTargets(
  options: TargetOptions,
  open: CommandParts['connectors'],
  terminal: Terminal,
): Promise<FoundTargets> {
  const protocol = protocolOf(options);
  const names = options.targets.filter((text) => isConnector(text, options, protocol));
  for (const text of options.targets) {
    if (names.includes(text)) continue;
    // A bad line is told before anything is tested, not after an hour.
    if (isFile(text)) await proveFile(text, protocol);
    else parseTarget(text, protocol);
  }
  const places = names.length === 0 ? undefined : await openPlaces(names, options, open);
  try {
    const connectors = new Map<string, Target>();
    for (const name of names) if (places !== undefined) connectors.set(name, await targetAt(name, places, terminal));
    return {
      each: (done) => targetsOf(options.targets, connectors, protocol, done),
      [Symbol.asyncDispose]: async () => places?.[Symbol.asyncDispose](),
    };
  } catch (error) {
    await places?.[Symbol.asyncDispose]();
    throw error;
  }
}

function protocolOf({ smtp, lmtp, smtps, ldap, tls }: TargetOptions): Protocol | undefined {
  if (lmtp === true) return 'lmtp';
  if (smtps === true) return 'smtps';
  if (ldap === true) return 'ldap';
  if (tls === true) return 'tls';
  return smtp === true ? 'smtp' : undefined;
}

/** What no domain, host or connector is called: there is no such top-level domain. */
const looksLikeFile = (text: string): boolean => /\/|\.(txt|csv|lst|json|conf)$/i.test(text);

const isFile = (text: string): boolean => existsSync(text) && statSync(text).isFile();

/** What cannot be a host or a domain with MX records is a connector: 'From the Internet', 'Internet'. */
function isConnector(text: string, { connector }: TargetOptions, protocol: Protocol | undefined): boolean {
  if (connector) return true;
  if (isFile(text)) return false;
  if (looksLikeFile(text)) throw new RangeError(`there is no file '${text}'`);
  if (protocol !== undefined) return false;
  try {
    const target = parseTarget(text);
    return target.kind === 'domain' && !target.domain.includes('.') && target.domain !== 'localhost';
  } catch (error) {
    // A mistyped port is no name.
    if (error instanceof RangeError) return !text.includes(':');
    throw error;
  }
}

/** Throws RangeError. */
async function proveFile(path: string, protocol: Protocol | undefined): Promise<void> {
  let some = false;
  try {
    for await (const _ of targetsIn(path, protocol)) some = true;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new RangeError(`${path} cannot be read: ${fileReason(error)}`, { cause: error });
  }
  if (!some) throw new RangeError(`${path} names no target`);
}

async function openPlaces(
  names: readonly string[],
  { connector, state }: TargetOptions,
  open: CommandParts['connectors'],
): Promise<ConnectorPlaces> {
  try {
    return await open(state);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = whyNot(error);
    const what = connector ? '' : ' is no domain, host, host:port or [address]:port, and as a receive connector it';
    throw new RangeError(`'${names[0] ?? ''}'${what} cannot be looked up in ${state}: ${reason}`, { cause: error });
  }
}

/** Why a state cannot be opened: `reason` is a StoreError's. */
function whyNot({ code, reason, message }: NodeJS.ErrnoException & { readonly reason?: string }): string {
  if (code === 'EACCES') return 'you may not open it: run the command as root or as the account that owns it';
  return reason === 'missing' ? 'there is no state of an appliance (--state names another)' : message;
}

async function targetAt(name: string, places: ConnectorPlaces, terminal: Terminal): Promise<Target> {
  const place = await places.place(name);
  if (place === undefined) throw new RangeError(unknown(name, places));
  const { host, address, port, temporary, tlsCertificateName, withoutCertificate } = place;
  if (temporary !== undefined)
    terminal.error(
      `edge: '${place.name}' is tested on a temporary socket with its settings and certificates: ${temporary}\n`,
    );
  if (withoutCertificate !== undefined)
    terminal.error(
      `edge: '${place.name}' has no certificate to show (${withoutCertificate}): the first start makes one, or import one with Import-ExchangeCertificate\n`,
    );
  const wanted = tlsCertificateName === undefined ? undefined : parseTlsCertificateName(tlsCertificateName);
  return {
    kind: 'endpoint',
    asked: name.trim(),
    endpoint: { host, address, port, protocol: 'smtp' },
    connector: place.name,
    demanded:
      wanted === undefined ? undefined : (der) => certificateNameDifference(readCertificate(der), wanted) ?? 'met',
  };
}

function unknown(name: string, { names, sendConnectors }: ConnectorPlaces): string {
  if (sendConnectors.some((one) => one.toLowerCase() === name.trim().toLowerCase()))
    return `'${name}' is a send connector: edge tls trap start shows what it still delivers to`;
  const listed = names.map((one) => `'${one}'`).join(', ') || 'none';
  return `'${name}' is no domain, host, host:port or [address]:port, and no receive connector.${nearestNameHint(name, names)} There are: ${listed}`;
}

async function* targetsOf(
  texts: readonly string[],
  connectors: ReadonlyMap<string, Target>,
  protocol: Protocol | undefined,
  done: ReadonlySet<string>,
): AsyncGenerator<Target> {
  for (const text of texts) {
    const connector = connectors.get(text);
    if (connector !== undefined || !isFile(text)) {
      if (!done.has(text.trim())) yield connector ?? parseTarget(text, protocol);
      continue;
    }
    for await (const target of targetsIn(text, protocol)) if (!done.has(target.asked)) yield target;
  }
}

/** Throws RangeError that names the line. */
async function* targetsIn(path: string, protocol: Protocol | undefined): AsyncGenerator<Target> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  for await (const line of lines) {
    number++;
    const text = line.replace(/#.*$/, '').trim();
    if (text === '') continue;
    let target: Target;
    try {
      target = parseTarget(text, protocol);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`${path}:${number}: ${error.message}`, { cause: error });
    }
    yield target;
  }
}
