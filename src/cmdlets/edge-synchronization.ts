/** Start- and Test-EdgeSynchronization. */
import { edgeSyncOf, subscriptionObject, telling } from './edge-subscription.ts';
import type { EdgeSyncAdministration } from './edge-sync-administration.ts';
import { knownCmdlet } from './exchange-cmdlets.ts';
import { isOn, textOf } from './parameter-values.ts';
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
    for (const view of await telling('', () => inside.test())) yield subscriptionObject(view);
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
