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
  /** What edges get instead whose subscription has a mapping of its own, by name of the subscription. */
  readonly own?: Readonly<Record<string, RecipientView>>;
}

/** A recipient as one mapping makes it. */
export type RecipientView = Pick<Recipient, 'addresses' | 'extras' | 'excluded'>;

/** What of a recipient stands on the edge, as the inside knows it in clear. */
export type EdgeState = Pick<Recipient, 'addresses' | 'extras'>;

/** What an edge is to have of a recipient; undefined: nothing. Without a name: an edge whose subscription has no mapping of its own. */
export function wantedState(recipient: Recipient | undefined, edge = ''): EdgeState | undefined {
  const view: RecipientView | undefined = recipient?.own?.[edge] ?? recipient;
  if (view === undefined || view.excluded !== undefined || view.addresses.length === 0) return undefined;
  return { addresses: view.addresses, extras: view.extras };
}

/** Every address that some edge is to have of a recipient, as it stands in the list of all: by edge where that has its own mapping. */
export function heldAddresses(recipient: Recipient | undefined): string[] {
  const own = Object.keys(recipient?.own ?? {});
  return ['', ...own].flatMap((edge) =>
    (wantedState(recipient, edge)?.addresses ?? []).map((address) => heldKey(address, edge)),
  );
}

/** Where an address stands in that list; no address has a line end. `edge`: one with a mapping of its own; '' for all others. */
export const heldKey = (address: string, edge: string): string => (edge === '' ? address : `${edge}\n${address}`);

export function sameState(one: EdgeState | undefined, two: EdgeState | undefined): boolean {
  if (one === undefined || two === undefined) return one === two;
  return stateText(one) === stateText(two);
}

/** Equal text for equal states. */
function stateText({ addresses, extras }: EdgeState): string {
  const sorted = Object.entries(extras).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([addresses, sorted]);
}
