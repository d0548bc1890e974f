/** Get-Queue, Get-QueueDigest, Suspend-, Resume- and Retry-Queue. */

import { knownCmdlet } from '../exchange-cmdlets.ts';
import { badArgument, isOn, missingArgument, plainText, textOf } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { type Cmdlet, CmdletError, CmdletObject, quietly } from '../runtime.ts';
import type { QueueAction, TransportAdministration } from '../transport-administration.ts';
import { refuseOthers, withServer } from '../transport-objects.ts';
import { arranged, choose, runningTransport } from './chosen-objects.ts';
import { propertyNames, shownInfo } from './info-table.ts';
import { queueTable } from './queue-properties.ts';

const chosen = ['Identity', 'Filter', 'Server', 'Confirm', 'WhatIf', 'DomainController'];
const listed = [...chosen, 'ResultSize', 'SortOrder', 'Include', 'Exclude'];

const getQueue: Cmdlet = {
  name: 'Get-Queue',
  synopsis: 'Shows the queues of this server.',
  parameters: parametersOf(knownCmdlet('Get-Queue')),
  supportsShouldProcess: false,
  examples: [
    { line: 'Get-Queue', says: 'All queues.' },
    { line: 'Get-Queue -Filter "Status -eq \'Retry\' -and MessageCount -gt 10"', says: 'Queues that are stuck.' },
  ],
  async *run(context, line) {
    refuseOthers(line, listed);
    const bound = withServer(line, 'Identity');
    const queues = (await runningTransport(context).queues()).map((queue) => shownInfo(queueTable, queue));
    const [only, without] = [textOf(bound, 'Include'), textOf(bound, 'Exclude')].map((name) => name?.toLowerCase());
    const wanted = choose(context, bound, queues, queueTable).filter((queue) => {
      const category = String(queue.get('NextHopCategory')).toLowerCase();
      return (only === undefined || category === only) && category !== without;
    });
    yield* arranged(bound, wanted, propertyNames(queueTable));
  },
};

interface QueueVerb {
  readonly verb: string;
  readonly action: QueueAction;
  readonly synopsis: string;
  readonly says: string;
  /** Status that the queue has then. */
  readonly after: string;
}

const advice =
  'Messages are routed as they come in; single ones are held with Suspend-Message, removed with Remove-Message.';

const verbs: readonly QueueVerb[] = [
  {
    verb: 'Suspend',
    action: 'suspend',
    synopsis: 'Keeps the messages of a queue back.',
    says: 'Suspending',
    after: 'Suspended',
  },
  { verb: 'Resume', action: 'resume', synopsis: 'Lets a suspended queue go on.', says: 'Resuming', after: 'Ready' },
  {
    verb: 'Retry',
    action: 'retry',
    synopsis: 'Tries the next hop of a queue at once.',
    says: 'Retrying',
    after: 'Active',
  },
];

function queueCmdlet({ verb, action, synopsis, says, after }: QueueVerb): Cmdlet {
  const name = `${verb}-Queue`;
  return {
    name,
    synopsis,
    parameters: parametersOf(knownCmdlet(name)),
    supportsShouldProcess: true,
    examples: [{ line: `Get-Queue | ${name} -Confirm:$false`, says: `${says} all queues.` }],
    run: (context, bound) =>
      quietly(async () => {
        refuseOthers(bound, [...chosen, ...(action === 'retry' ? ['Resubmit'] : [])]);
        if (!bound.has('Identity') && !bound.has('Filter')) {
          throw missingArgument('Identity', 'It names the queue, such as SERVER\\3; or use -Filter.');
        }
        const transport = runningTransport(context);
        const queues = (await transport.queues()).map((queue) => shownInfo(queueTable, queue));
        const resubmit = isOn(bound, 'Resubmit');
        for (const queue of choose(context, bound, queues, queueTable)) {
          const identity = String(queue.get('Identity'));
          if (/\\(?:Submission|Poison)$/.test(identity)) {
            context.warning(`The queue ${identity} delivers nothing, so nothing was done to it. ${advice}`);
            continue;
          }
          if (!(await context.shouldProcess({ action: `${says} queue`, target: identity, impact: 'Medium' }))) continue;
          if (resubmit) await refuseUnderPressure(transport, identity);
          await transport.actOnQueues(action, [identity], { resubmit });
          const before = String(queue.get('Status'));
          context.changed({ object: identity, dn: '', properties: [{ name: 'Status', before, after }] });
        }
      }),
  };
}

