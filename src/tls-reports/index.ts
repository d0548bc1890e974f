/**
 * TLS reports (RFC 8460): one worker of a server tells the domains that ask for it how TLS went on each UTC day, from what all
 * workers counted, by https and by mail; reports of others are read. Stands beside sending, which counts by the interface in
 * `tls/`. Leaves out: the queue that carries the mail, and the key that signs it.
 */
export { DayCounter } from './day-counts.ts';
export { type ReceivedReport, readReceivedReport } from './received-report.ts';
export { tlsReportAgent } from './report-agent.ts';
export { ReportCourier } from './report-courier.ts';
export { type KeptReport, ReportFiles, type ReportRecord } from './report-files.ts';
