/** The certificates of the server: the noun ExchangeCertificate, and which certificate a connector shows. */
import type { Cmdlet } from '../runtime.ts';
import { acmeCmdlets } from './acme.ts';
import { enableExchangeCertificate, getExchangeCertificate, removeExchangeCertificate } from './existing.ts';
import { newExchangeCertificate } from './making.ts';
import { testTlsCertificateSelection } from './test-selection.ts';
import { getTlsaRecord } from './tlsa-record.ts';
import { exportExchangeCertificate, importExchangeCertificate } from './transferring.ts';

export const certificateCmdlets: readonly Cmdlet[] = [
  newExchangeCertificate,
  getExchangeCertificate,
  importExchangeCertificate,
  exportExchangeCertificate,
  enableExchangeCertificate,
  removeExchangeCertificate,
  testTlsCertificateSelection,
  getTlsaRecord,
  ...acmeCmdlets,
];
