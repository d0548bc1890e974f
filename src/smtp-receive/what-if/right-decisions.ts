import { decidingEntry, describeAce, type ReceiveConnector, type Right, rights } from '../../config/index.ts';
import { inNamesOf, type Principal } from '../rights/principal.ts';

/** One extended right of a principal on a connector. */
export interface RightDecision {
  readonly right: Right;
  readonly granted: boolean;
  /** The entry that decided, in words. */
  readonly by: string;
}

/** Every right, held or not, and by which entry. Rights that only senders use are left out. */
export function decisionOf(connector: Pick<ReceiveConnector, 'acl'>, principal: Principal): readonly RightDecision[] {
  return rights
    .filter((right) => !/^ms-Exch-(?:SMTP-)?Send-/.test(right))
    .map((right) => {
      const entry = decidingEntry(connector.acl, principal.sids, right);
      const by = entry === undefined ? 'no entry of the connector grants it' : inNamesOf(principal, describeAce(entry));
      return { right, granted: entry?.deny === false, by };
    });
}
