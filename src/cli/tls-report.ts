/** `edge tls report`: TLS reports (RFC 8460) that others sent us. */

import { open } from 'node:fs/promises';
import { printable, printableJson } from '../base/index.ts';
import { fileReason } from '../base/text/index.ts';
import { type ReceivedReport, readReceivedReport } from '../tls-reports/index.ts';
import { exitStatus, type Terminal } from './parts.ts';

/** Far above any report; a device or a disk image named by mistake is not read into memory. */
const longestFile = 32 * 1024 ** 2;

/** Resolves with the exit status: 1 when a report tells of sessions that failed. */
export async function tlsReport(files: readonly string[], json: boolean, terminal: Terminal): Promise<number> {
  let worst: number = exitStatus.done;
  for (const file of files) {
    try {
      const report = readReceivedReport(await readBounded(file));
      terminal.out(json ? `${printableJson({ file, ...report })}\n` : textOf(report));
      if (report.policies.some(({ failed }) => failed > 0)) worst = Math.max(worst, exitStatus.finding);
    } catch (error) {
      if (!(error instanceof RangeError) && !(error instanceof Error && 'code' in error)) throw error;
      terminal.error(`${printable(file)}: ${printable(fileReason(error))}\n`);
      worst = exitStatus.failed;
    }
  }
  return worst;
}

async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path);
  const stat = await file.stat();
  if (!stat.isFile() || stat.size > longestFile) throw new RangeError('it is no file, or too large for a report');
  return file.readFile();
}

function textOf({ organization, contact, begin, end, policies }: ReceivedReport): string {
  const lines = [`${organization} (${contact}), ${begin} to ${end}`];
  for (const { type, domain, successes, failed, failures } of policies) {
    lines.push(`  ${domain}, ${type}: ${successes} sessions went well, ${failed} did not`);
    for (const { type: result, count, mxHost, ip, sendingIp, reason } of failures) {
      const where = [mxHost, ip, sendingIp === '' ? '' : `from ${sendingIp}`].filter((part) => part !== '').join(' ');
      lines.push(`    ${count} × ${result}${where === '' ? '' : ` at ${where}`}${reason === '' ? '' : `: ${reason}`}`);
    }
  }
  return lines.map((line) => `${printable(line, 1_000)}\n`).join('');
}
