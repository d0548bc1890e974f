import type { TlsReportShelf } from '../cmdlets/index.ts';
import type { StatePaths } from '../processes/index.ts';
import { ReportFiles } from '../tls-reports/index.ts';

/** The TLS reports of the appliance with this state. */
export function tlsReportShelf(paths: StatePaths): TlsReportShelf {
  const files = new ReportFiles(paths.tlsReports);
  return {
    waiting: () => files.waiting(),
    sent: () => files.sent(),
    dkimRecord: async () => {
      const { dkimRecord, keyPassphrase, signingKey } = await import('../certificates/index.ts');
      return dkimRecord(await signingKey(paths.certificates, keyPassphrase()));
    },
  };
}