/** Exchange pauses resubmission from Medium on. For a lack of system memory alone it refuses nothing. */
async function refuseUnderPressure(transport: TransportAdministration, queue: string): Promise<void> {
  const raised = (await transport.resources()).find(
    ({ resource, level }) => level !== 'Low' && resource !== 'SystemMemory',
  );
  if (raised === undefined) return;
  const text = `Nothing is resubmitted under back pressure: ${raised.resource} is ${raised.level} (Get-ExchangeDiagnosticInfo -Process EdgeTransport -Component ResourceThrottling). Without -Resubmit the queue is tried all the same.`;
  throw new CmdletError('InvalidOperationException', 'InvalidOperation', text, { target: queue });
}

const groupings: readonly string[] = queueTable.properties.flatMap(({ name, groupBy }) => (groupBy ? [name] : []));

function detailsOf(queue: CmdletObject, level: string): readonly string[] {
  const identity = String(queue.get('Identity'));
  if (level !== 'verbose') return level === 'none' ? [] : [identity];
  const shown = ['Status', 'MessageCount', 'DeliveryType', 'NextHopDomain', 'LastError'];
  return [[identity, ...shown.map((name) => plainText(queue.get(name)))].join(' ').trim()];
}

const getQueueDigest: Cmdlet = {
  name: 'Get-QueueDigest',
  synopsis: 'Sums up the queues of this server.',
  parameters: parametersOf(knownCmdlet('Get-QueueDigest')),
  supportsShouldProcess: false,
  examples: [{ line: 'Get-QueueDigest -GroupBy Status', says: 'Messages by the state of their queue.' }],
  async *run(context, bound) {
    refuseOthers(bound, ['Server', 'Filter', 'GroupBy', 'ResultSize', 'DetailsLevel']);
    const level = (textOf(bound, 'DetailsLevel') ?? 'Normal').toLowerCase();
    if (!['none', 'normal', 'verbose'].includes(level)) {
      throw badArgument('DetailsLevel', `'${level}' is not one of None, Normal, Verbose.`);
    }
    const wanted = textOf(bound, 'GroupBy') ?? 'NextHopDomain';
    const property = groupings.find((name) => name.toLowerCase() === wanted.toLowerCase());
    if (property === undefined && wanted.toLowerCase() !== 'servername') {
      throw badArgument('GroupBy', `'${wanted}' is not one of ServerName, ${groupings.join(', ')}.`);
    }
    const queues = (await runningTransport(context).queues()).map((queue) => shownInfo(queueTable, queue));
    const groups = new Map<string, CmdletObject[]>();
    for (const queue of choose(context, bound, queues, queueTable)) {
      const key = property === undefined ? context.serverName : plainText(queue.get(property));
      groups.set(key, [...(groups.get(key) ?? []), queue]);
    }
    const sum = (list: readonly CmdletObject[], name: string): number =>
      list.reduce((total, queue) => total + Number(queue.get(name)), 0);
    const digests = [...groups].map(
      ([key, list]) =>
        new CmdletObject('QueueDigestPresentationObject', [
          ['GroupByValue', key],
          ['MessageCount', sum(list, 'MessageCount')],
          ['DeferredMessageCount', sum(list, 'DeferredMessageCount')],
          ['LockedMessageCount', 0],
          ['StaleMessageCount', 0],
          ['IncomingRate', sum(list, 'IncomingRate')],
          ['OutgoingRate', sum(list, 'OutgoingRate')],
          ['Details', list.flatMap((queue) => detailsOf(queue, level))],
        ]),
    );
    yield* arranged(
      bound,
      digests.sort((a, b) => Number(b.get('MessageCount')) - Number(a.get('MessageCount'))),
      [],
    );
  },
};

/** The queue cmdlets. */
export const queueCmdlets: readonly Cmdlet[] = [getQueue, getQueueDigest, ...verbs.map(queueCmdlet)];
