/** New-, Get- and Remove-EdgeSubscription: on the edge the subscription file, inside the import. */
import { parseTimeSpan } from '../base/index.ts';
import type { EdgeSubscriptionView, EdgeSyncAdministration } from './edge-sync-administration.ts';
import { knownCmdlet } from './exchange-cmdlets.ts';
import { badArgument, identityOf, isOn, missingArgument, textOf, yesNoOf } from './parameter-values.ts';
import { parametersOf } from './parameters.ts';
import {
  type BoundParameters,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  CmdletObject,
  quietly,
} from './runtime.ts';

/** Exchange's default and least life of the bootstrap account, in seconds. */
const defaultLife = 86_400;
const leastLife = 120;

export function edgeSyncOf({ edgeSync }: CmdletContext): EdgeSyncAdministration {
  if (edgeSync !== undefined) return edgeSync;
  const text = 'EdgeSync is not at hand here.';
  throw new CmdletError('InvalidOperationException', 'InvalidOperation', text);
}

/** Runs what may be refused for reasons that an administrator can do something about. */
export async function telling<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CmdletError || !(error instanceof Error)) throw error;
    throw new CmdletError('EdgeSyncException', 'InvalidOperation', error.message, { target, cause: error });
  }
}

function subscriptionObject({ name, site, domain, facts }: EdgeSubscriptionView): CmdletObject {
  return new CmdletObject('EdgeSubscription', [
    ['Name', name],
    ['Site', site],
    ['Domain', domain],
    ...facts,
    ['Identity', name],
  ]);
}

async function* create(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject> {
  const administration = edgeSyncOf(context);
  if (administration.kind === 'edge') yield* issue(context, bound, administration);
  else yield* importFile(context, bound, administration);
}

async function* issue(
  context: CmdletContext,
  bound: BoundParameters,
  edge: Extract<EdgeSyncAdministration, { kind: 'edge' }>,
): AsyncIterable<CmdletObject> {
  const fileName = textOf(bound, 'FileName');
  if (fileName === undefined)
    throw missingArgument('FileName', 'On an Edge Transport server it is needed: the file to write.');
  for (const name of ['FileData', 'Site', 'CreateInternetSendConnector', 'CreateInboundSendConnector']) {
    if (bound.has(name)) throw badArgument(name, 'It belongs to the import on a Mailbox server.');
  }
  const life = lifeOf(bound);
  const action =
    'Send connectors, accepted domains and remote domains of this server will be replaced by those of the organization at the first synchronization, and their New-, Set- and Remove- cmdlets are closed while it is subscribed. Creating the subscription file';
  const sure = isOn(bound, 'Force') || (await context.shouldProcess({ action, target: fileName, impact: 'High' }));
  if (!sure) return;
  const file = await telling(fileName, () => edge.issue(life * 1000));
  context.changed({
    object: context.serverName,
    dn: '',
    properties: [{ name: 'EdgeSubscription', before: '', after: `bootstrap account for ${life / 60} minutes` }],
  });
  context.warning(
    `The file holds a password in clear that works once and for ${life / 60} minutes. Import it inside (edge sync subscribe, or New-EdgeSubscription -FileData), then delete every copy.`,
  );
  yield new CmdletObject('EdgeSubscriptionFile', [
    ['FileName', fileName],
    ['FileData', file.toString('base64')],
  ]);
}

function lifeOf(bound: BoundParameters): number {
  const text = textOf(bound, 'AccountExpiryDuration');
  if (text === undefined) return defaultLife;
  let seconds: number;
  try {
    seconds = parseTimeSpan(text);
  } catch (cause) {
    throw badArgument('AccountExpiryDuration', `${(cause as Error).message}.`, cause);
  }
  if (seconds < leastLife) throw badArgument('AccountExpiryDuration', 'The account must live for 00:02:00 at least.');
  return seconds;
}

async function* importFile(
  context: CmdletContext,
  bound: BoundParameters,
  inside: Extract<EdgeSyncAdministration, { kind: 'inside' }>,
): AsyncIterable<CmdletObject> {
  if (bound.has('FileName'))
    throw badArgument('FileName', 'It belongs to the Edge Transport server; here the file comes by -FileData.');
  const file = octetsOf(bound.get('FileData'));
  const site = textOf(bound, 'Site');
  if (site === undefined)
    throw missingArgument('Site', 'It is needed: the site whose Mailbox servers the edge delivers to.');
  if (
    !(await context.shouldProcess({
      action: 'Subscribing an Edge Transport server to',
      target: site,
      impact: 'Medium',
    }))
  )
    return;
  const options = {
    site,
    internet: yesNoOf(bound, 'CreateInternetSendConnector', true),
    inbound: yesNoOf(bound, 'CreateInboundSendConnector', true),
  };
  const view = await telling(site, () => inside.subscribe(file, options));
  context.changed({ object: view.name, dn: '', properties: [{ name: 'EdgeSubscription', before: '', after: site }] });
  yield subscriptionObject(view);
}

/** Octets of -FileData: a byte array, as ReadAllBytes and Get-Content -Encoding Byte give. */
function octetsOf(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'number' && one >= 0 && one <= 255)) {
    return Buffer.from(value as number[]);
  }
  throw badArgument('FileData', "The octets of the file are needed: ([System.IO.File]::ReadAllBytes('C:\\file.xml')).");
}

