/** Keeps the accounts on an edge alive, and the keys that the edge may show: renewed in time, or at once on demand. */
import { type Clock, keyDigest } from '../../base/index.ts';
import { certificateIn } from '../subscription-file.ts';
import { needsNext, requestOf, successor } from './credential.ts';
import type { EdgeAccess } from './edge-access.ts';
import type { InsideState, Subscription } from './inside-state.ts';
import type { LdapEdge } from './ldap-edge.ts';
import { sealedKeyOf } from './recipient-key.ts';
import type { EdgeRunLog } from './run-log.ts';

export class CredentialKeeper {
  readonly #state: InsideState;
  readonly #clock: Clock;
  readonly #edges: EdgeAccess;

  constructor(state: InsideState, clock: Clock, edges: EdgeAccess) {
    this.#state = state;
    this.#clock = clock;
    this.#edges = edges;
  }

  /** The next account in time, and the keys that the edge may change to. */
  async keep({ name }: Subscription, edge: LdapEdge, log: EdgeRunLog): Promise<void> {
    const kept = await this.#keepAccount(this.#state.subscription(name), edge, log);
    const keys = await edge.serverKeys();
    const pins = [...new Set([...keys, ...kept.pins.slice(0, 1)])];
    if (pins.length === kept.pins.length && pins.every((pin) => kept.pins.includes(pin))) return;
    await this.#state.save({ ...kept, pins });
    await edge.tell({ pins });
    log.write('Low', 'PinnedKeysChanged', pins.join(' '));
  }

  /** Resolves with the subscription as it is kept now. */
  async #keepAccount(kept: Subscription, edge: LdapEdge, log: EdgeRunLog): Promise<Subscription> {
    const now = this.#clock.now();
    if (needsNext(kept.credential, kept.next, now)) {
      const next = successor(kept.credential, now);
      const prepared = { ...kept, next };
      await this.#state.save(prepared);
      await edge.tell({ credentials: [requestOf(kept.credential), requestOf(next)] });
      log.write('Low', 'CredentialMade', `${next.user} until ${new Date(next.expires).toISOString()}`);
      return prepared;
    }
    if (kept.next === undefined || now < kept.credential.expires) return kept;
    const { next, ...rest } = kept;
    const renewed = { ...rest, credential: next };
    await this.#state.save(renewed);
    log.write('Low', 'CredentialInForce', next.user);
    return renewed;
  }

  /** Takes another key of the edge as its own, seals the key of the hashes anew, and goes over to a new account. */
  async rekey(name: string, pin: string | undefined, certificate: Buffer | undefined): Promise<void> {
    const state = this.#state;
    let kept = state.subscription(name);
    if (pin !== undefined) kept = { ...kept, pins: [...new Set([pin, ...kept.pins])] };
    if (certificate !== undefined) {
      const digest = keyDigest(certificateIn(certificate));
      kept = { ...kept, certificate: certificate.toString('base64'), pins: [...new Set([digest, ...kept.pins])] };
    }
    await state.save(kept);
    await this.#edges.withEdge(kept, async (edge) => {
      const presented = edge.presentedCertificate;
      if (presented !== undefined) kept = { ...kept, certificate: presented.toString('base64') };
      const next = kept.next ?? successor(kept.credential, this.#clock.now());
      const { octets: sealedKey, digest: sealed } = sealedKeyOf(kept);
      await edge.tell({
        credentials: [requestOf(kept.credential), requestOf(next)],
        sealedKey,
        pins: kept.pins,
      });
      kept = { ...kept, next, sealed };
      await state.save(kept);
    });
    const { next, ...rest } = kept;
    if (next === undefined) return;
    // At once, not only when the old one nears its end: who rekeys does not trust it any more.
    const renewed = { ...rest, credential: next };
    await this.#edges.accountMade(renewed);
    await state.save(renewed);
  }
}
