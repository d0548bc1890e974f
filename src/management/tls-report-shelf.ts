import type { TlsReportShelf } from '../cmdlets/index.ts';
import type { StatePaths } from '../processes/index.ts';
import type { ReportFiles } from '../tls-reports/index.ts';

/** The TLS reports of the appliance with this state. */
export function tlsReportShelf(paths: StatePaths): TlsReportShelf {
  // Loaded when somebody asks: a prompt waits for this process.
  const files = async (): Promise<ReportFiles> =>
    new (await import('../tls-reports/index.ts')).ReportFiles(paths.tlsReports);
  return {
    waiting: async () => (await files()).waiting(),
    sent: async () => (await files()).sent(),
    received: async () => (await files()).received(),
    dkimRecord: async () => {
      const { dkimRecord, keyPassphrase, signingKey } = await import('../certificates/index.ts');
      return dkimRecord(await signingKey(paths.certificates, keyPassphrase()));
    },
  };
}
