/** Words, options and help of `edge directory`. */
import { type Command, Option } from 'commander';
import { type AddCommand, commandGroup, commandsOf } from './command-group.ts';
import { type AccountOptions, type BaseOptions, type DirectoryOptions, scopes } from './directory-options.ts';
import type { CommandParts, DirectoryAccess, Terminal } from './parts.ts';

type Run<A extends readonly unknown[]> = (access: DirectoryAccess, ...args: A) => Promise<number>;

const baseOption = (): Option =>
  new Option('--base <dn>', 'where to begin; every naming context without it').default('');
const scopeOption = (): Option => new Option('--scope <scope>', 'how far down').choices(scopes).default('sub');

export function addDirectory(
  program: Command,
  parts: CommandParts,
  terminal: Terminal,
  finish: (status: number) => void,
): void {
  const group = commandGroup(
    program,
    'directory',
    'the directory itself: export, import, backup, restore, verify, explain; beside the running service or without it',
    { terminal, finish },
  );
  const add = commandsOf(group);
  // Commander gives arguments and options first, the command last.
  const ends = <A extends readonly unknown[]>(run: Run<A>): ((...args: [...A, Command]) => Promise<void>) => {
    return async (...args) => {
      const { AuditedAccess } = await import('./directory-audit.ts');
      const access = new AuditedAccess(parts.directory, args.at(-1) as Command, terminal);
      const status = await run(access, ...(args.slice(0, -1) as unknown as A));
      access.ended(status);
      finish(status);
    };
  };
  addReading(add, ends, terminal);
  addWriting(add, ends, terminal);
  addAccounts(group, ends, terminal);
}

type Ends = <A extends readonly unknown[]>(run: Run<A>) => (...args: [...A, Command]) => Promise<void>;

function addReading(add: AddCommand, ends: Ends, terminal: Terminal): void {
  add('explain', 'which indexes a search uses, and how many entries it has to read', [
    "edge directory explain '(proxyAddresses=smtp:jane@corp.example)'",
    "edge directory explain --run '(&(objectClass=user)(cn=*doe*))'",
  ])
    .argument('<filter>', 'filter as in RFC 4515')
    .addOption(baseOption())
    .addOption(scopeOption())
    .option('--run', 'do the search too: how many entries it finds, and how long it takes', false)
    .action(
      ends(async (access, filter: string, options: BaseOptions & { readonly run: boolean }) =>
        (await import('./directory-read.ts')).explain(filter, options, access, terminal),
      ),
    );
  add('export', 'writes LDIF (RFC 2849): parents first, siblings and values in order, equal content as equal text', [
    'edge directory export > directory.ldif',
    "edge directory export --base 'CN=Services,CN=Configuration,CN={…}' --output services.ldif",
    'edge directory export --json | jq -r .dn',
  ])
    .addOption(baseOption())
    .addOption(scopeOption())
    .option(
      '--operational',
      'also GUIDs, times, creators and sequence numbers: an import then gives back the same entries',
      false,
    )
    .option('--output <file>', 'write there, mode 0600, instead of to standard output')
    .action(
      ends(async (access, options: BaseOptions & { readonly operational: boolean; readonly output?: string }) =>
        (await import('./directory-read.ts')).exportDirectory(options, access, terminal),
      ),
    );
  add('backup', 'copies the directory into a new folder, while it is in use', [
    'edge directory backup /var/backups/edge-directory',
  ])
    .argument('<folder>', 'where to; must be empty or not be there')
    .action(
      ends(async (access, folder: string, options: DirectoryOptions) =>
        (await import('./directory-read.ts')).backup(folder, options, access, terminal),
      ),
    );
}

function addWriting(add: AddCommand, ends: Ends, terminal: Terminal): void {
  add('import', 'applies LDIF content and change records, all or nothing; those of cn=schema extend the schema', [
    'edge directory import --dry-run changes.ldif',
    'edge directory import recipients.ldif',
    'generate-recipients | edge directory import -',
  ])
    .argument('<files...>', "LDIF files, in order; '-' is standard input")
    .option('--dry-run', 'check everything and write nothing', false)
    .option('--replace', 'a full export takes the place of everything; what was there is kept as a backup', false)
    .action(
      ends(
        async (
          access,
          files: string[],
          options: DirectoryOptions & { readonly dryRun: boolean; readonly replace: boolean },
        ) => (await import('./directory-write.ts')).importFiles(files, options, access, terminal),
      ),
    );
  add(
    'restore',
    'brings the directory to the content of a backup, in one step, while it is in use or in place of a damaged one',
    [
      'edge directory restore --dry-run /var/backups/edge-directory',
      'edge directory restore /var/backups/edge-directory',
    ],
  )
    .argument('<folder>', 'folder that edge directory backup wrote')
    .option('--dry-run', 'only say how many entries differ', false)
    .action(
      ends(async (access, folder: string, options: DirectoryOptions & { readonly dryRun: boolean }) =>
        (await import('./directory-write.ts')).restore(folder, options, access, terminal),
      ),
    );
  add('verify', 'compares names, entries, tree and indexes with each other', [
    'edge directory verify',
    'edge directory verify --rebuild',
  ])
    .option('--rebuild', 'make all indexes anew from the entries first', false)
    .action(
      ends(async (access, options: DirectoryOptions & { readonly rebuild: boolean }) =>
        (await import('./directory-write.ts')).verify(options, access, terminal),
      ),
    );
}

function addAccounts(group: Command, ends: Ends, terminal: Terminal): void {
  const accounts = group.command('account').description('accounts that bind over LDAP: people, monitors, machines');
  const addTo = commandsOf(accounts);
  const add = (name: string, description: string, example: string): Command =>
    addTo(name, description, [`edge directory account ${example}`]);
  add('add', 'makes an account below CN=Services', 'add monitor --role Readers --password-file /root/monitor.password')
    .argument('<name>', 'name of the account')
    .option('--role <role>', 'group below CN=Roles: Readers, Administrators, EdgeSync …', 'Readers')
    .option('--password-file <file>', 'its first line is the password; without it you are asked')
    .action(
      ends(async (access, name: string, options: AccountOptions) =>
        (await import('./directory-account.ts')).addAccount(name, options, access, terminal),
      ),
    );
  add('list', 'name, roles and state of every account', 'list').action(
    ends(async (access, options: DirectoryOptions) =>
      (await import('./directory-account.ts')).listAccounts(options, access, terminal),
    ),
  );
  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const)
    add(verb, disabled ? 'closes an account: what it has open ends at once' : 'opens it again', `${verb} monitor`)
      .argument('<name>', 'name of the account')
      .action(
        ends(async (access, name: string, options: DirectoryOptions) =>
          (await import('./directory-account.ts')).disableAccount(name, { ...options, disabled }, access, terminal),
        ),
      );
  add('remove', 'deletes an account and its memberships', 'remove monitor')
    .argument('<name>', 'name of the account')
    .action(
      ends(async (access, name: string, options: DirectoryOptions) =>
        (await import('./directory-account.ts')).removeAccount(name, options, access, terminal),
      ),
    );
}
