/** New-, Get- and Set-EdgeSyncServiceConfig: how EdgeSync runs for the edges of one site. */
import { byteSize, oneOf, orUnlimited, pathSyntax, type Shown, timeSpan, yesNo } from '../config/index.ts';
import { edgeSyncOf, telling } from './edge-subscription.ts';
import type { EdgeSyncServiceView, InsideAdministration } from './edge-sync-administration.ts';
import { knownCmdlet } from './exchange-cmdlets.ts';
import { badArgument, identityOf, missingArgument, textOf } from './parameter-values.ts';
import { parametersOf } from './parameters.ts';
import {
  type BoundParameters,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  CmdletObject,
  quietly,
} from './runtime.ts';

const minute = 60;
const day = 86_400;
/** 24855.03:14:07, the largest time span that Exchange takes for a log. */
const longestAge = 2_147_483_647;

/** Parameters that have an effect, with what they take. Every other one is refused. */
const rows = {
  ConfigurationSyncInterval: { field: 'configurationSyncInterval', syntax: timeSpan(10, day) },
  RecipientSyncInterval: { field: 'recipientSyncInterval', syntax: timeSpan(10, day) },
  LockDuration: { field: 'lockDuration', syntax: timeSpan(minute, 60 * minute) },
  CookieValidDuration: { field: 'cookieValidDuration', syntax: timeSpan(minute, 365 * day) },
  LogEnabled: { field: 'logEnabled', syntax: yesNo },
  LogLevel: { field: 'logLevel', syntax: oneOf(['None', 'Low', 'Medium', 'High']) },
  LogPath: { field: 'logPath', syntax: pathSyntax },
  LogMaxAge: { field: 'logMaxAge', syntax: timeSpan(0, longestAge) },
  LogMaxDirectorySize: { field: 'logMaxDirectorySize', syntax: orUnlimited(byteSize()) },
  LogMaxFileSize: { field: 'logMaxFileSize', syntax: orUnlimited(byteSize()) },
} as const;

type Row = (typeof rows)[keyof typeof rows];

/** A setting as it is shown. */
function valueOf({ field, syntax }: Row, config: EdgeSyncServiceView): Shown {
  const { show } = syntax as { show(value: unknown): Shown };
  return show(config[field]);
}

function insideOf(context: CmdletContext): InsideAdministration {
  const administration = edgeSyncOf(context);
  if (administration.kind === 'inside') return administration;
  const text = 'EdgeSync runs inside: set this on a Mailbox server.';
  throw new CmdletError('InvalidOperationException', 'InvalidOperation', text);
}

function changesIn(bound: BoundParameters): Partial<EdgeSyncServiceView> {
  const changes: Record<string, unknown> = {};
  for (const [name, { field, syntax }] of Object.entries(rows)) {
    if (!bound.has(name)) continue;
    try {
      changes[field] = syntax.parse(bound.get(name));
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw badArgument(name, `${cause.message}.`, cause);
    }
  }
  return changes;
}

function shown(config: EdgeSyncServiceView): CmdletObject {
  const values = Object.entries(rows).map(([name, row]) => [name, valueOf(row, config)] as const);
  return new CmdletObject('EdgeSyncServiceConfig', [
    ['Site', config.site],
    ...values,
    ['Name', 'EdgeSyncService'],
    ['Identity', config.site],
  ]);
}

