/** What `edge status` says of EdgeSync, on the edge and inside. Pure. */
import type { SubscriptionState } from './edge/edge-subscription.ts';
import type { Subscription } from './inside/inside-state.ts';

/** A synchronization that is older than this on a subscribed edge needs a look, in milliseconds: twelve intervals. */
const lateMs = 3_600_000;

const ageOf = (ms: number): string =>
  ms < 120_000
    ? `${Math.round(ms / 1000)} s`
    : ms < 7_200_000
      ? `${Math.round(ms / 60_000)} min`
      : ms < 172_800_000
        ? `${Math.round(ms / 3_600_000)} h`
        : `${Math.round(ms / 86_400_000)} days`;

/** Of an edge; undefined: it has no subscription. */
export function edgeLines(
  state: SubscriptionState | undefined,
  validates: boolean,
  now: number,
): { readonly lines: readonly string[]; readonly fault?: string } {
  if (state === undefined) return { lines: ['not subscribed'] };
  if (state.accounts.length === 0) return { lines: ['subscription file made, not used yet inside'] };
  const { site, lastRun, recipients, accounts } = state;
  const last = lastRun === undefined ? 'never' : `${ageOf(now - lastRun)} ago (${recipients})`;
  const expires = Math.max(...accounts.map((account) => account.expires ?? 0));
  const lines = [
    `site ${site}, last synchronization ${last}, account until ${new Date(expires).toISOString()}`,
    validates
      ? 'unknown recipients are refused with 550 5.1.1'
      : 'recipient validation is off: Set-RecipientFilterConfig -RecipientValidationEnabled $true',
  ];
  if (lastRun !== undefined && now - lastRun <= lateMs) return { lines };
  const since = lastRun === undefined ? 'there was none yet' : `the last was ${ageOf(now - lastRun)} ago`;
  return { lines, fault: `EdgeSync: nothing is synchronised (${since}): look inside with edge sync status` };
}

/** Of the inside: one line for each edge. */
export function insideLines(
  subscriptions: readonly Subscription[],
  now: number,
): { readonly lines: readonly string[]; readonly faults: readonly string[] } {
  const lines = subscriptions.map(({ name, site, lastSuccess }) => {
    const last = lastSuccess === undefined ? 'never' : `${ageOf(now - lastSuccess)} ago`;
    return `${name}, site ${site}, last synchronization ${last}`;
  });
  const faults = subscriptions.flatMap(({ name, lastFailure, paused, established }) => {
    const reason = !established ? 'the subscription was begun and not ended' : (paused ?? lastFailure?.reason);
    return reason === undefined ? [] : [`EdgeSync of ${name}: ${reason}`];
  });
  return { lines, faults };
}
