/** Get-TlsReport and Get-TlsReportKey: the TLS reports (RFC 8460) that this server makes. Our addition. */

import { transportService } from '../../config/index.ts';
import type { KeptReport, ReportRecord } from '../../tls-reports/index.ts';
import { serverEntry } from '../directory-objects.ts';
import { isOn, plainText } from '../parameter-values.ts';
import {
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  CmdletObject,
  type Parameter,
  type TlsReportShelf,
} from '../runtime.ts';
import { refuseOthers } from '../transport-objects.ts';

const parameters: readonly Parameter[] = [
  { name: 'Domain', type: 'String', position: 1, help: 'Domain that the reports are for; without it all.' },
  {
    name: 'Received',
    type: 'SwitchParameter',
    help: 'Those that others sent to TlsReportMailbox, signed with DKIM by the domain that sent them.',
  },
  {
    name: 'All',
    type: 'SwitchParameter',
    help: 'With Received: also those without a valid signature, which RFC 8460 says to ignore; Signature tells why.',
  },
];

const getTlsReport: Cmdlet = {
  name: 'Get-TlsReport',
  synopsis: 'Prints the TLS reports of the days before: those that wait for their hour, and those that were sent.',
  parameters,
  supportsShouldProcess: false,
  examples: [
    { line: 'Get-TlsReport', says: 'Day, domain, sessions that went well and that did not, and where it went.' },
    { line: 'Get-TlsReport contoso.com | Format-List', says: 'The same with the report itself.' },
    { line: 'Get-TlsReport -Received -All', says: 'What others report of us, also where nobody proved who sent it.' },
  ],
  async *run(context, bound) {
    refuseOthers(bound, ['Domain', 'Received', 'All']);
    const shelf = shelfOf(context);
    const domain = plainText(bound.get('Domain') ?? '').toLowerCase();
    if (isOn(bound, 'Received')) {
      const received = await shelf.received();
      const wanted = isOn(bound, 'All') ? received : received.filter(({ signature }) => signature?.verdict === 'valid');
      if (wanted.length < received.length)
        context.warning(
          `${received.length - wanted.length} reports without a valid signature are left out (RFC 8460 §3): -All shows them, and why.`,
        );
      return yield* receivedRows(wanted, domain);
    }
    const all = [...(await shelf.waiting()), ...(await shelf.sent())].filter(
      (one) => domain === '' || one.domain === domain,
    );
    for (const record of all.sort((a, b) => b.day.localeCompare(a.day) || a.domain.localeCompare(b.domain))) {
      const { successes, failures } = totalsOf(record.report);
      yield new CmdletObject('TlsReport', [
        ['Domain', record.domain],
        ['Day', record.day],
        ['State', record.sentAt === undefined ? 'Waiting' : stateOf(record)],
        ['SuccessfulSessions', successes],
        ['FailedSessions', failures],
        ['Due', new Date(record.due)],
        ['SentAt', record.sentAt === undefined ? null : new Date(record.sentAt)],
        ['Submissions', record.submissions.map(({ uri, fault }) => `${uri}: ${fault === '' ? 'taken' : fault}`)],
        ['Report', record.report],
        ['Identity', record.id],
      ]);
    }
  },
};

function* receivedRows(reports: readonly KeptReport[], domain: string): Generator<CmdletObject, void, undefined> {
  for (const { receivedAt, from, signature, report } of reports.toReversed()) {
    for (const policy of report.policies.filter((one) => domain === '' || one.domain.toLowerCase() === domain)) {
      yield new CmdletObject('ReceivedTlsReport', [
        ['Domain', policy.domain],
        ['Organization', report.organization],
        ['Begin', report.begin],
        ['End', report.end],
        ['PolicyType', policy.type],
        ['SuccessfulSessions', policy.successes],
        ['FailedSessions', policy.failed],
        [
          'Failures',
          policy.failures.map(({ count, type, mxHost, reason }) => `${count} x ${type} at ${mxHost} ${reason}`.trim()),
        ],
        ['Contact', report.contact],
        ['Sender', from],
        ['SignedBy', signature?.verdict === 'valid' ? signature.domain : ''],
        ['Signature', signature === undefined ? 'not judged' : signature.reason || signature.verdict],
        ['ReceivedAt', new Date(receivedAt)],
        ['Identity', report.id],
      ]);
    }
  }
}

const getTlsReportKey: Cmdlet = {
  name: 'Get-TlsReportKey',
  synopsis: 'Prints the DNS record of the key that signs TLS reports by mail (DKIM). The first call makes the key.',
  parameters: [],
  supportsShouldProcess: false,
  examples: [
    {
      line: '(Get-TlsReportKey).Line',
      says: 'What to put into the zone; the name is known once TlsReportContact is set.',
    },
  ],
  async *run(context, bound) {
    refuseOthers(bound, []);
    const text = await shelfOf(context).dkimRecord();
    const server = await serverEntry(context);
    const { tlsReportContact, tlsReportSelector } = transportService.properties;
    const [selector = tlsReportSelector.default] = server.values(tlsReportSelector.attribute);
    const [contact = '@DOMAIN'] = server.values(tlsReportContact.attribute);
    const name = `${selector}._domainkey.${contact.slice(contact.lastIndexOf('@') + 1)}`;
    // RFC 1035 §3.3: a string of a TXT record has 255 octets at the most.
    const strings = (text.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(' ');
    yield new CmdletObject('TlsReportKey', [
      ['Name', name],
      ['Record', text],
      ['Line', `${name}. IN TXT ${strings}`],
      ['Identity', name],
    ]);
  },
};

export const tlsReportCmdlets: readonly Cmdlet[] = [getTlsReport, getTlsReportKey];

function shelfOf({ tlsReports }: CmdletContext): TlsReportShelf {
  if (tlsReports !== undefined) return tlsReports;
  throw new CmdletError('TlsReportsUnavailable', 'ResourceUnavailable', 'There are no TLS reports here.');
}

function stateOf({ submissions }: ReportRecord): string {
  if (submissions.length === 0) return 'NotWanted';
  return submissions.every(({ fault }) => fault === '') ? 'Sent' : 'Failed';
}

function totalsOf(report: string): { readonly successes: number; readonly failures: number } {
  const { policies = [] } = JSON.parse(report) as {
    policies?: readonly { summary: Readonly<Record<string, number>> }[];
  };
  const sum = (name: string): number => policies.reduce((all, { summary }) => all + (summary[name] ?? 0), 0);
  return { successes: sum('total-successful-session-count'), failures: sum('total-failure-session-count') };
}
