/** Search-AdminAuditLog and Write-AdminAuditLog: who changed what, when, by which line. */
import type { AdminAuditQuestion, AdminAuditRecord } from '../logs/index.ts';
import { knownCmdlet } from './exchange-cmdlets.ts';
import { badArgument, dateOf, isOn, textOf, textsOf } from './parameter-values.ts';
import { parametersOf } from './parameters.ts';
import { type BoundParameters, type Cmdlet, CmdletObject, quietly } from './runtime.ts';
import { refuseOthers } from './transport-objects.ts';

const lists = [
  ['Cmdlets', 'cmdlets'],
  ['ObjectIds', 'objects'],
  ['Parameters', 'parameters'],
  ['UserIds', 'users'],
] as const;

const searchable = [
  ...lists.map(([name]) => name),
  'StartDate',
  'EndDate',
  'IsSuccess',
  'ExternalAccess',
  'ResultSize',
  'StartIndex',
  'DomainController',
];

/** Longest comment, as in Exchange. */
const longestComment = 500;
/** Most results of one search, as in Exchange. */
const mostResults = 250_000;

/** What a line looks for. Throws CmdletError. */
function questionOf(bound: BoundParameters): AdminAuditQuestion {
  const [start, end] = [dateOf(bound, 'StartDate'), dateOf(bound, 'EndDate')];
  if (start !== undefined && end !== undefined && start > end) {
    throw badArgument('StartDate', 'It must not be later than EndDate.');
  }
  const wanted = lists.flatMap(([parameter, field]) => {
    const texts = textsOf(bound, parameter).flatMap((text) => text.split(',').map((one) => one.trim()));
    return texts.length === 0 ? [] : [[field, texts] as const];
  });
  return {
    ...Object.fromEntries(wanted),
    ...(start && { start }),
    ...(end && { end }),
    ...(bound.has('IsSuccess') && { succeeded: isOn(bound, 'IsSuccess') }),
  };
}

function numberOf(bound: BoundParameters, name: string, range: { least: number; otherwise: number }): number {
  const text = textOf(bound, name) ?? String(range.otherwise);
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= range.least && number <= mostResults) return number;
  throw badArgument(name, `'${text}' is not a whole number from ${range.least} to ${mostResults}.`);
}

function auditEvent(record: AdminAuditRecord): CmdletObject {
  const { parameters, properties } = record;
  return new CmdletObject('AdminAuditLogEvent', [
    ['ObjectModified', record.object],
    ['ModifiedObjectResolvedName', record.dn === '' ? null : record.dn],
    ['CmdletName', record.cmdlet],
    [
      'CmdletParameters',
      parameters.map(
        ({ name, value }) =>
          new CmdletObject('AdminAuditLogCmdletParameter', [
            ['Name', name],
            ['Value', value],
          ]),
      ),
    ],
    [
      'ModifiedProperties',
      properties.map(
        ({ name, before, after }) =>
          new CmdletObject('AdminAuditLogModifiedProperty', [
            ['Name', name],
            ['NewValue', after],
            ['OldValue', before],
          ]),
      ),
    ],
    ['Line', record.line],
    ['Caller', record.who],
    ['ExternalAccess', false],
    ['Succeeded', record.succeeded],
    ['Error', record.error === '' ? null : record.error],
    ['RunDate', new Date(record.at)],
    ['OriginatingServer', `${record.server}${record.via === 'store' ? ' (service stopped)' : ''}`],
    ['Identity', `${record.at} ${record.object}`],
    ['IsValid', true],
    ['ObjectState', 'New'],
  ]);
}

const searchAdminAuditLog: Cmdlet = {
  name: 'Search-AdminAuditLog',
  synopsis: 'Shows who changed what, newest first.',
  parameters: parametersOf(knownCmdlet('Search-AdminAuditLog')),
  supportsShouldProcess: false,
  examples: [
    { line: 'Search-AdminAuditLog -Cmdlets Set-ReceiveConnector', says: 'Every change of a receive connector.' },
    {
      line: '(Search-AdminAuditLog -ResultSize 1).ModifiedProperties | Format-Table Name,OldValue,NewValue',
      says: 'What the newest change did.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(bound, searchable);
    const first = numberOf(bound, 'StartIndex', { least: 0, otherwise: 0 });
    const limit = numberOf(bound, 'ResultSize', { least: 1, otherwise: 1000 });
    const question = questionOf(bound);
    // Nobody outside the organization runs cmdlets here.
    if (isOn(bound, 'ExternalAccess')) return;
    let index = -1;
    for await (const record of context.auditTrail.search(question, context.signal)) {
      index += 1;
      if (index < first) continue;
      if (index >= first + limit) {
        context.warning(`There are more results than ${limit}. Use -ResultSize and -StartIndex to see the others.`);
        return;
      }
      yield auditEvent(record);
    }
  },
};

const writeAdminAuditLog: Cmdlet = {
  name: 'Write-AdminAuditLog',
  synopsis: 'Writes a comment into the admin audit log.',
  parameters: parametersOf(knownCmdlet('Write-AdminAuditLog')),
  supportsShouldProcess: true,
  examples: [
    { line: 'Write-AdminAuditLog -Comment "Certificates renewed, ticket 4711"', says: 'Why something was changed.' },
  ],
  run: (context, bound) =>
    quietly(async () => {
      const comment = (textOf(bound, 'Comment') ?? '').trim();
      if (comment === '') throw badArgument('Comment', 'A text is needed.');
      if (comment.length > longestComment) {
        throw badArgument('Comment', `It has ${comment.length} characters; ${longestComment} are the most.`);
      }
      const operation = {
        action: 'Writing to the admin audit log of',
        target: context.serverName,
        impact: 'Medium',
      } as const;
      if (!(await context.shouldProcess(operation))) return;
      context.changed({ object: '', dn: '', properties: [] });
    }),
};

/** The audit cmdlets. */
export const adminAuditCmdlets: readonly Cmdlet[] = [searchAdminAuditLog, writeAdminAuditLog];
