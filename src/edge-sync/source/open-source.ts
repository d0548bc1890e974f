/** Chooses how a directory is read: by its root DSE and by what this account may do. */
import { LdapError } from '../../ldap/index.ts';
import type { MappingSettings } from '../recipient-mapping.ts';
import { wantedAttributes } from '../recipient-mapping.ts';
import { ActiveDirectorySource, deletedObjects } from './active-directory-source.ts';
import { ContentSyncSource } from './content-sync-source.ts';
import type { RecipientSource } from './contract.ts';
import { ForestSource } from './forest-source.ts';
import { GenericSource } from './generic-source.ts';
import { LdapStream, type StreamOptions } from './ldap-stream.ts';
import { baseEntry, profileOf, type SourceProfile } from './root-dse.ts';
import {
  controlOids,
  dirSyncAnswer,
  dirSyncControl,
  dirSyncFlags,
  octetControl,
  pagedControl,
  syncDone,
  syncRequestControl,
} from './source-controls.ts';

export interface SourceSettings {
  readonly base: string;
  /** Every mapping that recipients are made by. */
  readonly mappings: readonly MappingSettings[];
  /** Names, in lower case, of what is read from other servers: references there mean nothing missing. */
  readonly elsewhere?: ReadonlySet<string>;
}

/** A source, with what was found out about it. */
export interface OpenedSource {
  readonly source: RecipientSource;
  readonly profile: SourceProfile;
  /** A new connection to it, bound. */
  readonly connect: () => Promise<LdapStream>;
  readonly addressAttributes: readonly string[];
  /** Each domain, where there are several; the first is the one that the rest says is read. */
  readonly parts?: readonly OpenedSource[];
  /** What is not allowed or not offered, and what is done instead. */
  readonly notes: readonly string[];
}

/** Looks at the source and tries each way to follow its changes, best first. Throws LdapError when it cannot be reached. */
export async function openSource(connection: StreamOptions, settings: SourceSettings): Promise<OpenedSource> {
  const connect = (): Promise<LdapStream> => LdapStream.open(connection);
  await using stream = await connect();
  const profile = await profileOf(stream, settings.base, settings.elsewhere);
  const addressAttributes = [...new Set(settings.mappings.flatMap((mapping) => mapping.addressAttributes))];
  const attributes = [...new Set(settings.mappings.flatMap(wantedAttributes))];
  const { exchangeSchema, base } = profile;
  const notes: string[] = [];
  if (profile.kind === 'active-directory') {
    const dirSync =
      profile.dirSync &&
      (await trial(stream, base, dirSyncTrial(), (controls) => dirSyncAnswer(controls) !== undefined));
    if (!dirSync)
      notes.push(
        "DirSync is not allowed here ('Replicating Directory Changes' or the flag OBJECT_SECURITY): changes are followed by uSNChanged and the ids of all objects",
      );
    const seesDeleted = await canSeeDeleted(stream, profile);
    if (!seesDeleted)
      notes.push(
        "deleted objects cannot be seen by this account (right 'List contents' and 'Read property' on CN=Deleted Objects, by dsacls): each run compares the ids of all objects instead",
      );
    if (!(await canRead(stream, profile.configuration)))
      notes.push(
        'the configuration naming context cannot be read: accepted domains and connectors are taken from the settings',
      );
    const source = new ActiveDirectorySource({ profile, attributes, addressAttributes, connect, dirSync, seesDeleted });
    return { source, profile, connect, addressAttributes, notes };
  }
  const options = { base, attributes, addressAttributes, exchangeSchema, connect };
  const offered =
    profile.contentSync &&
    (await trial(stream, base, [syncRequestControl(Buffer.alloc(0))], (controls) => syncDone(controls) !== undefined));
  if (offered) return { source: new ContentSyncSource(options), profile, connect, addressAttributes, notes };
  notes.push(
    'content synchronization (RFC 4533; OpenLDAP: overlay syncprov) is not offered: changes are followed by modifyTimestamp and the ids of all objects',
  );
  return { source: new GenericSource(options), profile, connect, addressAttributes, notes };
}

/** As `openSource`, for the domains of a forest: each at a server of its own, all by one account. */
export async function openForest(
  connections: readonly StreamOptions[],
  settings: SourceSettings,
): Promise<OpenedSource> {
  const elsewhere = new Set<string>();
  const parts: OpenedSource[] = [];
  for (const [i, connection] of connections.entries()) {
    const part = await openSource(connection, { ...settings, base: i === 0 ? settings.base : '', elsewhere });
    elsewhere.add(part.profile.base.toLowerCase());
    parts.push(part);
  }
  const [first, ...others] = parts;
  if (first === undefined) throw new RangeError('no server is named');
  if (others.length === 0) return first;
  if (elsewhere.size < parts.length) throw new LdapError('other', 'two of the servers have the same domain');
  const source = new ForestSource(parts.map((part) => ({ base: part.profile.base, source: part.source })));
  const notes = parts.flatMap(({ profile, notes: own }) => own.map((note) => `${profile.base}: ${note}`));
  return { ...first, source, notes, parts };
}

const dirSyncTrial = () => [dirSyncControl(dirSyncFlags.objectSecurity, 1_000_000, Buffer.alloc(0))];

/** Whether a search with these controls works, by one that finds nothing. */
async function trial(
  stream: LdapStream,
  base: string,
  controls: ReturnType<typeof dirSyncTrial>,
  answered: (controls: Parameters<typeof dirSyncAnswer>[0]) => boolean,
): Promise<boolean> {
  let works = false;
  for await (const message of stream.search({
    base,
    filter: '(objectClass=edgeNothing)',
    attributes: ['1.1'],
    controls,
  })) {
    if (message.kind === 'done') works = message.code === 'success' && answered(message.controls);
  }
  return works;
}

const canRead = async (stream: LdapStream, dn: string): Promise<boolean> =>
  dn !== '' && (await baseEntry(stream, dn, ['objectClass'])) !== undefined;

/** By finding one: the container itself shows to everyone. Before anything was ever deleted nobody knows, and ids are compared. */
async function canSeeDeleted(stream: LdapStream, profile: SourceProfile): Promise<boolean> {
  let seen = false;
  const controls = [octetControl(controlOids.showDeleted), pagedControl(5, Buffer.alloc(0))];
  const base = deletedObjects(profile);
  for await (const message of stream.search({
    base,
    filter: '(isDeleted=TRUE)',
    attributes: ['objectClass'],
    controls,
  })) {
    seen ||= message.kind === 'entry' && message.entry.dn.toLowerCase() !== base.toLowerCase();
  }
  return seen;
}
