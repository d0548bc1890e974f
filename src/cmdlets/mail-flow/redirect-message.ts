/** Redirect-Message: empties the queues of a server to other servers, before it is taken down. */
import { parseSmartHost } from '../../config/index.ts';
import { serverEntry } from '../directory-objects.ts';
import { knownCmdlet } from '../exchange-cmdlets.ts';
import { badArgument, missingArgument, textOf, textsOf } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { type BoundParameters, type Cmdlet, type CmdletContext, quietly } from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';
import { runningTransport } from './chosen-objects.ts';

/** Servers to send to, as smart hosts. Throws CmdletError: mail to oneself would come back as a loop. */
async function targetsOf(context: CmdletContext, bound: BoundParameters): Promise<readonly string[]> {
  const texts = textsOf(bound, 'Target').flatMap((text) => text.split(',').map((one) => one.trim()));
  if (texts.length === 0)
    throw missingArgument('Target', 'It is needed: the server to send to, such as mail2.example.com.');
  const own = await serverEntry(context, textOf(bound, 'Server'));
  const names = [...own.values('cn'), ...own.values('networkAddress').map((one) => one.replace(/^.*?:/, ''))];
  return texts.map((text) => {
    if (names.some((name) => name.toLowerCase() === text.toLowerCase())) {
      throw badArgument('Target', `'${text}' is this server itself: its mail would come back.`);
    }
    try {
      return parseSmartHost(text);
    } catch (cause) {
      throw badArgument('Target', `${(cause as Error).message}.`, cause);
    }
  });
}

/** The cmdlet. */
export const redirectMessage: Cmdlet = {
  name: 'Redirect-Message',
  synopsis: 'Sends all that waits in the queues to another server instead.',
  parameters: parametersOf(knownCmdlet('Redirect-Message')),
  supportsShouldProcess: true,
  examples: [
    {
      line: 'Redirect-Message -Server (Get-ExchangeServer).Name -Target edge2.example.com -Confirm:$false',
      says: 'Before maintenance. Held messages stay; a change of the configuration routes the rest as usual again.',
    },
  ],
  run: (context, bound) =>
    quietly(async () => {
      refuseOthers(bound, ['Server', 'Target', 'Confirm', 'WhatIf']);
      const targets = await targetsOf(context, bound);
      const transport = runningTransport(context);
      const target = targets.join(', ');
      const operation = { action: 'Redirecting all queued messages to', target, impact: 'Medium' } as const;
      if (!(await context.shouldProcess(operation))) return;
      const moved = await transport.redirect(targets);
      context.changed({
        object: context.serverName,
        dn: '',
        properties: [{ name: 'RedirectedMessages', before: '', after: `${moved} to ${target}` }],
      });
      const held = (await transport.messages()).filter(({ status }) => status === 'Suspended').length;
      if (held > 0) context.warning(`${held} suspended messages stay in their queues. Resume or remove them.`);
    }),
};
