/** `ConfigureAdam.ps1`: Exchange's script that moves the ports of the directory of an Edge server; here it also says where LDAPS answers whom. */
import { transportService } from '../../config/index.ts';
import { serverEntry } from '../directory-objects.ts';
import { badArgument, textOf, textsOf } from '../parameter-values.ts';
import { type BoundParameters, type Cmdlet, type CmdletContext, type Parameter, quietly } from '../runtime.ts';
import { onNewestState } from './newest-state.ts';
import { inDirectory, modifyUnchanged } from './object-steps.ts';

const ports = [
  { name: 'LdapPort', row: transportService.properties.edgeSyncAdamLdapPort, help: 'Port without TLS; loopback only.' },
  { name: 'SslPort', row: transportService.properties.edgeSyncAdamSslPort, help: 'Port with TLS.' },
] as const;

const { ldapsAddresses, ldapsRemoteIPRanges } = transportService.properties;
const lists = [
  {
    name: 'Addresses',
    attribute: ldapsAddresses.attribute,
    help: 'Local addresses of LDAPS; $null: every address while there is a subscription, else none.',
    parse: (texts: readonly string[]) => ldapsAddresses.syntax.write(ldapsAddresses.syntax.parse(texts)),
  },
  {
    name: 'RemoteIPRanges',
    attribute: ldapsRemoteIPRanges.attribute,
    help: 'Clients that LDAPS serves; $null: all.',
    parse: (texts: readonly string[]) => ldapsRemoteIPRanges.syntax.write(ldapsRemoteIPRanges.syntax.parse(texts)),
  },
] as const;

const parameters: readonly Parameter[] = [
  ...ports.map(({ name, help }) => ({ name, type: 'Int32', help })),
  ...lists.map(({ name, help }) => ({ name, type: 'MultiValuedProperty', help })),
];

interface Change {
  readonly name: string;
  readonly attribute: string;
  readonly values: readonly string[];
}

/** Writes the server object; the directory listens accordingly at once. */
async function configure(context: CmdletContext, bound: BoundParameters): Promise<void> {
  const entry = await serverEntry(context);
  const changes: Change[] = ports.flatMap(({ name, row }) => {
    const text = textOf(bound, name);
    return text === undefined ? [] : [{ name, attribute: row.attribute, values: [portOf(name, text)] }];
  });
  for (const { name, attribute, parse } of lists)
    if (bound.has(name)) changes.push({ name, attribute, values: parsed(name, () => parse(textsOf(bound, name))) });
  if (changes.length === 0)
    throw badArgument('LdapPort', 'Name at least one of -LdapPort, -SslPort, -Addresses and -RemoteIPRanges.');
  if (
    !(await context.shouldProcess({
      action: 'Moving the ports of the directory of',
      target: context.serverName,
      impact: 'Medium',
    }))
  )
    return;
  const modifications = changes.map(
    ({ attribute, values }) =>
      ({ operation: 'replace', attribute, values: values.map((value) => Buffer.from(value)) }) as const,
  );
  await inDirectory(context.serverName, () => context.store.together([modifyUnchanged(entry, modifications)]));
  const properties = changes.map(({ name, attribute, values }) => ({
    name,
    before: entry.values(attribute).join(','),
    after: values.join(','),
  }));
  context.changed({ object: context.serverName, dn: entry.dn, properties });
}

/** Throws CmdletError for a value that does not parse. */
function parsed(parameter: string, parse: () => readonly string[]): readonly string[] {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof RangeError) throw badArgument(parameter, cause.message, cause);
    throw cause;
  }
}

function portOf(parameter: string, text: string): string {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw badArgument(parameter, `'${text}' is not a port from 1 to 65535.`);
  return String(port);
}

export const configureAdam: Cmdlet = {
  name: 'ConfigureAdam.ps1',
  synopsis: 'Moves the LDAP and LDAPS ports of the directory, and says on which addresses LDAPS serves whom.',
  parameters,
  supportsShouldProcess: true,
  examples: [
    { line: 'ConfigureAdam.ps1 -LdapPort 50399 -SslPort 50646', says: 'Both ports, in force at once.' },
    {
      line: 'ConfigureAdam.ps1 -Addresses 192.0.2.25 -RemoteIPRanges 192.0.2.0/24',
      says: 'LDAPS on one address, for one network.',
    },
  ],
  run: (context, bound) => quietly(() => onNewestState(context, (once) => configure(once, bound))),
};
