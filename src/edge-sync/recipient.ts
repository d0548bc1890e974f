/** A recipient between source and edge. Pure. */

/** What the inside knows of one object of the source that may receive mail. */
export interface Recipient {
  /** GUID of the source, 8-4-4-4-12 in lower case: it stays when the object moves. */
  readonly id: string;
  /** Name in the source, for people. */
  readonly dn: string;
  /** Canonical addresses, sorted, once each. Empty when `excluded` says why. */
  readonly addresses: readonly string[];
  /** Attributes that the edge gets as they are (safelists, anti-spam settings), by name, values in base64, sorted. */
  readonly extras: Readonly<Record<string, readonly string[]>>;
  /** Why the edge is not to know it; absent: it is to. */
  readonly excluded?: string;
}

/** What of a recipient stands on the edge, as the inside knows it in clear. */
export type EdgeState = Pick<Recipient, 'addresses' | 'extras'>;

/** What the edge is to have of a recipient; undefined: nothing. */
export function wantedState(recipient: Recipient | undefined): EdgeState | undefined {
  if (recipient === undefined || recipient.excluded !== undefined || recipient.addresses.length === 0) return undefined;
  return { addresses: recipient.addresses, extras: recipient.extras };
}

export function sameState(one: EdgeState | undefined, two: EdgeState | undefined): boolean {
  if (one === undefined || two === undefined) return one === two;
  return stateText(one) === stateText(two);
}

/** Equal text for equal states. */
function stateText({ addresses, extras }: EdgeState): string {
  const sorted = Object.entries(extras).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([addresses, sorted]);
}
