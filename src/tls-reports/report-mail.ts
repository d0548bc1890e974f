/** A TLS report as a mail: RFC 8460 §5.3, signed with DKIM as §3 asks. */
import { formatDate } from '../mail/index.ts';

export interface ReportMail {
  readonly from: string;
  readonly to: string;
  readonly domain: string;
  /** Report id, without angle brackets. */
  readonly id: string;
  /** 'sender!domain!begin!end.json.gz'. */
  readonly fileName: string;
  readonly day: string;
  /** Gzipped JSON. */
  readonly report: Buffer;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface SigningKey {
  readonly domain: string;
  readonly selector: string;
  /** PEM. */
  readonly privateKey: string;
}

const signedFields = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type'].concat([
  'TLS-Report-Domain',
  'TLS-Report-Submitter',
  'TLS-Required',
]);

/** The message without a signature. */
export function reportMail(mail: ReportMail): string {
  const boundary = `=_${mail.id.replace(/[^a-z0-9]/gi, '')}`;
  const submitter = mail.from.slice(mail.from.lastIndexOf('@') + 1);
  const base64 = mail.report.toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    `From: <${mail.from}>`,
    `To: <${mail.to}>`,
    `Subject: Report Domain: ${mail.domain}\r\n Submitter: ${submitter}\r\n Report-ID: <${mail.id}>`,
    `Date: ${formatDate(mail.now)}`,
    `Message-ID: <${mail.id}>`,
    `TLS-Report-Domain: ${mail.domain}`,
    `TLS-Report-Submitter: ${submitter}`,
    // RFC 8689 §5: a report of broken TLS must not be kept back by it.
    'TLS-Required: No',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type="tlsrpt";\r\n boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `This is a report of TLS connections to ${mail.domain} on ${mail.day} (UTC),`,
    `made by ${submitter} (RFC 8460).`,
    '',
    `--${boundary}`,
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${mail.fileName}"`,
    '',
    base64,
    `--${boundary}--`,
    '',
  ].join('\r\n');
}

/** The same with its DKIM-Signature in front. The library is loaded by the first report. */
export async function signedMail(message: string, { domain, selector, privateKey }: SigningKey): Promise<Buffer> {
  const { dkimSign } = await import('mailauth/lib/dkim/sign.js');
  const key = { signingDomain: domain, selector, privateKey };
  // The library signs by `signatureData` alone, and its types ask for the key beside it.
  const options = { ...key, signatureData: [key], headerList: signedFields };
  const { signatures, errors } = await dkimSign(Buffer.from(message, 'latin1'), options);
  const [error] = errors;
  if (error !== undefined || signatures === '') throw new Error('the report could not be signed', { cause: error });
  return Buffer.from(signatures + message, 'latin1');
}
