/** Start- and Test-EdgeSynchronization. */
import { edgeSyncOf, telling } from './edge-subscription.ts';
import type { EdgeSyncAdministration } from './edge-sync-administration.ts';
import { knownCmdlet } from './exchange-cmdlets.ts';
import { badArgument, isOn, textOf } from './parameter-values.ts';
import { parametersOf } from './parameters.ts';
import { type BoundParameters, type Cmdlet, type CmdletContext, CmdletError, CmdletObject } from './runtime.ts';

function insideOf(context: CmdletContext): Extract<EdgeSyncAdministration, { kind: 'inside' }> {
  const administration = edgeSyncOf(context);
  if (administration.kind === 'inside') return administration;
  const text =
    'An Edge Transport server is synchronized from inside: run this on a Mailbox server, or edge sync apply.';
  throw new CmdletError('InvalidOperationException', 'InvalidOperation', text);
}

async function* start(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject> {
  const inside = insideOf(context);
  const target = textOf(bound, 'TargetServer');
  const server = textOf(bound, 'Server');
  if (server !== undefined && server.split('.')[0]?.toLowerCase() !== context.serverName.toLowerCase())
    throw badArgument('Server', `This is ${context.serverName}: run the cmdlet on ${server}.`);
  if (!(await context.shouldProcess({ action: 'Synchronizing', target: target ?? 'every edge', impact: 'Medium' })))
    return;
  const started = new Date();
  const results = await telling(target ?? '', () =>
    inside.synchronize({
      target,
      full: isOn(bound, 'ForceFullSync'),
      force: isOn(bound, 'ForceUpdateCookie'),
      signal: context.signal,
    }),
  );
  for (const { edge, type, result, failure, added, deleted, updated, scanned } of results) {
    yield new CmdletObject('EdgeSyncResult', [
      ['RunspaceId', ''],
      ['Result', result],
      ['Type', type],
      ['Name', edge],
      ['FailureDetails', failure],
      ['StartUTC', started],
      ['EndUTC', new Date()],
      ['Added', added],
      ['Deleted', deleted],
      ['Updated', updated],
      ['Scanned', scanned],
      ['TargetScanned', 0],
    ]);
  }
}

async function* test(context: CmdletContext, bound: BoundParameters): AsyncIterable<CmdletObject> {
  const inside = insideOf(context);
  const address = textOf(bound, 'VerifyRecipient');
  if (address === undefined) {
    const options = {
      target: textOf(bound, 'TargetServer'),
      full: isOn(bound, 'FullCompareMode'),
      recipients: !isOn(bound, 'ExcludeRecipientTest'),
      most: mostReported(bound),
      signal: context.signal,
    };
    if (isOn(bound, 'MonitoringContext'))
      context.warning('The MonitoringContext parameter has no effect: there is no monitoring agent to report to.');
    for (const { name, site, facts } of await telling(options.target ?? '', () => inside.test(options)))
      yield new CmdletObject('EdgeSynchronizationStatus', [['Name', name], ['Site', site], ...facts]);
    return;
  }
  const found = await telling(address, () => inside.verify(address));
  const status = found.some(({ verdict }) => verdict.startsWith('accepted')) ? 'Synchronized' : 'NotSynchronized';
  yield new CmdletObject('EdgeSyncRecipientStatus', [
    ['Recipient', address],
    ['RecipientStatus', found.length === 0 ? 'DoesNotExistInSource' : status],
    ['Details', found.map(({ dn, verdict }) => `${dn}: ${verdict}`)],
  ]);
}

function mostReported(bound: BoundParameters): number {
  const text = textOf(bound, 'MaxReportSize') ?? '1000';
  if (/^unlimited$/i.test(text)) return Infinity;
  if (!/^[1-9]\d*$/.test(text))
    throw badArgument('MaxReportSize', `'${text}' is neither a number from 1 nor Unlimited.`);
  return Number(text);
}

/** The cmdlets. */
export const edgeSynchronizationCmdlets: readonly Cmdlet[] = [
  {
    name: 'Start-EdgeSynchronization',
    synopsis: 'Brings the subscribed edges up to date now.',
    parameters: parametersOf(knownCmdlet('Start-EdgeSynchronization')),
    supportsShouldProcess: true,
    examples: [],
    run: start,
  },
  {
    name: 'Test-EdgeSynchronization',
    synopsis: 'Compares the subscribed edges with the source, and writes nothing.',
    parameters: parametersOf(knownCmdlet('Test-EdgeSynchronization')),
    supportsShouldProcess: true,
    examples: [],
    run: test,
  },
];
