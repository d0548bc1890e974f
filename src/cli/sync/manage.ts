/** `edge sync init`, `subscribe`, `rekey`, `unsubscribe`, `undo`, `resume`. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { onFile, printableJson } from '../../base/text/index.ts';
import { type EdgeSync, type SyncSettings, SyncStateError } from '../../edge-sync/index.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { InitOptions, LogonOptions, SyncOptions } from './options.ts';
import { onSync } from './session.ts';

const previewCount = 10;

export function init(options: InitOptions, terminal: Terminal): Promise<number> {
  const work = async (edgeSync: EdgeSync, settings: SyncSettings): Promise<number> => {
    await edgeSync.state.saveSettings(settings);
    const { profile, source, notes, parts = [] } = await edgeSync.openSource();
    const bases = parts.length === 0 ? [profile.base] : parts.map((part) => part.profile.base);
    const shown = await edgeSync.sample(previewCount);
    if (options.json) {
      const { kind, name, base, exchangeSchema } = profile;
      terminal.out(
        `${printableJson({ kind, name, base, exchangeSchema, way: source.way, notes, recipients: shown })}\n`,
      );
      return exitStatus.done;
    }
    terminal.out(
      `${profile.name} at ${options.source}, ${bases.join(' and ')}; changes by ${source.way}${profile.exchangeSchema ? '; Exchange schema' : ''}\n`,
    );
    for (const note of notes) terminal.out(`note: ${note}\n`);
    if (settings.domains.length === 0 && !profile.exchangeSchema)
      terminal.out(
        'note: no accepted domain is named (--domain): an edge takes mail for those alone that it has itself\n',
      );
    for (const { dn, addresses, excluded } of shown) {
      terminal.out(`  ${dn}: ${excluded ?? addresses.join(', ')}\n`);
    }
    if (shown.length === 0)
      terminal.out('no recipient was found: look at --base, --address and the rights of the account\n');
    return exitStatus.done;
  };
  return onSync('init', options, terminal, work, { given: () => settingsOf(options) });
}

function settingsOf(options: InitOptions): SyncSettings {
  const server = options.server ?? (hostname().split('.')[0] ?? hostname()).toUpperCase();
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(server))
    throw new SyncStateError(`'${server}' is no name for a server: letters, digits and hyphens are taken`);
  for (const url of [options.source, ...options.also]) {
    if (!/^ldaps?:\/\//i.test(url)) throw new SyncStateError(`'${url}' is no URL of a directory: ldaps://host`);
  }
  return {
    server,
    source: {
      url: options.source,
      ...(options.also.length > 0 && { also: options.also }),
      base: options.base,
      bindDn: options.bindDn,
      passwordFile: options.passwordFile === '' ? '' : resolve(options.passwordFile),
      caFile: options.ca === '' ? '' : resolve(options.ca),
    },
    mapping: {
      addressAttributes: options.address.length > 0 ? options.address : ['proxyAddresses', 'mail'],
      bases: options.include,
      excludedBases: options.exclude,
      filter: options.filter,
      disabledAccounts: options.disabledAccounts,
    },
    domains: options.domain.map(domainOf),
    smartHosts: options.smartHost,
    ...(options.internalServer.length > 0 && { internalServers: options.internalServer.map(internalServerOf) }),
    ...listsOf(options),
    configurationInterval: 180,
    recipientInterval: 300,
    logLevel: options.logLevel,
  };
}

/** `name=file`. */
function internalServerOf(text: string): { name: string; certificate: string } {
  const [, name = '', file = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(name))
    throw new SyncStateError(`'${text}' is not of the form mail1.corp.example=certificate.pem`);
  const content = onFile(file, () => readFileSync(file));
  try {
    return { name: name.toLowerCase(), certificate: new X509Certificate(content).raw.toString('base64') };
  } catch (error) {
    throw new SyncStateError(`${file} holds no certificate: ${(error as Error).message}`);
  }
}

/** Lists that were named; one of them makes all three the inside's. */
function listsOf(options: InitOptions): Pick<SyncSettings, 'lists'> {
  const [internalSmtpServers, tlsSendDomains, tlsReceiveDomains] = [
    options.internalSmtpServer,
    options.tlsSendDomain,
    options.tlsReceiveDomain,
  ];
  const given = [internalSmtpServers, tlsSendDomains, tlsReceiveDomains].some((list) => list.length > 0);
  return given ? { lists: { internalSmtpServers, tlsSendDomains, tlsReceiveDomains } } : {};
}

