/** Get-, New-, Set-, Remove-SendConnector. */
import { nearestNameHint } from '../../base/index.ts';
import { type Credential, credentialPurpose, type SendConnector, sendConnector } from '../../config/index.ts';
import { badArgument, isOn, missingArgument, textOf } from '../parameter-values.ts';
import type { CmdletContext } from '../runtime.ts';
import type { ObjectKind, Request } from './object-kind.ts';

type Table = typeof sendConnector.properties;

/** What -Usage stands for. */
const usages: Readonly<Record<string, Partial<SendConnector>>> = {
  Custom: {},
  Internal: { maxMessageSize: Infinity },
  Internet: {},
  Partner: {},
};

function preset({ bound }: Request<Table>): Partial<SendConnector> {
  const names = Object.keys(usages);
  const text = textOf(bound, 'Usage');
  const given = names.filter((name) => isOn(bound, name) || name.toLowerCase() === text?.toLowerCase());
  if (text !== undefined && !names.some((name) => name.toLowerCase() === text.toLowerCase())) {
    throw badArgument('Usage', `'${text}' is not one of ${names.join(', ')}.${nearestNameHint(text, names)}`);
  }
  if (given.length > 1) throw badArgument(given[1] ?? '', `${given.join(' and ')} exclude each other: name one usage.`);
  if (!bound.has('AddressSpaces')) {
    throw missingArgument(
      'AddressSpaces',
      'It is needed: the domains that the connector serves, such as * or example.com.',
    );
  }
  return usages[given[0] ?? 'Custom'] ?? {};
}

/** Smart hosts and DNS exclude each other: who names smart hosts and says nothing of DNS means them. */
function adjust(
  { context }: Request<Table>,
  _before: SendConnector | undefined,
  changes: Partial<SendConnector>,
): Partial<SendConnector> {
  const named = changes.smartHosts !== undefined && changes.smartHosts.length > 0;
  return {
    ...(named && changes.dnsRoutingEnabled === undefined && { dnsRoutingEnabled: false }),
    ...(changes.authenticationCredential && {
      authenticationCredential: sealed(context, changes.authenticationCredential),
    }),
  };
}

/** The password is in clear only from here to the seal. */
function sealed(context: CmdletContext, { userName, clear, sealed: before }: Credential): Credential {
  if (clear === undefined) return { userName, sealed: before };
  return { userName, sealed: context.seal(clear, credentialPurpose({ userName })) };
}

/** Send connectors. */
export const sendConnectorKind: ObjectKind<Table> = {
  table: sendConnector,
  verbs: ['Get', 'New', 'Set', 'Remove'],
  view: { kind: 'table', columns: ['Identity', 'AddressSpaces', 'Enabled'] },
  ownParameters: { New: ['Usage', 'Custom', 'Internet', 'Internal', 'Partner', 'Force'], Set: ['Force'] },
  parameters: { New: { AddressSpaces: { mandatory: false } } },
  examples: {
    Get: [{ line: 'Get-SendConnector | Format-List', says: 'All send connectors with every property.' }],
    New: [
      {
        line: 'New-SendConnector -Name "To the hub" -AddressSpaces example.com -SmartHosts [127.0.0.1] -Port 2525',
        says: 'Mail for one domain goes to a smart host.',
      },
      {
        line: 'New-SendConnector -Name "To the Internet" -AddressSpaces *',
        says: 'All other mail goes by MX records.',
      },
    ],
  },
  preset,
  adjust,
};
