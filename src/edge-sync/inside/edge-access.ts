/** Connects to subscribed edges as this server: by the account in force, or by the one before while it lives. */
import type { Clock } from '../../base/index.ts';
import { LdapError } from '../../ldap/index.ts';
import { placeOf } from '../edge/place.ts';
import { type Credential, inForce, requestOf } from './credential.ts';
import type { InsideState, Subscription } from './inside-state.ts';
import { connectEdge, LdapEdge } from './ldap-edge.ts';
import { hasherOf } from './recipient-key.ts';
import { serviceConfigOf } from './service-config.ts';

/** A connection to an edge. */
type Connected = Awaited<ReturnType<typeof connectEdge>> & {
  /** Accounts that the edge is to be asked for once more. */
  readonly askAgain: readonly string[] | undefined;
};

const establishMs = 20_000;

export class EdgeAccess {
  readonly #state: InsideState;
  readonly #clock: Clock;

  constructor(state: InsideState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Resolves with what `work` does on the connected edge; the connection is closed after it. Throws LdapError, PinMismatchError. */
  async withEdge<T>(subscription: Subscription, work: (edge: LdapEdge) => Promise<T>): Promise<T> {
    const { client, presented, askAgain } = await this.#connect(subscription);
    try {
      const hasher = hasherOf(subscription);
      const { lockDuration: leaseSeconds } = serviceConfigOf(this.#state.settings, subscription.site);
      const leased = (forMs: number | undefined): Promise<void> =>
        this.#state.noteLease(subscription.name, forMs === undefined ? undefined : this.#clock.now() + forMs);
      const edge = new LdapEdge({ client, place: placeOf(subscription), hasher, presented, leaseSeconds, leased });
      if (askAgain !== undefined) await edge.tell({ credentials: askAgain });
      return await work(edge);
    } finally {
      await client.close();
    }
  }

  /** Whether the edge has made the account of the subscription. Throws LdapError when it cannot be asked. */
  async hasAccount(subscription: Subscription): Promise<boolean> {
    try {
      await this.withEdge(subscription, () => Promise.resolve());
      return true;
    } catch (error) {
      if (isUnknownAccount(error)) return false;
      throw error;
    }
  }

  /** Waits until the edge has made the account. Throws LdapError after a while. */
  async accountMade(subscription: Subscription): Promise<void> {
    const end = performance.now() + establishMs;
    while (!(await this.hasAccount(subscription))) {
      if (performance.now() > end)
        throw new LdapError(
          'unavailable',
          `${subscription.name} did not make our account within ${establishMs / 1000} s: see its service log`,
        );
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** By the account in force; by the one before while it lives, where the edge did not make the next. */
  async #connect(subscription: Subscription): Promise<Connected> {
    const { name, credential, next } = subscription;
    const now = this.#clock.now();
    const chosen = inForce(credential, next, now);
    const as = ({ certificate, key }: Credential) => connectEdge({ ...subscription, certificate, key }, 'external');
    try {
      return { ...(await as(chosen)), askAgain: undefined };
    } catch (error) {
      if (!isUnknownAccount(error)) throw error;
      if (next !== undefined && chosen === next && now < credential.expires) {
        return { ...(await as(credential)), askAgain: [requestOf(credential), requestOf(next)] };
      }
      const repair = `on ${name} New-EdgeSubscription -FileName FILE, here edge sync subscribe FILE --site ${subscription.site}`;
      throw new LdapError(
        error.code,
        `${name} does not take our account ${chosen.user} (${error.message}): ${repair}`,
        {
          cause: error,
        },
      );
    }
  }
}

/** The edge refused the account: it has none of this name, or another certificate for it, or it has expired. */
const isUnknownAccount = (error: unknown): error is LdapError =>
  error instanceof LdapError && ['invalidCredentials', 'inappropriateAuthentication'].includes(error.code);