function domainOf(text: string): SyncSettings['domains'][number] {
  const [name = '', type = 'Authoritative'] = text.split(':');
  const known = (['Authoritative', 'InternalRelay', 'ExternalRelay'] as const).find(
    (one) => one.toLowerCase() === type.toLowerCase(),
  );
  if (known === undefined)
    throw new SyncStateError(`'${type}' is no type of an accepted domain: Authoritative, InternalRelay, ExternalRelay`);
  return { name: name.toLowerCase(), type: known };
}

export interface SubscribeCommandOptions extends SyncOptions {
  readonly site: string;
  readonly address?: string;
  readonly internetConnector: boolean;
  readonly inboundConnector: boolean;
}

export function subscribe(file: string, options: SubscribeCommandOptions, terminal: Terminal): Promise<number> {
  const work = async (edgeSync: EdgeSync, content: Buffer): Promise<number> => {
    const { name, fqdn, credential } = await edgeSync.subscribe(content, {
      site: options.site,
      ...(options.address === undefined ? {} : { address: options.address }),
      createInternetSendConnector: options.internetConnector,
      createInboundSendConnector: options.inboundConnector,
    });
    if (options.json) terminal.out(`${printableJson({ name, fqdn, account: credential.user })}\n`);
    else
      terminal.out(
        `${name} (${fqdn}) is subscribed to site ${options.site} as ${credential.user}. Delete ${file}, look at: edge sync plan, then: edge sync apply\n`,
      );
    return exitStatus.done;
  };
  return onSync('subscribe', options, terminal, work, { given: () => onFile(file, () => readFileSync(file)) });
}

export function rekey(
  edge: string,
  options: SyncOptions & { readonly pin?: string },
  terminal: Terminal,
): Promise<number> {
  return simple('rekey', options, terminal, async (edgeSync) => {
    await edgeSync.rekey(edge, options.pin, undefined);
    return `${edge} has the key of the address hashes sealed anew, and a new account is in use`;
  });
}

export function logon(connector: string, options: LogonOptions, terminal: Terminal): Promise<number> {
  const work = async ({ state }: EdgeSync, given: Logon | undefined): Promise<string> => {
    await state.saveLogon(connector, given);
    if (given === undefined) return `the logon of '${connector}' is forgotten; the edges lose it at the next run`;
    return `'${connector}' logs on as ${given.user} from the next run on`;
  };
  return simple('logon', options, terminal, work, () => (options.remove ? undefined : logonOf(options)));
}

type Logon = { readonly user: string; readonly password: string };

function logonOf({ user, passwordFile }: LogonOptions): Logon {
  if (user === undefined || passwordFile === undefined)
    throw new SyncStateError('--user and --password-file are needed, or --remove');
  const password = onFile(passwordFile, () => readFileSync(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  if (/[\0\r\n]/.test(user + password)) throw new SyncStateError('user name and password are one line each');
  return { user, password };
}

export function unsubscribe(edge: string, options: SyncOptions, terminal: Terminal): Promise<number> {
  return simple('unsubscribe', options, terminal, async (edgeSync) => {
    await edgeSync.unsubscribe(edge);
    return `${edge} is forgotten; on the edge: Remove-EdgeSubscription ${edge}`;
  });
}

export function undo(
  edge: string,
  options: SyncOptions & { readonly runs: number },
  terminal: Terminal,
): Promise<number> {
  return simple('undo', options, terminal, async (edgeSync) => {
    const { written } = await edgeSync.undo(edge, options.runs, new AbortController().signal);
    return `${written} recipients of ${edge} are as they were ${options.runs} runs ago; it is paused until: edge sync resume ${edge}`;
  });
}

export function resume(edge: string, options: SyncOptions, terminal: Terminal): Promise<number> {
  return simple('resume', options, terminal, async (edgeSync) => {
    await edgeSync.resume(edge);
    return `${edge} is synchronised again`;
  });
}

/** A command that does one thing and says so. */
function simple<T = undefined>(
  command: string,
  options: SyncOptions,
  terminal: Terminal,
  work: (edgeSync: EdgeSync, given: T) => Promise<string>,
  given?: () => T,
): Promise<number> {
  const told = async (edgeSync: EdgeSync, read: T): Promise<number> => {
    const said = await work(edgeSync, read);
    terminal.out(options.json ? `${printableJson({ done: said })}\n` : `${said}\n`);
    return exitStatus.done;
  };
  return onSync(command, options, terminal, told, given === undefined ? {} : { given });
}
