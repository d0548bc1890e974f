/** Test-SmtpConnectivity: does every endpoint of the receive connectors answer? */
import { formatEndpoint } from '../../base/index.ts';
import { receiveConnector } from '../../config/index.ts';
import { listObjects, serverEntry } from '../directory-objects.ts';
import { knownCmdlet } from '../exchange-cmdlets.ts';
import { identityOf, isOn, notImplemented } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { type Cmdlet, CmdletObject } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { runningTransport } from './chosen-objects.ts';

/** Where this machine reaches a binding: the unspecified address is no place to connect to. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

const statusOf = (reply: string): string => (/^220[ -]/.test(reply) ? 'Success' : 'UnexpectedResponse');

/** The receive connectivity test. */
export const testSmtpConnectivity: Cmdlet = {
  name: 'Test-SmtpConnectivity',
  synopsis: 'Connects to every endpoint of the receive connectors and says what answers.',
  parameters: parametersOf(knownCmdlet('Test-SmtpConnectivity')),
  supportsShouldProcess: true,
  examples: [
    { line: 'Test-SmtpConnectivity', says: 'Every endpoint of this server, asked from this server itself.' },
    {
      line: "Test-SmtpConnectivity | Where-Object {$_.StatusCode -ne 'Success'} | Format-List ReceiveConnector,EndPoint,Details",
      says: 'What is wrong, if anything.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(bound, ['Identity', 'MonitoringContext', 'WhatIf', 'Confirm', 'DomainController']);
    if (isOn(bound, 'MonitoringContext')) throw notImplemented('The parameter MonitoringContext with $true');
    const below = `,${(await serverEntry(context, identityOf(bound))).dn}`.toLowerCase();
    const transport = runningTransport(context);
    const operation = { action: 'Testing SMTP connectivity of', target: context.serverName, impact: 'Medium' } as const;
    if (!(await context.shouldProcess(operation))) return;
    const connectors = await listObjects(context, receiveConnector);
    for (const { object } of connectors.filter(({ entry }) => entry.dn.toLowerCase().endsWith(below))) {
      for (const { address, port } of object.bindings) {
        const endpoint = { address: reachable(address), port };
        const [status, details] = object.enabled
          ? await answerOf(transport.greet(endpoint, context.signal))
          : ['Disabled', 'The connector is disabled: nobody listens for it.'];
        yield new CmdletObject('SmtpConnectivityStatus', [
          ['Server', context.serverName],
          ['ReceiveConnector', object.identity],
          ['Binding', formatEndpoint({ address, port })],
          ['EndPoint', formatEndpoint(endpoint)],
          ['StatusCode', status],
          ['Details', details],
          ['Identity', `${object.identity} ${formatEndpoint(endpoint)}`],
          ['IsValid', true],
          ['ObjectState', 'New'],
        ]);
      }
    }
  },
};

async function answerOf(greeting: Promise<string>): Promise<readonly [status: string, details: string]> {
  try {
    const reply = await greeting;
    return [statusOf(reply), reply];
  } catch (error) {
    return ['UnableToConnect', (error as Error).message];
  }
}
