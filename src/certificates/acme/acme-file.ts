/** What ACME certificates this server keeps renewing, beside them in their folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../base/index.ts';
import { CertificateError } from '../certificate-error.ts';
import type { AcmeService } from './acme-order.ts';

export interface AcmeOrder extends AcmeService {
  readonly domains: readonly string[];
  readonly algorithm: 'RSA' | 'ECDSA';
  /** Of the certificate in force; '' before the first one. */
  readonly thumbprint: string;
  /** A certificate that is there and not shown yet: its TLSA records are missing, or too young. */
  readonly held?: {
    readonly thumbprint: string;
    readonly services: readonly string[];
    /** Since when all its records were seen in the DNS, in milliseconds since 1970; absent: they are not there. */
    readonly seen?: number;
  };
  /** Why the last attempt failed; absent: it did not. */
  readonly failure?: string;
}

const fileName = 'acme.json';

/** Throws CertificateError for a file that is damaged: it is never written over. */
export async function readAcmeOrders(folder: string): Promise<readonly AcmeOrder[]> {
  let text: string;
  try {
    text = await readFile(join(folder, fileName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { orders } = JSON.parse(text) as { orders?: unknown };
    if (Array.isArray(orders)) return orders as AcmeOrder[];
  } catch {
    // Told below, as for any other content.
  }
  throw new CertificateError(`${fileName} in the folder of the certificates is damaged: restore or remove it`);
}

export function writeAcmeOrders(folder: string, orders: readonly AcmeOrder[]): Promise<void> {
  return replaceFile(join(folder, fileName), `${JSON.stringify({ orders }, null, 2)}\n`);
}
