/** When a report is owed: RFC 3461 §4.1, §5.2; RFC 5321 §4.5.5, §6.1. */
import type { Envelope, EnvelopeRecipient } from './envelope.ts';
import type { ReportKind } from './report-request.ts';

export type ReportDue = { readonly due: true } | { readonly due: false; readonly reason: string };

/** The NOTIFY condition of each kind, and what counts when the sender gave none. */
const conditions = {
  failed: { asked: 'FAILURE', byDefault: true },
  delayed: { asked: 'DELAY', byDefault: true },
  delivered: { asked: 'SUCCESS', byDefault: false },
  // RFC 3461 §5.2.2: whoever asked for success is told that the trail ends here.
  relayed: { asked: 'SUCCESS', byDefault: false },
} as const;

/** Says whether this recipient belongs into a report of this kind, and if not, why. */
export function reportDue(
  kind: ReportKind,
  message: { readonly envelope: Pick<Envelope, 'from'> },
  recipient: Pick<EnvelopeRecipient, 'notify'>,
): ReportDue {
  // RFC 5321 §4.5.5: a report about a report would never end.
  if (message.envelope.from === '') return { due: false, reason: 'the message has the null sender' };
  const { asked, byDefault } = conditions[kind];
  const { notify } = recipient;
  if (notify === undefined) {
    return byDefault ? { due: true } : { due: false, reason: `the sender did not ask for NOTIFY=${asked}` };
  }
  if (notify.includes(asked)) return { due: true };
  return { due: false, reason: `the sender asked for NOTIFY=${notify.join(',')}` };
}
