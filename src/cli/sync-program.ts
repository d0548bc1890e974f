/** Words, options and help of `edge sync`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AddCommand, commandGroup, commandsOf } from './command-group.ts';
import type { Terminal } from './parts.ts';
import type * as Commands from './sync/commands.ts';
import type { SubscribeCommandOptions } from './sync/manage.ts';
import type { ApplyOptions, InitOptions, LogonOptions, MappingOptions, SyncOptions } from './sync/options.ts';

const list = (text: string, texts: string[] = []): string[] => [...texts, text];

export function addSync(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  const group = commandGroup(
    program,
    'sync',
    'EdgeSync, on the inside: subscribes edges and keeps their recipients and configuration up to date',
    { terminal, finish },
  );
  const add = commandsOf(group);
  const commands = (): Promise<typeof Commands> => import('./sync/commands.ts');
  const ends = <A extends readonly unknown[]>(
    run: (...args: A) => Promise<number>,
  ): ((...args: A) => Promise<void>) => {
    return async (...args) => finish(await run(...args));
  };
  addInit(
    add,
    ends(async (options: InitOptions) => (await commands()).init(options, terminal)),
  );
  add('subscribe', 'joins an edge by the file that New-EdgeSubscription wrote there', [
    'edge sync subscribe edge1.xml --site Default-First-Site-Name',
  ])
    .argument('<file>', 'subscription file')
    .requiredOption('--site <name>', 'site whose servers the edge delivers to')
    .option('--address <host>', 'connect there instead of to the FQDN in the file')
    .option('--no-internet-connector', 'make no send connector to the Internet')
    .option('--no-inbound-connector', 'make no send connector to the inside')
    .action(
      ends(async (file: string, options: SubscribeCommandOptions) =>
        (await commands()).subscribe(file, options, terminal),
      ),
    );
  add('plan', 'what would change; writes nothing; exit 0 nothing to do, 1 changes', [
    'edge sync plan',
    'edge sync plan --json | jq .edges',
  ])
    .argument('[edge]', 'one edge; all without it')
    .option('--full', 'read everything instead of what changed', false)
    .action(
      ends(async (edge: string | undefined, options: SyncOptions & { readonly full: boolean }) =>
        (await commands()).plan(edge, options, terminal),
      ),
    );
  add('apply', 'brings the edges up to date; exit 0 done, 1 the brake or a refusal stopped it', [
    'edge sync apply',
    'edge sync apply --force',
  ])
    .argument('[edge]', 'one edge; all without it')
    .option('--force', 'the addresses that would be lost are meant', false)
    .option('--full', 'read and compare everything', false)
    .action(
      ends(async (edge: string | undefined, options: ApplyOptions) =>
        (await commands()).apply(edge, options, terminal),
      ),
    );
  add('run', 'keeps the edges up to date until SIGTERM', ['edge sync run'])
    .option('--interval <seconds>', 'between two looks at the recipients, instead of the configured ones', seconds)
    .action(
      ends(async (options: SyncOptions & { readonly interval?: number }) => (await commands()).run(options, terminal)),
    );
  add('status', 'each subscription: last success, counts, credential, what is wrong', ['edge sync status']).action(
    ends(async (options: SyncOptions) => (await commands()).status(options, terminal)),
  );
  add('preview', 'what the edges would know of an address, and why', ['edge sync preview jane@corp.example'])
    .argument('<address>', 'mail address')
    .action(
      ends(async (address: string, options: SyncOptions) => (await commands()).preview(address, options, terminal)),
    );
  add('rekey', 'a new account and sealed key; with --pin after the certificate of the edge changed', [
    'edge sync rekey EDGE1',
    'edge sync rekey EDGE1 --pin 5xWv…',
  ])
    .argument('<edge>', 'name of the subscription')
    .option('--pin <digest>', 'key that Get-EdgeSubscription shows on the edge (KeyPin)')
    .action(
      ends(async (edge: string, options: SyncOptions & { readonly pin?: string }) =>
        (await commands()).rekey(edge, options, terminal),
      ),
    );
  add('mapping', 'what of the source one edge gets, instead of what init says for all; shows it, with ten recipients', [
    'edge sync mapping EDGE1',
    "edge sync mapping EDGE1 --include ou=Branch,dc=corp,dc=example --filter '(!(employeeType=test))'",
    'edge sync mapping EDGE1 --reset',
  ])
    .argument('<edge>', 'name of the subscription')
    .addOption(mappingOptions.include())
    .addOption(mappingOptions.exclude())
    .addOption(mappingOptions.filter())
    .addOption(mappingOptions.address())
    .addOption(mappingOptions.disabledAccounts())
    .option('--reset', 'as for all edges', false)
    .action(ends(async (edge: string, options: MappingOptions) => (await commands()).mapping(edge, options, terminal)));
  add('logon', 'what a send connector of the edges logs on to its smart hosts with', [
    'edge sync logon "To the provider" --user corp --password-file pw',
    'edge sync logon "To the provider" --remove',
  ])
    .argument('<connector>', 'name of the send connector')
    .option('--user <name>', 'user name')
    .option('--password-file <file>', 'file with the password, read now; it is kept in the state, mode 0600')
    .option('--remove', 'forget it here', false)
    .action(
      ends(async (connector: string, options: LogonOptions) => (await commands()).logon(connector, options, terminal)),
    );
  add('unsubscribe', 'forgets an edge; run Remove-EdgeSubscription there too', ['edge sync unsubscribe EDGE1'])
    .argument('<edge>', 'name of the subscription')
    .action(
      ends(async (edge: string, options: SyncOptions) => (await commands()).unsubscribe(edge, options, terminal)),
    );
  add('undo', 'brings an edge back to its state before the last runs, and pauses it', ['edge sync undo EDGE1 --runs 2'])
    .argument('<edge>', 'name of the subscription')
    .option('--runs <n>', 'runs to take back, up to 10', runs, 1)
    .action(
      ends(async (edge: string, options: SyncOptions & { readonly runs: number }) =>
        (await commands()).undo(edge, options, terminal),
      ),
    );
  add('resume', 'synchronises an edge again after undo', ['edge sync resume EDGE1'])
    .argument('<edge>', 'name of the subscription')
    .action(ends(async (edge: string, options: SyncOptions) => (await commands()).resume(edge, options, terminal)));
  add('export', 'the addresses that are accepted, for another mail system', [
    'edge sync export --format postfix-texthash > relay_recipients',
  ])
    .addOption(new Option('--format <format>', 'how').choices(['postfix-texthash', 'csv']).default('postfix-texthash'))
    .action(
      ends(async (options: SyncOptions & { readonly format: 'postfix-texthash' | 'csv' }) =>
        (await commands()).exportAddresses(options, terminal),
      ),
    );
  add('socketmap', "answers Postfix's socketmap lookups (name 'recipients') until SIGTERM", [
    'edge sync socketmap --listen 127.0.0.1:2600',
    "postconf -e 'relay_recipient_maps = socketmap:inet:127.0.0.1:2600:recipients'",
  ])
    .option('--listen <address:port>', 'where', '127.0.0.1:2600')
    .action(
      ends(async (options: SyncOptions & { readonly listen: string }) =>
        (await commands()).socketmap(options, terminal),
      ),
    );
}

/** What of the source is replicated and how: for all edges by `init`, for one by `mapping`. */
const mappingOptions = {
  include: () => new Option('--include <dn>', 'take recipients below this base only; again for more').argParser(list),
  exclude: () => new Option('--exclude <dn>', 'leave out what lies below; again for more').argParser(list),
  filter: () => new Option('--filter <filter>', 'RFC 4515: recipients that do not match are left out'),
  address: () =>
    new Option('--address <attribute>', 'attributes with addresses; default: proxyAddresses and mail').argParser(list),
  disabledAccounts: () =>
    new Option('--disabled-accounts <rule>', 'where there is no Exchange schema').choices(['keep', 'drop']),
};

