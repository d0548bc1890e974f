/** Joins edges by their subscription files, and lets them go. */
import { hash } from 'node:crypto';
import { type Clock, keyDigest } from '../../base/index.ts';
import type { DirectoryClient } from '../../directory/index.ts';
import { LdapError } from '../../ldap/index.ts';
import { parseAccountName, placeOf, subscriptionDn } from '../edge/place.ts';
import { newRecipientKey } from '../recipient-hash.ts';
import {
  bootstrapSecret,
  certificateIn,
  readSubscriptionFile,
  type SubscriptionFile,
  SubscriptionFileError,
  unusableReason,
} from '../subscription-file.ts';
import { newCredential, requestOf } from './credential.ts';
import type { EdgeAccess } from './edge-access.ts';
import type { InsideState, Subscription } from './inside-state.ts';
import { connectEdge } from './ldap-edge.ts';
import { Mirror } from './mirror.ts';
import { sealedKeyOf } from './recipient-key.ts';

export interface SubscribeOptions {
  readonly site: string;
  readonly address?: string;
  readonly createInternetSendConnector: boolean;
  readonly createInboundSendConnector: boolean;
}

/** What a new subscription is made of. */
interface Joining {
  readonly file: SubscriptionFile;
  /** SHA-256 of the file, in hex. */
  readonly digest: string;
  /** The subscription that the edge had before. */
  readonly known: Subscription | undefined;
  /** Short name of this server. */
  readonly server: string;
  readonly options: SubscribeOptions;
}

/** Digests of the sealed key: that the edge was told, and that it had before. */
interface ToldKey {
  readonly sealed: string;
  readonly before: string;
}

export class Subscriber {
  readonly #state: InsideState;
  readonly #clock: Clock;
  readonly #edges: EdgeAccess;

  constructor(state: InsideState, clock: Clock, edges: EdgeAccess) {
    this.#state = state;
    this.#clock = clock;
    this.#edges = edges;
  }

  /** Joins an edge by its subscription file. Begun and cut off, it goes on with the same file. Throws SubscriptionFileError. */
  async subscribe(octets: Buffer, options: SubscribeOptions): Promise<Subscription> {
    const state = this.#state;
    const { server } = state.settings;
    const file = readSubscriptionFile(octets);
    const digest = hash('sha256', octets, 'hex');
    const known = state.subscriptions.find(({ name }) => name.toLowerCase() === file.edgeServerName.toLowerCase());
    const subscription = this.#begin({ file, digest, known, server, options });
    await state.save(subscription);
    let told: ToldKey;
    try {
      told = await this.#establish(subscription, file.username, bootstrapSecret(file.password, octets));
    } catch (error) {
      // Cut off, it goes on with what was begun; refused, there is nothing to go on with.
      if (error instanceof SubscriptionFileError) state.forgetBegun(subscription.name);
      throw error;
    }
    const established = { ...subscription, established: true, sealed: told.sealed };
    await using mirror = Mirror.open(state.mirrorFolder);
    // What an earlier subscription of this edge left is written anew.
    await mirror.removeEdge(established.name);
    await mirror.addEdge(established.name);
    // Under another key nothing that stands there is accepted any more: to replace it loses nothing.
    const ours = known?.sealed !== undefined && told.before === known.sealed;
    await mirror.setMeta({ [`fresh ${established.name}`]: !ours });
    await state.save(established);
    return established;
  }

  async unsubscribe(name: string): Promise<void> {
    const { name: exact } = this.#state.subscription(name);
    this.#state.remove(exact);
    await using mirror = Mirror.open(this.#state.mirrorFolder);
    await mirror.removeEdge(exact);
  }

  /** The subscription that was begun with this file, or a new one. Throws SubscriptionFileError for a file of no use. */
  #begin({ file, digest, known, server, options }: Joining): Subscription {
    if (known?.file === digest && known.established) throw new SubscriptionFileError('it was used before');
    const reason = unusableReason(file, this.#clock.now());
    if (reason !== undefined) throw new SubscriptionFileError(reason);
    const configurationDn = /,CN=Services,(CN=Configuration,.+)$/i.exec(file.username)?.[1];
    if (configurationDn === undefined) throw new SubscriptionFileError('ESRAUsername is no account of an edge');
    const begun = this.#state.begun.find((one) => one.file === digest);
    return (
      begun ?? {
        name: file.edgeServerName,
        fqdn: file.edgeServerFqdn,
        address: options.address ?? file.edgeServerFqdn,
        port: file.adamSslPort,
        site: options.site,
        configurationDn,
        pins: [keyDigest(certificateIn(file.certificate))],
        certificate: file.certificate.toString('base64'),
        recipientKey: known?.recipientKey ?? newRecipientKey().toString('base64'),
        credential: newCredential(file.edgeServerName, server, nextNumber(known), this.#clock.now()),
        file: digest,
        established: false,
        createInternetSendConnector: options.createInternetSendConnector,
        createInboundSendConnector: options.createInboundSendConnector,
      }
    );
  }

  /** Has the edge make our account, and gives it the sealed key. */
  async #establish(subscription: Subscription, dn: string, password: string): Promise<ToldKey> {
    if (!(await this.#edges.hasAccount(subscription))) {
      const { certificate, key } = subscription.credential;
      const client = await this.#bootstrap({ ...subscription, certificate, key }, dn, password);
      try {
        const values = [Buffer.from(requestOf(subscription.credential))];
        await client.modify(subscriptionDn(placeOf(subscription)), [
          { operation: 'replace', attribute: 'edgeSyncCredential', values },
        ]);
      } finally {
        await client.close();
      }
      await this.#edges.accountMade(subscription);
    }
    const { octets: sealedKey, digest: sealed } = sealedKeyOf(subscription);
    return await this.#edges.withEdge(subscription, async (edge) => {
      const before = await edge.sealedKeyDigest();
      await edge.tell({ sealedKey, site: subscription.site, pins: subscription.pins });
      return { sealed, before };
    });
  }

  async #bootstrap(address: Parameters<typeof connectEdge>[0], dn: string, password: string): Promise<DirectoryClient> {
    try {
      return (await connectEdge(address, { dn, password })).client;
    } catch (error) {
      if (!(error instanceof LdapError) || error.code !== 'invalidCredentials') throw error;
      throw new SubscriptionFileError(
        'the edge does not take it: it was altered, it was used before, or a newer one was made on the edge',
      );
    }
  }
}

/** Number of the first account of a subscription: one that the edge does not know of the subscription before. */
function nextNumber(known: Subscription | undefined): number {
  if (known === undefined) return 0;
  const { credential, next } = known;
  return (parseAccountName((next ?? credential).user)?.number ?? 0) + 1;
}
