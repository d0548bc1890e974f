/** A directory with its LDAP face for tests: own folder, own ports, a small tree, one administrator and one plain account. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import {
  Argon2Hasher,
  DirectoryStore,
  defaultLockout,
  type FaceEvent,
  LdapServer,
  type LdapServerOptions,
  StoreAuthenticator,
  type StoreAuthenticatorParts,
} from '../../src/directory/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';

export const root = 'o=Test';
export const adminDn = `cn=admin,${root}`;
export const userDn = `cn=user,${root}`;
export const password = 'correct horse';

/** As weak as the algorithm allows: tests bind often. */
const hasher = new Argon2Hasher({ memory: 8, passes: 1 });

export interface Face extends AsyncDisposable {
  readonly store: DirectoryStore;
  readonly server: LdapServer;
  readonly port: number;
  readonly url: string;
  /** `ldapi://` URL of the unix socket. */
  readonly local: string;
  readonly events: FaceEvent[];
  /** Folder that goes with the face. */
  readonly folder: string;
}

type Values = Readonly<Record<string, string | readonly string[]>>;

export async function addEntry(store: DirectoryStore, dn: string, values: Values): Promise<void> {
  const attributes = Object.entries(values).map(([attribute, value]) => ({
    attribute,
    values: (typeof value === 'string' ? [value] : value).map((one) => Buffer.from(one)),
  }));
  await store.add(dn, attributes, { actor: adminDn, newNamingContext: dn === root });
}

export async function startFace(
  options: Partial<LdapServerOptions> = {},
  accounts: Partial<StoreAuthenticatorParts> = {},
): Promise<Face> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-face-'));
  const store = await DirectoryStore.open({ path: join(folder, 'db'), schema: productSchema() });
  await populate(store);
  const events: FaceEvent[] = [];
  const authenticator = new StoreAuthenticator({
    store,
    hasher,
    clock: systemClock,
    lockout: { ...defaultLockout, maxFailures: 5, lockMs: 60_000, delayMs: 1 },
    isAdministrator: ({ dn }) => dn === adminDn,
    isAccountName: () => true,
    ...accounts,
  });
  const server = new LdapServer({ store, authenticator, hasher, log: (event) => events.push(event), ...options });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const path = join(folder, 'ldapi');
  await server.listen({ path });
  return {
    store,
    server,
    port,
    url: `ldap://127.0.0.1:${port}`,
    local: `ldapi://${encodeURIComponent(path)}`,
    events,
    folder,
    async [Symbol.asyncDispose]() {
      await server.close();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

async function populate(store: DirectoryStore): Promise<void> {
  await addEntry(store, root, { objectClass: ['top', 'organization'], o: 'Test' });
  const hash = await hasher.hash(Buffer.from(password));
  for (const dn of [adminDn, userDn]) {
    await addEntry(store, dn, { objectClass: ['top', 'person', 'edgeAccount'], sn: 'account', userPassword: hash });
  }
  await addEntry(store, `ou=People,${root}`, { objectClass: ['top', 'organizationalUnit'] });
  for (const [cn, sn, mail] of [
    ['Ann', 'Archer', 'ann@example.com'],
    ['Bob', 'Baker', 'bob@example.com'],
    ['Zoë', 'Zander', 'zoe@example.com'],
  ] as const) {
    await addEntry(store, `cn=${cn},ou=People,${root}`, { objectClass: ['top', 'user'], sn, mail });
  }
}
