/** Certificates by ACME (RFC 8555): orders, the program that answers challenges, and what is renewed. Who takes them up: cmdlets. */
export { type AcmeOrder, readAcmeOrders, writeAcmeOrders } from './acme-file.ts';
export { type AcmeService, checkedDirectoryUrl, type ExternalAccount, orderCertificate } from './acme-order.ts';
export { type ChallengeType, hookVariable } from './challenge-hook.ts';
export { type RenewalTime, RenewalTimes, renewalIdOf } from './renewal-info.ts';
