/** `edge directory account`: accounts of people, monitors and machines that bind to the directory over LDAP. */
import { readFileSync } from 'node:fs';
import { onFile, printableJson } from '../base/text/index.ts';
import { Argon2Hasher, type DirectoryEntry, type DirectoryStore, type Operation } from '../directory/index.ts';
import { equals, escapeDnValue, LdapError } from '../ldap/index.ts';
import type { AccountOptions, DirectoryOptions } from './directory-options.ts';
import { commandActor, tellService, withStore } from './directory-session.ts';
import { type DirectoryAccess, exitStatus, type Terminal } from './parts.ts';
import { readRow } from './shell/terminal-answer.ts';

const shortestPassword = 8;

/** Makes an account with a role. The password is asked for twice, or read from a file. */
export async function addAccount(
  name: string,
  options: AccountOptions,
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  const password = await passwordFor(options.passwordFile, terminal);
  if (password === undefined) return exitStatus.usage;
  const hash = await new Argon2Hasher().hash(Buffer.from(password));
  return withStore('account', options, { access, terminal, readOnly: false }, async (store) => {
    const places = placesIn(store);
    const role = roleNamed(store, places.roles, options.role ?? 'Readers');
    const dn = `CN=${escapeDnValue(name)},${places.services}`;
    const attributes = Object.entries({
      objectClass: ['top', 'person', 'edgeAccount'],
      cn: [name],
      sn: [name],
      userPassword: [hash],
    });
    const operations: Operation[] = [
      {
        kind: 'add',
        dn,
        attributes: attributes.map(([attribute, values]) => ({
          attribute,
          values: values.map((value) => Buffer.from(value)),
        })),
      },
      member('add', role.dn, dn),
    ];
    return done(store, operations, { options, terminal, report: { dn, role: nameOf(role) } });
  });
}

/** One line for each account: name, roles, state. */
export async function listAccounts(
  options: DirectoryOptions,
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return withStore('account', options, { access, terminal, readOnly: true }, (store) => {
    const { services, roles } = placesIn(store);
    const found = [...store.search({ base: services, scope: 'one', filter: equals('objectClass', 'edgeAccount') })];
    const accounts = found.map((entry) => ({
      name: nameOf(entry),
      dn: entry.dn,
      roles: rolesOf(store, roles, entry.dn).map(nameOf),
      disabled: entry.values('edgeAccountDisabled')[0] === 'TRUE',
      expires: entry.values('edgeAccountExpires')[0] ?? null,
    }));
    const lines = accounts.map(
      ({ name, roles: has, disabled, expires }) =>
        `${name}  ${has.join(', ') || 'no role'}${disabled ? '  disabled' : ''}${expires === null ? '' : `  expires ${expires}`}\n`,
    );
    terminal.out(options.json ? `${printableJson(accounts, 2)}\n` : lines.join(''));
    return exitStatus.done;
  });
}

/** Closes an account, or opens it again. */
export async function disableAccount(
  name: string,
  options: DirectoryOptions & { readonly disabled: boolean },
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return withStore('account', options, { access, terminal, readOnly: false }, async (store) => {
    const { dn } = accountNamed(store, name);
    const values = options.disabled ? [Buffer.from('TRUE')] : [];
    const modifications = [{ operation: 'replace', attribute: 'edgeAccountDisabled', values }] as const;
    return done(store, [{ kind: 'modify', dn, modifications }], {
      options,
      terminal,
      report: { dn, disabled: options.disabled },
    });
  });
}

/** Deletes an account and its memberships. */
export async function removeAccount(
  name: string,
  options: DirectoryOptions,
  access: DirectoryAccess,
  terminal: Terminal,
): Promise<number> {
  return withStore('account', options, { access, terminal, readOnly: false }, async (store) => {
    const { dn } = accountNamed(store, name);
    const memberships = rolesOf(store, placesIn(store).roles, dn).map((role) => member('delete', role.dn, dn));
    return done(store, [...memberships, { kind: 'delete', dn }], { options, terminal, report: { dn, removed: true } });
  });
}

interface Doing {
  readonly options: DirectoryOptions;
  readonly terminal: Terminal;
  readonly report: { readonly dn: string } & Readonly<Record<string, unknown>>;
}

async function done(
  store: DirectoryStore,
  operations: readonly Operation[],
  { options, terminal, report }: Doing,
): Promise<number> {
  await store.batch(operations, { actor: commandActor });
  await tellService(options.state, `account ${report.dn}`);
  terminal.out(options.json ? `${printableJson(report)}\n` : `${report.dn}\n`);
  return exitStatus.done;
}

function placesIn(store: DirectoryStore): { readonly services: string; readonly roles: string } {
  const configuration = store.namingContexts.find((dn) => /^CN=Configuration,/i.test(dn));
  if (configuration === undefined)
    throw new LdapError('noSuchObject', 'the directory holds no configuration: start the service once');
  return { services: `CN=Services,${configuration}`, roles: `CN=Roles,${configuration}` };
}

const nameOf = (entry: DirectoryEntry): string => entry.values('cn')[0] ?? entry.dn;

function roleNamed(store: DirectoryStore, roles: string, name: string): DirectoryEntry {
  const role = store.get(`CN=${escapeDnValue(name)},${roles}`);
  if (role !== undefined) return role;
  const known = [...store.search({ base: roles, scope: 'one' })].map(nameOf);
  throw new LdapError('noSuchObject', `there is no role '${name}': ${known.join(', ')} are`);
}

function rolesOf(store: DirectoryStore, roles: string, dn: string): DirectoryEntry[] {
  return [...store.search({ base: roles, scope: 'one', filter: equals('member', dn) })];
}

function accountNamed(store: DirectoryStore, name: string): DirectoryEntry {
  const account = store.get(`CN=${escapeDnValue(name)},${placesIn(store).services}`);
  const isAccount = account?.values('objectClass').some((one) => one.toLowerCase() === 'edgeaccount') === true;
  if (account === undefined || !isAccount)
    throw new LdapError('noSuchObject', `there is no account '${name}': see edge directory account list`);
  return account;
}

const member = (operation: 'add' | 'delete', dn: string, account: string): Operation => ({
  kind: 'modify',
  dn,
  modifications: [{ operation, attribute: 'member', values: [Buffer.from(account)] }],
});

/** Undefined, with the reason told, when there is no password to be had. */
async function passwordFor(file: string | undefined, terminal: Terminal): Promise<string | undefined> {
  const password =
    file === undefined ? await askTwice(terminal) : onFile(file, () => readFileSync(file, 'utf8')).split(/\r?\n/)[0];
  if (password === undefined || password.length >= shortestPassword) return password;
  terminal.error(`edge directory account: a password has at least ${shortestPassword} characters\n`);
  return undefined;
}

async function askTwice(terminal: Terminal): Promise<string | undefined> {
  if (!process.stdin.isTTY) {
    terminal.error('edge directory account: there is no terminal to ask for the password: give --password-file\n');
    return undefined;
  }
  const first = await readRow('Password: ', true);
  if ((await readRow('Once more: ', true)) === first) return first;
  terminal.error('edge directory account: the two are not the same\n');
  return undefined;
}
