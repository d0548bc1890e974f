/** Get-Message, Suspend-, Resume-, Remove- and Export-Message. */

import { knownCmdlet } from '../exchange-cmdlets.ts';
import { identityOf, isOn, missingArgument, plainText, yesNoOf } from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import {
  type AuditedChange,
  type BoundParameters,
  type Cmdlet,
  type CmdletContext,
  CmdletObject,
  quietly,
} from '../runtime.ts';
import type { MessageAction } from '../transport-administration.ts';
import { refuseOthers, withServer } from '../transport-objects.ts';
import { arranged, choose, runningTransport } from './chosen-objects.ts';
import { propertyNames, shownInfo } from './info-table.ts';
import { messageTable } from './message-properties.ts';

const chosen = ['Identity', 'Filter', 'Server', 'Confirm', 'WhatIf', 'DomainController'];
const listed = [...chosen, 'Queue', 'ResultSize', 'SortOrder', 'IncludeRecipientInfo'];

async function messagesOf(context: CmdletContext, bound: BoundParameters): Promise<readonly CmdletObject[]> {
  const all = await runningTransport(context).messages();
  const table = messageTable(isOn(bound, 'IncludeRecipientInfo'));
  const objects = all.map((message) => shownInfo(table, message));
  const wanted = choose(context, bound, objects, table);
  const queue = identityOf(bound, 'Queue');
  if (queue === undefined) return wanted;
  const name = queue.toLowerCase().replace(/^.*\\/, '');
  return wanted.filter((message) => String(message.get('Queue')).toLowerCase().replace(/^.*\\/, '') === name);
}

const getMessage: Cmdlet = {
  name: 'Get-Message',
  synopsis: 'Shows the messages in the queues of this server.',
  parameters: parametersOf(knownCmdlet('Get-Message')),
  supportsShouldProcess: false,
  examples: [
    { line: 'Get-Message', says: 'Up to 1,000 queued messages.' },
    {
      line: 'Get-Message -Filter "FromAddress -like \'*@example.com\'" -ResultSize Unlimited',
      says: 'All of one domain.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(bound, listed);
    yield* arranged(bound, await messagesOf(context, withServer(bound, 'Queue')), propertyNames(messageTable(true)));
  },
};

interface MessageVerb {
  readonly verb: string;
  readonly synopsis: string;
  readonly says: string;
  readonly impact: 'Medium' | 'High';
  readonly action: (bound: BoundParameters) => MessageAction;
  /** Status that the message has then. */
  readonly after: string;
}

const verbs: readonly MessageVerb[] = [
  {
    verb: 'Suspend',
    synopsis: 'Keeps a message back.',
    says: 'Suspending',
    impact: 'Medium',
    action: () => 'suspend',
    after: 'Suspended',
  },
  {
    verb: 'Resume',
    synopsis: 'Lets a suspended message go on.',
    says: 'Resuming',
    impact: 'Medium',
    action: () => 'resume',
    after: 'Ready',
  },
  {
    verb: 'Remove',
    synopsis: 'Deletes a message, with a report to its sender unless -WithNDR $false.',
    says: 'Removing',
    impact: 'High',
    action: (bound) => (yesNoOf(bound, 'WithNDR', true) ? 'removeWithReport' : 'remove'),
    after: 'Removed',
  },
];

function messageCmdlet({ verb, synopsis, says, impact, action, after }: MessageVerb): Cmdlet {
  const name = `${verb}-Message`;
  return {
    name,
    synopsis,
    parameters: parametersOf(knownCmdlet(name)),
    supportsShouldProcess: true,
    examples: [
      {
        line: `Get-Message -Filter "FromAddress -eq 'a@example.com'" | ${name} -Confirm:$false`,
        says: `${says} what one sender sent.`,
      },
    ],
    run: (context, bound) =>
      quietly(async () => {
        refuseOthers(bound, [...chosen, ...(verb === 'Remove' ? ['WithNDR'] : [])]);
        if (!bound.has('Identity') && !bound.has('Filter')) {
          throw missingArgument('Identity', 'It names the message, such as SERVER\\3\\12345; or use -Filter.');
        }
        const transport = runningTransport(context);
        for (const message of await messagesOf(context, bound)) {
          const identity = String(message.get('Identity'));
          if (!(await context.shouldProcess({ action: `${says} message`, target: identity, impact }))) continue;
          await transport.actOnMessages(action(bound), [identity]);
          context.changed({ object: identity, dn: '', properties: auditedProperties(message, after) });
        }
      }),
  };
}

/** What message it was, and its state: after Remove-Message nobody can look any more. Subjects are private. */
function auditedProperties(message: CmdletObject, after?: string): AuditedChange['properties'] {
  const kept = ['InternetMessageId', 'FromAddress'].map((name) => {
    const value = plainText(message.get(name));
    return { name, before: value, after: value };
  });
  return after === undefined ? kept : [{ name: 'Status', before: plainText(message.get('Status')), after }, ...kept];
}

const exportMessage: Cmdlet = {
  name: 'Export-Message',
  synopsis: 'Gives the content of a queued message.',
  parameters: parametersOf(knownCmdlet('Export-Message')),
  supportsShouldProcess: false,
  examples: [{ line: 'Get-Message -ResultSize 1 | Export-Message', says: 'The content as FileData.' }],
  async *run(context, bound) {
    refuseOthers(bound, chosen);
    if (!bound.has('Identity')) throw missingArgument('Identity', 'It names the message, such as SERVER\\3\\12345.');
    for (const message of await messagesOf(context, bound)) {
      const identity = String(message.get('Identity'));
      const content = await runningTransport(context).exportMessage(identity);
      // Mail is private: who read it stands in the audit log, before it is read.
      context.changed({ object: identity, dn: '', properties: auditedProperties(message) });
      yield new CmdletObject('BinaryFileDataObject', [
        ['FileData', content],
        ['Identity', identity],
      ]);
    }
  },
};

/** The message cmdlets. */
export const messageCmdlets: readonly Cmdlet[] = [getMessage, ...verbs.map(messageCmdlet), exportMessage];
