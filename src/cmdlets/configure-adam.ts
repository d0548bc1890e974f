/** `ConfigureAdam.ps1`: Exchange's script that moves the ports of the directory of an Edge server. */
import { transportService } from '../config/index.ts';
import { serverEntry } from './directory-objects.ts';
import { badArgument, textOf } from './parameter-values.ts';
import { type BoundParameters, type Cmdlet, type CmdletContext, type Parameter, quietly } from './runtime.ts';

const ports = [
  { name: 'LdapPort', row: transportService.properties.edgeSyncAdamLdapPort, help: 'Port without TLS; loopback only.' },
  { name: 'SslPort', row: transportService.properties.edgeSyncAdamSslPort, help: 'Port with TLS.' },
] as const;

const parameters: readonly Parameter[] = ports.map(({ name, help }) => ({ name, type: 'Int32', help }));

/** Writes the ports to the server object; they are listened on from the next start. */
async function configure(context: CmdletContext, bound: BoundParameters): Promise<void> {
  const entry = await serverEntry(context);
  const changes = ports.flatMap(({ name, row }) => {
    const text = textOf(bound, name);
    return text === undefined ? [] : [{ name, attribute: row.attribute, value: portOf(name, text) }];
  });
  if (changes.length === 0) throw badArgument('LdapPort', 'Name at least one of -LdapPort and -SslPort.');
  if (
    !(await context.shouldProcess({
      action: 'Moving the ports of the directory of',
      target: context.serverName,
      impact: 'Medium',
    }))
  )
    return;
  await context.store.modify(
    entry.dn,
    changes.map(({ attribute, value }) => ({ operation: 'replace', attribute, values: [Buffer.from(value)] })),
  );
  const properties = changes.map(({ name, attribute, value }) => ({
    name,
    before: entry.values(attribute)[0] ?? '',
    after: value,
  }));
  context.changed({ object: context.serverName, dn: entry.dn, properties });
  if (context.transport !== undefined)
    context.warning('The directory listens on the new ports after the next start of the service.');
}

function portOf(parameter: string, text: string): string {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw badArgument(parameter, `'${text}' is not a port from 1 to 65535.`);
  return String(port);
}

export const configureAdam: Cmdlet = {
  name: 'ConfigureAdam.ps1',
  synopsis: 'Moves the LDAP and LDAPS ports of the directory.',
  parameters,
  supportsShouldProcess: true,
  examples: [
    { line: 'ConfigureAdam.ps1 -LdapPort 50399 -SslPort 50646', says: 'Both ports, in force from the next start.' },
  ],
  run: (context, bound) => quietly(() => configure(context, bound)),
};
