/**
 * The state of EdgeSync inside: settings, one file for each subscription with its keys, and the mirror. A folder of mode 0700,
 * files of mode 0600: it holds the credential of the source and the private keys of the accounts.
 */

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../base/index.ts';
import { fileReason } from '../../base/text/index.ts';
import type { EdgeSyncLevel } from '../../logs/index.ts';
import { ownAccountName } from '../../processes/accounts/index.ts';
import type { ConnectorLogon } from '../connector-logon.ts';
import type { MappingSettings } from '../recipient-mapping.ts';
import type { Credential } from './credential.ts';
import type { ServiceConfig } from './service-config.ts';

/** A domain that the edge accepts mail for, where the source has no configuration of Exchange. */
export interface DomainSetting {
  readonly name: string;
  readonly type: 'Authoritative' | 'InternalRelay' | 'ExternalRelay';
}

export interface SyncSettings {
  /** Short name of this server: part of the names of its accounts. */
  readonly server: string;
  readonly source: {
    readonly url: string;
    /** Servers of other domains of the forest, read by the same account; absent: none. */
    readonly also?: readonly string[];
    readonly base: string;
    readonly bindDn: string;
    /** Path of the file with the password; read at each run, so that a new password needs nothing else. */
    readonly passwordFile: string;
    /** Path of a PEM file with the authorities of the source; '' for those of the system. */
    readonly caFile: string;
  };
  readonly mapping: MappingSettings;
  readonly domains: readonly DomainSetting[];
  /** Lists of the transport settings; absent: those of the edges stay as they are. */
  readonly lists?: {
    /** Addresses and ranges. */
    readonly internalSmtpServers: readonly string[];
    readonly tlsSendDomains: readonly string[];
    readonly tlsReceiveDomains: readonly string[];
  };
  /** Servers of the organization by their full names, each with its certificate, DER in base64; absent: none was named. */
  readonly internalServers?: readonly { readonly name: string; readonly certificate: string }[];
  /** Hosts that the edge sends the mail of the organization to. */
  readonly smartHosts: readonly string[];
  /** Seconds. */
  readonly configurationInterval: number;
  readonly recipientInterval: number;
  /** Of the EdgeSync log, where nothing was said for a site. */
  readonly logLevel?: EdgeSyncLevel;
  /** What an administrator said for single sites. */
  readonly services?: readonly ServiceConfig[];
}

/** A server of the organization that edges know by its keys. */
export interface OwnServer {
  /** Full name. */
  readonly name: string;
  /** DER in base64; several while a certificate changes, or of several key algorithms. */
  readonly certificates: readonly string[];
}

/** One edge. */
export interface Subscription {
  readonly name: string;
  readonly fqdn: string;
  /** Host that is connected to; the FQDN unless something else was said. */
  readonly address: string;
  readonly port: number;
  readonly site: string;
  /** DN of the configuration of the edge. */
  readonly configurationDn: string;
  /** Digests of keys that the edge is known by. */
  readonly pins: readonly string[];
  /** Certificate of the edge, DER in base64: secrets are sealed to it. */
  readonly certificate: string;
  /** Key of the address hashes, base64. */
  readonly recipientKey: string;
  /** SHA-256 of that key as it was sealed for the edge: another one there means another inside. */
  readonly sealed?: string;
  readonly credential: Credential;
  readonly next?: Credential;
  /** SHA-256 of the subscription file. */
  readonly file: string;
  /** The edge has made our account. */
  readonly established: boolean;
  readonly createInternetSendConnector: boolean;
  readonly createInboundSendConnector: boolean;
  /** What of the source this edge gets and how; absent: as the settings say. */
  readonly mapping?: MappingSettings;
  /** Why it is not synchronised now; absent: it is. */
  readonly paused?: string;
  /** Milliseconds since 1970, and how the last run went. */
  readonly lastSuccess?: number;
  readonly lastFailure?: { readonly at: number; readonly reason: string };
}

/** The state is not there, is in use, or cannot be read; says what to do. */
export class SyncStateError extends Error {
  override readonly name = 'SyncStateError';
}

export class InsideState {
  readonly folder: string;
  /** Settles when the last that took a turn has done. */
  #turns = Promise.resolve();

  constructor(folder: string) {
    this.folder = folder;
  }

  get mirrorFolder(): string {
    return join(this.folder, 'mirror');
  }