function addInit(add: AddCommand, run: (options: InitOptions) => Promise<void>): void {
  add('init', 'says which directory the recipients come from, and tries it', [
    "edge sync init --source ldaps://dc1.corp.example --bind-dn sync@corp.example --password-file /etc/edge/sync.pw --domain corp.example --smart-host '[10.0.0.5]'",
    'edge sync init --source ldaps://ldap.corp.example --base dc=corp,dc=example --bind-dn cn=sync,dc=corp,dc=example --password-file pw --domain corp.example',
  ])
    .requiredOption(
      '--source <url>',
      'ldaps://host or, to loopback only, ldap://host; port 3269 is the global catalogue',
    )
    .option(
      '--also <url>',
      'server of another domain of the forest, read by the same account; again for more',
      list,
      [],
    )
    .option('--base <dn>', "where to begin; default: the server's own naming context", '')
    .option('--ca <file>', 'PEM file with the authorities of the source', '')
    .option('--bind-dn <dn>', 'account that reads', '')
    .option('--password-file <file>', 'file with its password, read at each run', '')
    .option('--server <name>', 'name of this server in the accounts on the edges; default: host name')
    .option(
      '--domain <name[:type]>',
      'accepted domain (Authoritative, InternalRelay, ExternalRelay); again for more',
      list,
      [],
    )
    .option(
      '--smart-host <host[:port]>',
      'where the edge delivers the mail of the organization; again for more',
      list,
      [],
    )
    .option('--internal-smtp-server <range>', 'InternalSMTPServers of the edges; again for more', list, [])
    .option(
      '--internal-server <name=file>',
      'server of the organization by its full name, and the PEM file of the certificate that it proves itself by; again for more',
      list,
      [],
    )
    .option('--tls-send-domain <domain>', 'TLSSendDomainSecureList of the edges; again for more', list, [])
    .option('--tls-receive-domain <domain>', 'TLSReceiveDomainSecureList of the edges; again for more', list, [])
    .addOption(mappingOptions.include().default([]))
    .addOption(mappingOptions.exclude().default([]))
    .addOption(mappingOptions.filter().default(''))
    .addOption(mappingOptions.address().default([]))
    .addOption(mappingOptions.disabledAccounts().default('keep'))
    .addOption(
      new Option('--log-level <level>', 'of the EdgeSync log: how runs ended, steps, configuration, every object')
        .choices(['None', 'Low', 'Medium', 'High'])
        .default('None'),
    )
    .action(run);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 86_400)) throw new InvalidArgumentError('seconds from 1 to 86400 are needed');
  return value;
}

function runs(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10)
    throw new InvalidArgumentError('a number from 1 to 10 is needed');
  return value;
}
