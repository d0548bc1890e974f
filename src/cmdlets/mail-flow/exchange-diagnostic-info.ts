/** Get-ExchangeDiagnosticInfo, as far as ResourceThrottling goes: what back pressure watches and how it stands. */
import { knownCmdlet } from '../exchange-cmdlets.ts';
import { badArgument, textOf } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { type Cmdlet, CmdletObject } from '../runtime.ts';
import { refuseOthers, requireThisServer } from '../transport-objects.ts';
import { runningTransport } from './chosen-objects.ts';

const process = 'EdgeTransport';
const component = 'ResourceThrottling';

/** Where Exchange gives XML text, these are its ResourceMeter elements as objects, one for each worker. */
export const exchangeDiagnosticInfo: Cmdlet = {
  name: 'Get-ExchangeDiagnosticInfo',
  synopsis: 'Shows how scarce memory, disk and queue are, and the thresholds of back pressure.',
  parameters: parametersOf(knownCmdlet('Get-ExchangeDiagnosticInfo')),
  supportsShouldProcess: false,
  examples: [
    {
      line: `Get-ExchangeDiagnosticInfo -Process ${process} -Component ${component}`,
      says: 'Every resource of every worker, with its level and thresholds.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(bound, ['Process', 'Component', 'Server']);
    requireThisServer(context, bound);
    for (const [parameter, only] of [
      ['Process', process],
      ['Component', component],
    ] as const) {
      const text = textOf(bound, parameter);
      if (text?.toLowerCase() !== only.toLowerCase()) {
        throw badArgument(
          parameter,
          `Name -Process ${process} -Component ${component}: nothing else is there to show.`,
        );
      }
    }
    for (const { worker, resource, level, previous, pressure, transitions } of await runningTransport(
      context,
    ).resources()) {
      yield new CmdletObject('ResourceMeter', [
        ['Resource', resource],
        ['CurrentResourceUse', level],
        ['PreviousResourceUse', previous],
        ['Pressure', Math.round(pressure * 10) / 10],
        ['PressureTransitions', transitions],
        ['Worker', worker],
      ]);
    }
  },
};