async function* show(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject> {
  const inside = insideOf(context);
  const wanted = identityOf(bound) ?? textOf(bound, 'Site');
  const all = await telling(wanted ?? '', () => inside.serviceConfigs());
  const found = all.filter(({ site }) => wanted === undefined || siteOf(wanted) === site.toLowerCase());
  if (found.length === 0 && wanted !== undefined) throw notThere(wanted);
  for (const config of found) yield shown(config);
}

/** A site, or the identity that Exchange gives: `<site>\EdgeSyncService`. */
const siteOf = (identity: string): string => identity.replace(/\\EdgeSyncService$/i, '').toLowerCase();

function notThere(identity: string): CmdletError {
  const text = `There is no EdgeSync service configuration of site '${identity}': New-EdgeSyncServiceConfig -Site '${identity}'.`;
  return new CmdletError('ManagementObjectNotFoundException', 'ObjectNotFound', text, { target: identity });
}

async function* create(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject> {
  const inside = insideOf(context);
  const site = textOf(bound, 'Site');
  if (site === undefined) throw missingArgument('Site', 'It is needed: the site whose edges it is about.');
  const all = await telling(site, () => inside.serviceConfigs());
  if (all.some((one) => one.site.toLowerCase() === site.toLowerCase() && one.isOwn)) {
    const text = `Site '${site}' has an EdgeSync service configuration already: Set-EdgeSyncServiceConfig '${site}'.`;
    throw new CmdletError('ADObjectAlreadyExistsException', 'ResourceExists', text, { target: site });
  }
  const changes = changesIn(bound);
  const action = 'Creating the EdgeSync service configuration of site';
  if (!(await context.shouldProcess({ action, target: site, impact: 'Medium' }))) return;
  const made = await telling(site, () => inside.setServiceConfig(site, changes));
  note(context, undefined, made);
  yield shown(made);
}

async function change(context: CmdletContext, bound: BoundParameters): Promise<void> {
  const inside = insideOf(context);
  const identity = identityOf(bound) ?? '';
  const all = await telling(identity, () => inside.serviceConfigs());
  const before = all.find(({ site }) => site.toLowerCase() === siteOf(identity));
  if (before === undefined) throw notThere(identity);
  const changes = changesIn(bound);
  const action = 'Changing the EdgeSync service configuration of site';
  if (!(await context.shouldProcess({ action, target: before.site, impact: 'Medium' }))) return;
  note(context, before, await telling(identity, () => inside.setServiceConfig(before.site, changes)));
}

function note(context: CmdletContext, before: EdgeSyncServiceView | undefined, after: EdgeSyncServiceView): void {
  const properties = Object.entries(rows)
    .filter(([, { field }]) => before?.[field] !== after[field])
    .map(([name, row]) => ({
      name,
      before: before === undefined ? '' : String(valueOf(row, before)),
      after: String(valueOf(row, after)),
    }));
  context.changed({ object: `EdgeSyncService of ${after.site}`, dn: '', properties });
}

/** Parameters of a cmdlet; those without an effect here are refused when a line runs. */
function parametersWithEffect(name: string) {
  return parametersOf(knownCmdlet(name)).map((parameter) =>
    parameter.name in rows || /^(?:Identity|Site|WhatIf|Confirm|DomainController)$/.test(parameter.name)
      ? parameter
      : { ...parameter, notImplementedYet: true },
  );
}

/** The cmdlets. */
export const edgeSyncServiceConfigCmdlets: readonly Cmdlet[] = [
  {
    name: 'Get-EdgeSyncServiceConfig',
    synopsis: 'Shows how EdgeSync runs for the edges of each site.',
    parameters: parametersWithEffect('Get-EdgeSyncServiceConfig'),
    supportsShouldProcess: false,
    examples: [],
    run: show,
  },
  {
    name: 'New-EdgeSyncServiceConfig',
    synopsis: 'Says how EdgeSync runs for the edges of a site.',
    parameters: parametersWithEffect('New-EdgeSyncServiceConfig'),
    supportsShouldProcess: true,
    examples: [],
    run: create,
  },
  {
    name: 'Set-EdgeSyncServiceConfig',
    synopsis: 'Changes how EdgeSync runs for the edges of a site.',
    parameters: parametersWithEffect('Set-EdgeSyncServiceConfig'),
    supportsShouldProcess: true,
    examples: [],
    run: (context, bound) => quietly(() => change(context, bound)),
  },
];
