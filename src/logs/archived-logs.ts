import { decisionBounds, decisionPrefixes, decisionTerms } from './decision-log.ts';
import type { ArchivedLog } from './files/log-archiver.ts';
import type { JournalSettings } from './journal.ts';
import { trackingPrefix } from './tracking-log.ts';
import { trackingTerms } from './tracking-search.ts';

/** The logs of a journal whose finished files are compressed: those that are searched. */
export function archivedLogs({ tracking, decisionFolder }: JournalSettings): readonly ArchivedLog[] {
  const decisions = { folder: decisionFolder, ...decisionBounds };
  return [
    { prefix: decisionPrefixes.messages, bounds: decisions, termsOf: decisionTerms },
    { prefix: decisionPrefixes.sessions, bounds: decisions, termsOf: decisionTerms },
    ...(tracking.limits.enabled ? [{ prefix: trackingPrefix, bounds: tracking.limits, termsOf: trackingTerms }] : []),
  ];
}