  /** A directory to read is named. */
  get hasSource(): boolean {
    return existsSync(this.#settingsPath);
  }

  get #settingsPath(): string {
    return join(this.folder, 'settings.json');
  }

  /** Throws SyncStateError. */
  get settings(): SyncSettings {
    const path = this.#settingsPath;
    if (!this.hasSource) {
      const place = dirname(this.folder);
      throw new SyncStateError(
        `EdgeSync has no directory to read yet in ${place}. Name yours by a line such as: edge sync init --state ${place} --source ldaps://dc1.corp.example --ca corp-ca.pem --bind-dn sync@corp.example --password-file FILE --domain corp.example --smart-host '[10.0.0.5]' (an ordinary account of the domain is enough; edge sync init --help explains each option). Then repeat this.`,
      );
    }
    return readJson<SyncSettings>(path);
  }

  async saveSettings(settings: SyncSettings): Promise<void> {
    this.#prepare();
    await replaceFile(this.#settingsPath, `${JSON.stringify(settings, undefined, 2)}\n`);
  }

  /** The password of the source. Throws SyncStateError. */
  get password(): string {
    const { passwordFile } = this.settings.source;
    if (passwordFile === '') return '';
    return readAtEachRun(passwordFile, 'the password of the source').replace(/\r?\n$/, '');
  }

  /** PEM text of the authorities of the source; '': those of the system. Throws SyncStateError. */
  get sourceAuthorities(): string {
    const { caFile } = this.settings.source;
    return caFile === '' ? '' : readAtEachRun(caFile, 'the authorities of the source');
  }

  /** When `edge sync run` looks again, in milliseconds since 1970; undefined: it does not run. */
  get nextRun(): number | undefined {
    const path = this.#nextRunPath;
    if (!existsSync(path)) return undefined;
    const { pid, at } = readJson<{ readonly pid: number; readonly at: number }>(path);
    return existsSync(`/proc/${pid}`) ? at : undefined;
  }

  async noteNextRun(at: number | undefined): Promise<void> {
    if (at === undefined) rmSync(this.#nextRunPath, { force: true });
    else await replaceFile(this.#nextRunPath, `${JSON.stringify({ pid: process.pid, at })}\n`);
  }

  /** Until when the leases of this server hold, by edge, as far as is known here; those that were given back are not among them. */
  get leases(): Readonly<Record<string, number>> {
    const path = this.#leasesPath;
    return existsSync(path) ? readJson<Record<string, number>>(path) : {};
  }

  async noteLease(edge: string, until: number | undefined): Promise<void> {
    const { [edge]: _, ...others } = this.leases;
    const leases = until === undefined ? others : { ...others, [edge]: until };
    await replaceFile(this.#leasesPath, `${JSON.stringify(leases)}\n`);
  }

  get #leasesPath(): string {
    return join(this.folder, 'leases.json');
  }

  get #nextRunPath(): string {
    return join(this.folder, 'next-run.json');
  }

  /** This server with its own certificates, as the appliance that it is noted them; undefined: it is none. */
  get ownServer(): OwnServer | undefined {
    return existsSync(this.#ownServerPath) ? readJson<OwnServer>(this.#ownServerPath) : undefined;
  }

  async noteOwnServer(server: OwnServer): Promise<void> {
    if (JSON.stringify(this.ownServer) === JSON.stringify(server)) return;
    this.#prepare();
    await replaceFile(this.#ownServerPath, `${JSON.stringify(server)}\n`);
  }

  get #ownServerPath(): string {
    return join(this.folder, 'own-server.json');
  }

  /** Logons of send connectors that an administrator gave here. */
  get logons(): readonly ConnectorLogon[] {
    const path = join(this.folder, 'logons.json');
    return existsSync(path) ? readJson<readonly ConnectorLogon[]>(path) : [];
  }

  /** Puts a logon in the place of the one that the connector had; undefined: it has none any more. */
  async saveLogon(connector: string, logon: Omit<ConnectorLogon, 'connector'> | undefined): Promise<void> {
    this.#prepare();
    const others = this.logons.filter((one) => one.connector.toLowerCase() !== connector.toLowerCase());
    const all = logon === undefined ? others : [...others, { connector, ...logon }];
    await replaceFile(join(this.folder, 'logons.json'), `${JSON.stringify(all, undefined, 2)}\n`);
  }

  /** By name. One that was begun is among them when the edge has none that is in force. */
  get subscriptions(): readonly Subscription[] {
    const established = this.#in('edges');
    const names = new Set(established.map(({ name }) => name.toLowerCase()));
    const begun = this.begun.filter(({ name }) => !names.has(name.toLowerCase()));
    return [...established, ...begun].sort((one, two) => (one.name < two.name ? -1 : 1));
  }

  /** Every mapping that recipients are made by, that of the settings first. */
  get mappings(): readonly MappingSettings[] {
    return [this.settings.mapping, ...this.subscriptions.flatMap(({ mapping }) => mapping ?? [])];
  }

  /** Subscriptions that were begun and not ended, and in whose place the one before is still in force. */
  get begun(): readonly Subscription[] {
    return this.#in('begun');
  }

  #in(kind: 'edges' | 'begun'): Subscription[] {
    const folder = join(this.folder, kind);
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => readJson<Subscription>(join(folder, name)));
  }

  /** Throws SyncStateError for a name that is not subscribed. */
  subscription(name: string): Subscription {
    const found = this.subscriptions.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const names = this.subscriptions.map((one) => one.name).join(', ');
    throw new SyncStateError(`no edge '${name}' is subscribed${names === '' ? '' : `; subscribed are ${names}`}`);
  }

  /** The edges of these names, or all that are established. Throws SyncStateError for a name that is not subscribed, and for none. */
  chosen(only: string | readonly string[] | undefined): readonly Subscription[] {
    if (only !== undefined) return [only].flat().map((name) => this.subscription(name));
    const all = this.subscriptions.filter(({ established }) => established);
    if (all.length === 0)
      throw new SyncStateError(
        "no edge is subscribed yet. On the edge, New-EdgeSubscription -FileName FILE makes the file; carry it here, then: edge sync subscribe FILE --site NAME (on a Mailbox server also New-EdgeSubscription -FileData ([System.IO.File]::ReadAllBytes('FILE')) -Site NAME)",
      );
    return all;
  }

  async save(subscription: Subscription): Promise<void> {
    this.#prepare();
    const text = `${JSON.stringify(subscription, undefined, 2)}\n`;
    const { name, established } = subscription;
    // One that is only begun leaves the one before in force: the file may be no good.
    await replaceFile(this.#pathOf(established ? 'edges' : 'begun', name), text);
    if (established) rmSync(this.#pathOf('begun', name), { force: true });
  }

  remove(name: string): void {
    for (const kind of ['edges', 'begun'] as const) rmSync(this.#pathOf(kind, name), { force: true });
  }

  /** What was begun with a file that is no good. */
  forgetBegun(name: string): void {
    rmSync(this.#pathOf('begun', name), { force: true });
  }

  #pathOf(kind: 'edges' | 'begun', name: string): string {
    return join(this.folder, kind, `${name}.json`);
  }

  #prepare(): void {
    for (const kind of ['edges', 'begun']) mkdirSync(join(this.folder, kind), { recursive: true, mode: 0o700 });
    chmodSync(this.folder, 0o700);
  }

  /** As `lock`, behind all that this process does on the state already. */
  async turn(): Promise<Disposable> {
    const before = this.#turns;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns = promise;
    await before;
    try {
      const lock = this.lock();
      return {
        [Symbol.dispose]: () => {
          lock[Symbol.dispose]();
          resolve();
        },
      };
    } catch (error) {
      resolve();
      throw error;
    }
  }

  /** For one process at a time. Throws SyncStateError that says who has it. */
  lock(): Disposable {
    this.#prepare();
    const path = join(this.folder, 'lock');
    for (let tries = 0; ; tries++) {
      try {
        writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
        return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 2) throw error;
      }
      const holder = Number(readFileSync(path, 'utf8').trim());
      if (holder !== process.pid && existsSync(`/proc/${holder}`)) {
        throw new SyncStateError(`${this.folder} is in use by process ${holder}`);
      }
      rmSync(path, { force: true });
    }
  }
}

function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    throw new SyncStateError(`${path} cannot be read: ${fileReason(error)}`);
  }
}

function readAtEachRun(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const who =
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? `; the account ${ownAccountName()}, which owns the state, reads it at each run`
        : '';
    throw new SyncStateError(`${what} (${path}) cannot be read: ${fileReason(error)}${who}`);
  }
}
