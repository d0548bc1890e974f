import type { FaultReport } from '../../base/index.ts';
import { SpoolError, type StoredMessage } from '../model/contract.ts';
import type { Ledger } from '../settlement/ledger.ts';
import { reportPoison } from '../settlement/poison-detection.ts';
import { type Item, poisonHop } from '../table/delivery-queue.ts';
import type { QueueTable } from '../table/queue-table.ts';

export interface ItemParts {
  readonly table: QueueTable;
  readonly ledger: Ledger;
  readonly faults: FaultReport;
}

/** The record of an item, read again when it is not at hand. An item without one leaves; one that is damaged is set aside. */
export function loadItem(item: Item, { table, ledger, faults }: ItemParts): StoredMessage | undefined {
  try {
    const message = ledger.current(item.mail);
    if (message !== undefined) return message;
    table.drop(item);
  } catch (error) {
    if (!(error instanceof SpoolError)) throw error;
    table.setAside(item, poisonHop, error.message);
    reportPoison(faults, item.mail, error.message);
  }
  return undefined;
}
