/** Configuration of Exchange in a source that has it. */
import type { ConfigurationObject } from '../inside/configuration.ts';
import {
  configurationKinds,
  containers,
  exchangeServer,
  objectOf,
  transportSettings,
} from '../inside/configuration.ts';
import type { LdapStream } from './ldap-stream.ts';
import { Completeness, pagedEntries } from './paged-search.ts';
import type { SourceProfile } from './root-dse.ts';

/** The objects; undefined where the source has none, or this account may not see them: then the settings say. */
export async function readConfiguration(
  connect: () => Promise<LdapStream>,
  profile: SourceProfile,
): Promise<readonly ConfigurationObject[] | undefined> {
  if (profile.configuration === '') return undefined;
  await using stream = await connect();
  const kinds = configurationKinds
    .filter((kind) => kind !== 'internalServer')
    .map((kind) => containers[kind].objectClass);
  const names = [...kinds, transportSettings.objectClass, exchangeServer];
  const classes = names.map((name) => `(objectClass=${name})`).join('');
  const completeness = new Completeness(profile.harmless);
  const objects: ConfigurationObject[] = [];
  const search = { base: profile.configuration, filter: `(|${classes})`, attributes: ['*'] };
  for await (const entry of pagedEntries(stream, search, completeness)) {
    const object = objectOf(entry);
    if (object !== undefined) objects.push(object);
  }
  const usable = completeness.complete && objects.some(({ kind }) => kind === 'acceptedDomain');
  return usable ? objects : undefined;
}