async function* show(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject> {
  const identity = identityOf(bound);
  const all = await telling(identity ?? '', () => edgeSyncOf(context).list());
  const found = all.filter(({ name }) => identity === undefined || name.toLowerCase() === identity.toLowerCase());
  if (found.length === 0 && identity !== undefined) throw notThere(identity);
  for (const view of found) yield subscriptionObject(view);
}

function notThere(identity: string): CmdletError {
  const text = `There is no Edge subscription '${identity}'.`;
  return new CmdletError('ManagementObjectNotFoundException', 'ObjectNotFound', text, { target: identity });
}

async function remove(context: CmdletContext, bound: BoundParameters): Promise<void> {
  const administration = edgeSyncOf(context);
  const identity = identityOf(bound) ?? '';
  const all = await telling(identity, () => administration.list());
  const meant = all.find(({ name }) => name.toLowerCase() === identity.toLowerCase());
  if (meant === undefined) throw notThere(identity);
  const action =
    administration.kind === 'edge'
      ? 'Everything that was replicated will be deleted. Removing the Edge subscription'
      : 'Removing the Edge subscription (remove it on the edge too)';
  if (!isOn(bound, 'Force') && !(await context.shouldProcess({ action, target: meant.name, impact: 'High' }))) return;
  await telling(meant.name, () => administration.remove(meant.name));
  context.changed({
    object: meant.name,
    dn: '',
    properties: [{ name: 'EdgeSubscription', before: meant.site, after: '' }],
  });
}

/** The cmdlets. */
export const edgeSubscriptionCmdlets: readonly Cmdlet[] = [
  {
    name: 'New-EdgeSubscription',
    synopsis: 'On an edge: writes the subscription file. Inside: imports it.',
    parameters: parametersOf(knownCmdlet('New-EdgeSubscription')),
    supportsShouldProcess: true,
    examples: [
      {
        line: "New-EdgeSubscription -FileName '/tmp/edge-subscription-example.xml' -Force",
        says: 'On the edge: the file to take inside within a day.',
      },
    ],
    run: create,
  },
  {
    name: 'Get-EdgeSubscription',
    synopsis: 'Shows the subscription of this edge, or the edges that are subscribed.',
    parameters: parametersOf(knownCmdlet('Get-EdgeSubscription')),
    supportsShouldProcess: false,
    examples: [{ line: 'Get-EdgeSubscription | Format-List', says: 'Accounts, keys, last synchronization.' }],
    run: show,
  },
  {
    name: 'Remove-EdgeSubscription',
    synopsis: 'Ends a subscription.',
    parameters: parametersOf(knownCmdlet('Remove-EdgeSubscription')),
    supportsShouldProcess: true,
    examples: [],
    run: (context, bound) => quietly(() => remove(context, bound)),
  },
];
