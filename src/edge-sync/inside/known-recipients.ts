/** The recipients as the source was last read: answers from the mirror, without the source and the edges. */
import { canonicalAddress, lookupForms } from '../address.ts';
import { wantedState } from '../recipient.ts';
import { type InsideState, SyncStateError } from './inside-state.ts';
import { Mirror } from './mirror.ts';

export class KnownRecipients {
  readonly #state: Pick<InsideState, 'mirrorFolder'>;

  constructor(state: Pick<InsideState, 'mirrorFolder'>) {
    this.#state = state;
  }

  /** What the edge would know of an address, and why. Throws SyncStateError for what is no address. */
  async preview(
    address: string,
  ): Promise<readonly { readonly dn: string; readonly id: string; readonly verdict: string }[]> {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) throw new SyncStateError(`'${address}' is no SMTP address`);
    await using mirror = Mirror.open(this.#state.mirrorFolder);
    const forms = lookupForms(canonical);
    const found = [];
    for (const recipient of mirror.recipients()) {
      for (const [edge, view] of [['', recipient] as const, ...Object.entries(recipient.own ?? {})]) {
        const form = forms.find((one) => view.addresses.includes(one));
        if (form === undefined) continue;
        const verdict = view.excluded === undefined ? `accepted as ${form}` : `not replicated: ${view.excluded}`;
        found.push({ dn: recipient.dn, id: recipient.id, verdict: edge === '' ? verdict : `${verdict} (${edge})` });
      }
    }
    return found;
  }

  /** How many recipients the source has and each edge holds, as last seen. */
  async counts() {
    await using mirror = Mirror.open(this.#state.mirrorFolder);
    let excluded = 0;
    for (const recipient of mirror.recipients()) if (wantedState(recipient) === undefined) excluded += 1;
    const edges = new Map(
      mirror.edgeNames.map((name) => {
        const { recipientCount, addressCount, dirtyCount } = mirror.edge(name);
        return [name, { recipients: recipientCount, addresses: addressCount, waiting: dirtyCount }] as const;
      }),
    );
    return { source: { recipients: mirror.size - excluded, excluded }, edges };
  }

  /** Lookups of addresses for another mail system. */
  openLookups(): { isKnown(address: string): boolean } & AsyncDisposable {
    const mirror = Mirror.open(this.#state.mirrorFolder);
    return {
      isKnown: (address) => {
        const canonical = canonicalAddress(address);
        return canonical !== undefined && lookupForms(canonical).some((form) => mirror.isHeld(form));
      },
      [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose](),
    };
  }

  /** Addresses that are to be accepted, sorted by recipient; for other mail systems. */
  async *addresses(): AsyncGenerator<{ readonly address: string; readonly dn: string }> {
    await using mirror = Mirror.open(this.#state.mirrorFolder);
    for (const recipient of mirror.recipients()) {
      for (const address of wantedState(recipient)?.addresses ?? []) yield { address, dn: recipient.dn };
    }
  }
}
