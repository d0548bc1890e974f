/** Get-MessageTrackingLog and Get-TransportPipeline. */

import type { TrackingQuestion } from '../../logs/index.ts';
import { knownCmdlet } from '../exchange-cmdlets.ts';
import { dateOf, resultSizeOf, textOf, textsOf } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { type BoundParameters, type Cmdlet, CmdletObject } from '../runtime.ts';
import { refuseOthers, requireThisServer } from '../transport-objects.ts';
import { runningTransport } from './chosen-objects.ts';

type TextField = Exclude<keyof TrackingQuestion, 'start' | 'end' | 'recipients'>;

const textFields: readonly (readonly [parameter: string, field: TextField])[] = [
  ['EventId', 'eventId'],
  ['Source', 'source'],
  ['Sender', 'sender'],
  ['MessageId', 'messageId'],
  ['InternalMessageId', 'internalMessageId'],
  ['NetworkMessageId', 'networkMessageId'],
  ['MessageSubject', 'messageSubject'],
  ['Reference', 'reference'],
  ['TransportTrafficType', 'transportTrafficType'],
];

const built = [
  ...textFields.map(([name]) => name),
  'Start',
  'End',
  'Recipients',
  'ResultSize',
  'Server',
  'DomainController',
];

/** What a line looks for. Throws CmdletError. */
function queryOf(bound: BoundParameters): TrackingQuestion {
  const texts = textFields.flatMap(([parameter, field]) => {
    const value = textOf(bound, parameter);
    return value === undefined ? [] : [[field, value] as const];
  });
  const [start, end] = [dateOf(bound, 'Start'), dateOf(bound, 'End')];
  const recipients = textsOf(bound, 'Recipients').flatMap((one) => one.split(',').map((address) => address.trim()));
  return {
    ...Object.fromEntries(texts),
    ...(start && { start }),
    ...(end && { end }),
    ...(recipients.length > 0 && { recipients }),
  };
}

const getMessageTrackingLog: Cmdlet = {
  name: 'Get-MessageTrackingLog',
  synopsis: 'Looks through the message tracking log.',
  parameters: parametersOf(knownCmdlet('Get-MessageTrackingLog')),
  supportsShouldProcess: false,
  examples: [
    { line: 'Get-MessageTrackingLog -EventId FAIL', says: 'Messages that could not be delivered.' },
    { line: 'Get-MessageTrackingLog -Sender a@example.com -ResultSize Unlimited', says: 'Everything from one sender.' },
  ],
  async *run(context, bound) {
    refuseOthers(bound, built);
    requireThisServer(context, bound);
    const limit = resultSizeOf(bound);
    let count = 0;
    for await (const record of context.trackingLog.search(queryOf(bound), context.signal)) {
      if (count === limit) {
        context.warning(`There are more results than ${limit}. Use -ResultSize Unlimited to see all.`);
        return;
      }
      count += 1;
      yield new CmdletObject('MessageTrackingEvent', record);
    }
  },
};

const getTransportPipeline: Cmdlet = {
  name: 'Get-TransportPipeline',
  synopsis: 'Shows which agents act at which event.',
  parameters: parametersOf(knownCmdlet('Get-TransportPipeline')),
  supportsShouldProcess: false,
  examples: [{ line: 'Get-TransportPipeline', says: 'Events in their order, each with its agents.' }],
  async *run(context) {
    for (const { event, agents } of await runningTransport(context).pipeline()) {
      yield new CmdletObject('TransportPipelineEvent', [
        ['Event', event],
        ['TransportAgents', agents],
      ]);
    }
  },
};

/** The log cmdlets. */
export const trackingCmdlets: readonly Cmdlet[] = [getMessageTrackingLog, getTransportPipeline];
