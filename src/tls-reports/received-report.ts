/** Reads a TLS report that another sent: JSON, gzipped JSON, or the mail that carries it. Strangers wrote it: everything is bounded. */
import { gunzipSync } from 'node:zlib';
import { MimeWalker } from '../mail/index.ts';

/** Octets of a report when it is unpacked; a bomb is refused at this size. */
const mostOctets = 16 * 1024 ** 2;
/** Policies, and failures of one policy, that are looked at. */
const mostRows = 10_000;
const longestText = 1_000;

export interface ReceivedFailure {
  readonly type: string;
  readonly count: number;
  readonly sendingIp: string;
  readonly mxHost: string;
  readonly ip: string;
  readonly reason: string;
}

export interface ReceivedPolicy {
  readonly type: string;
  readonly domain: string;
  readonly successes: number;
  readonly failed: number;
  readonly failures: readonly ReceivedFailure[];
}

export interface ReceivedReport {
  readonly organization: string;
  readonly contact: string;
  readonly id: string;
  readonly begin: string;
  readonly end: string;
  readonly policies: readonly ReceivedPolicy[];
}

/** `most`: octets of the report when it is unpacked. Throws RangeError that says what is wrong with it. */
export function readReceivedReport(octets: Buffer, most = mostOctets): ReceivedReport {
  if (isGzip(octets) || octets[0] === 0x7b) return parseReport(unpacked(octets, most));
  const attached = attachmentOf(octets);
  if (attached === undefined) throw new RangeError('it is neither JSON nor gzip, and no mail with a TLS report in it');
  return parseReport(unpacked(attached, most));
}

function isGzip(octets: Buffer): boolean {
  return octets[0] === 0x1f && octets[1] === 0x8b;
}

function unpacked(octets: Buffer, most: number): string {
  if (!isGzip(octets)) return octets.toString('utf8');
  try {
    return gunzipSync(octets, { maxOutputLength: most }).toString('utf8');
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    throw new RangeError(
      code === 'ERR_BUFFER_TOO_LARGE'
        ? `it unpacks to more than ${most / 1024 ** 2} MB`
        : 'its gzip is damaged or cut off',
      { cause },
    );
  }
}

/** The first part of a mail that holds a report. */
function attachmentOf(message: Buffer): Buffer | undefined {
  let part: number | undefined;
  let encoding = '';
  const chunks: Buffer[] = [];
  const walker = new MimeWalker({
    headerLine: () => undefined,
    headerEnd: (entity, _blank, found) => {
      if (part !== undefined || !/^application\/tlsrpt\+(?:gzip|json)$/.test(found.type)) return;
      part = entity;
      encoding = found.encoding;
    },
    body: (entity, line) => void (entity === part && chunks.push(Buffer.from(line))),
    bodyEnd: () => undefined,
    between: () => undefined,
  });
  walker.push(message);
  walker.end();
  if (part === undefined) return undefined;
  const content = Buffer.concat(chunks);
  return encoding === 'base64' ? Buffer.from(content.toString('latin1'), 'base64') : content;
}

type Fields = Readonly<Record<string, unknown>>;

function parseReport(text: string): ReceivedReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RangeError('its JSON does not parse', { cause });
  }
  const report = fieldsOf(value);
  if (report === undefined || !Array.isArray(report['policies'])) throw new RangeError("its JSON has no 'policies'");
  const range = fieldsOf(report['date-range']) ?? {};
  return {
    organization: textOf(report['organization-name']),
    contact: textOf(report['contact-info']),
    id: textOf(report['report-id']),
    begin: textOf(range['start-datetime']),
    end: textOf(range['end-datetime']),
    policies: rowsOf(report['policies']).map(policyOf),
  };
}

function policyOf(row: Fields): ReceivedPolicy {
  const policy = fieldsOf(row['policy']) ?? {};
  const summary = fieldsOf(row['summary']) ?? {};
  return {
    type: textOf(policy['policy-type']),
    domain: textOf(policy['policy-domain']),
    successes: countOf(summary['total-successful-session-count']),
    failed: countOf(summary['total-failure-session-count']),
    failures: rowsOf(row['failure-details']).map((failure) => ({
      type: textOf(failure['result-type']),
      count: countOf(failure['failed-session-count']),
      sendingIp: textOf(failure['sending-mta-ip']),
      mxHost: textOf(failure['receiving-mx-hostname']),
      ip: textOf(failure['receiving-ip']),
      reason: textOf(failure['failure-reason-code']),
    })),
  };
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function rowsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value)
    ? value
        .slice(0, mostRows)
        .map(fieldsOf)
        .filter((row) => row !== undefined)
    : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, longestText) : '';
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
