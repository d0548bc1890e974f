/** An edge over LDAPS. */
import { hash } from 'node:crypto';
import { DirectoryClient } from '../../directory/index.ts';
import {
  type AttributeValues,
  type Entry,
  LdapError,
  type Modification,
  parseGeneralizedTime,
} from '../../ldap/index.ts';
import { accountOfDn, type EdgePlace, heartbeatDn, leaseDn, recipientsDn, subscriptionDn } from '../edge/place.ts';
import type { EdgeState } from '../recipient.ts';
import type { RecipientHasher } from '../recipient-hash.ts';
import { extraAttributes } from '../recipient-mapping.ts';
import type { RecipientChange } from '../recipient-plan.ts';
import { type ConfigurationChange, configurationKinds, containers, transportSettings } from './configuration.ts';
import { type EdgeAddress, openEdgeSocket } from './edge-socket.ts';
import type { EdgeObject, EdgeTarget, Heartbeat } from './edge-target.ts';

/** How long the lease holds without being taken again, and when it is taken again at the latest. */
const defaultLeaseSeconds = 360;
const renewMs = 60_000;

export interface LdapEdgeParts {
  readonly client: DirectoryClient;
  readonly place: EdgePlace;
  readonly hasher: RecipientHasher;
  /** DER of the certificate that the edge shows. */
  readonly presented?: Buffer | undefined;
  /** How long the lease holds without being taken again. Default: six minutes. */
  readonly leaseSeconds?: number;
  /** Hears until when the lease holds, in milliseconds from now; undefined: it was given back. */
  readonly leased?: (forMs: number | undefined) => Promise<void>;
}

/** Connects and binds: by the client certificate, or with a password as the bootstrap account. Throws LdapError, PinMismatchError. */
export async function connectEdge(
  address: EdgeAddress,
  bind: { readonly dn: string; readonly password: string } | 'external',
): Promise<{ readonly client: DirectoryClient; readonly presented: Buffer | undefined }> {
  const socket = await openEdgeSocket(address).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'PinMismatchError') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new LdapError('unavailable', `${address.address}:${address.port}: ${reason}`, { cause: error });
  });
  let given = false;
  const client = new DirectoryClient({
    url: `ldaps://${address.address}:${address.port}`,
    bind,
    socket: () => {
      // A lost connection is not made anew behind the caller's back: what was under way is not known.
      if (given) throw new LdapError('unavailable', 'the connection to the edge is lost');
      given = true;
      return socket;
    },
  });
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return { client, presented: socket.getPeerX509Certificate()?.raw };
}

export class LdapEdge implements EdgeTarget {
  readonly #parts: LdapEdgeParts;
  #leasedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: LdapEdgeParts) {
    this.#parts = parts;
  }

  async lease(): Promise<void> {
    const seconds = this.#leaseSeconds;
    if (performance.now() - this.#leasedAt < Math.min(renewMs, (seconds * 1000) / 2)) return;
    try {
      await this.#replace(leaseDn(this.#parts.place), { edgeSyncLeaseSeconds: String(seconds) });
    } catch (error) {
      if (error instanceof LdapError && error.code === 'insufficientAccessRights') throw await this.#leased();
      throw error;
    }
    this.#leasedAt = performance.now();
    await this.#parts.leased?.(seconds * 1000);
  }

  get #leaseSeconds(): number {
    return this.#parts.leaseSeconds ?? defaultLeaseSeconds;
  }

  /** Gives the lease back: another server need not wait for its end. */
  async release(): Promise<void> {
    if (!Number.isFinite(this.#leasedAt)) return;
    await this.#replace(leaseDn(this.#parts.place), { edgeSyncLeaseSeconds: '0' });
    this.#leasedAt = Number.NEGATIVE_INFINITY;
    await this.#parts.leased?.(undefined);
  }

  async #leased(): Promise<LdapError> {
    const entry = await this.#parts.client.get(leaseDn(this.#parts.place), [
      'modifiersName',
      'modifyTimestamp',
      'edgeSyncLeaseSeconds',
    ]);
    const holder = accountOfDn(entry?.values('modifiersName')[0] ?? '')?.server ?? 'another server';
    return new LdapError(
      'busy',
      `${holder} holds the lease of this edge: its lock ends at the latest ${this.#leaseSeconds} s after its last write`,
    );
  }

  async write(change: RecipientChange): Promise<void> {
    const dn = `CN=${change.id},${recipientsDn}`;
    const { after } = change;
    if (after === undefined) return this.#delete(dn);
    const isNew = change.before === undefined && !change.unsure;
    try {
      await (isNew ? this.#add(dn, after) : this.#modify(dn, after));
    } catch (error) {
      if (!(error instanceof LdapError)) throw error;
      // What stands there is not what was believed: it is made so all the same.
      if (error.code === 'entryAlreadyExists') await this.#modify(dn, after);
      else if (error.code === 'noSuchObject') await this.#add(dn, after);
      else throw error;
    }
  }

  async #delete(dn: string): Promise<void> {
    try {
      await this.#parts.client.delete(dn);
    } catch (error) {
      if (!(error instanceof LdapError) || error.code !== 'noSuchObject') throw error;
    }
  }

  #add(dn: string, state: EdgeState): Promise<void> {
    return this.#parts.client.add(dn, [
      { attribute: 'objectClass', values: [Buffer.from('edgeRecipient')] },
      ...this.#values(state),
    ]);
  }

  #modify(dn: string, state: EdgeState): Promise<void> {
    const given = this.#values(state);
    const names = new Set(given.map(({ attribute }) => attribute));
    const others = Object.values(extraAttributes).filter((name) => !names.has(name));
    const modifications: Modification[] = [
      ...given.map((one) => ({ operation: 'replace' as const, ...one })),
      ...others.map((attribute) => ({ operation: 'replace' as const, attribute, values: [] })),
    ];
    return this.#parts.client.modify(dn, modifications);
  }

  #values({ addresses, extras }: EdgeState): AttributeValues[] {
    const hashes = addresses.map((address) => this.#parts.hasher.hash(address));
    return [
      { attribute: 'edgeHashedAddress', values: hashes },
      ...Object.entries(extras).map(([attribute, values]) => ({
        attribute,
        values: values.map((value) => Buffer.from(value, 'base64')),
      })),
    ];
  }

  async *objects(): AsyncIterable<EdgeObject> {
    const search = { base: recipientsDn, scope: 'one', attributes: ['cn', 'edgeHashedAddress'] } as const;
    for await (const entry of this.#parts.client.search(search)) {
      const [id] = entry.values('cn');
      if (id !== undefined) yield { id, hashes: entry.buffers('edgeHashedAddress') };
    }
  }

  async heartbeat(): Promise<Heartbeat> {
    const entry = await this.#get(heartbeatDn(this.#parts.place), ['edgeSyncRun', 'modifyTimestamp']);
    const run = Number(entry.values('edgeSyncRun')[0] ?? 0);
    return { run, at: run === 0 ? undefined : parseGeneralizedTime(entry.values('modifyTimestamp')[0] ?? '') };
  }

  async beat(run: number, recipients = ''): Promise<void> {
    await this.#replace(heartbeatDn(this.#parts.place), {
      edgeSyncRun: String(run),
      ...(recipients === '' ? {} : { edgeSyncRecipients: recipients }),
    });
  }

  /** Keys that the edge holds certificates for. */
  async serverKeys(): Promise<readonly string[]> {
    return (await this.#get(subscriptionDn(this.#parts.place), ['edgeSyncServerKey'])).values('edgeSyncServerKey');
  }

  /** SHA-256 of the sealed key of the hashes that the edge has; '' without one. */
  async sealedKeyDigest(): Promise<string> {
    const [sealed] = (await this.#get(subscriptionDn(this.#parts.place), ['edgeSyncSealedKey'])).buffers(
      'edgeSyncSealedKey',
    );
    return sealed === undefined ? '' : hash('sha256', sealed, 'hex');
  }

  /** Logons of connectors as they were sealed for the edge. */
  async connectorLogons(): Promise<readonly string[]> {
    const entry = await this.#get(subscriptionDn(this.#parts.place), ['edgeSyncConnectorSecret']);
    return entry.values('edgeSyncConnectorSecret');
  }

  /** Says which keys of the edge the inside knows, the sealed key of the hashes, and the site. */
  async tell(values: {
    readonly pins?: readonly string[];
    readonly sealedKey?: Buffer;
    readonly site?: string;
    readonly credentials?: readonly string[];
  }): Promise<void> {
    const { pins, sealedKey, site, credentials } = values;
    const modifications: Modification[] = [];
    const replace = (attribute: string, list: readonly (string | Buffer)[]): void => {
      modifications.push({ operation: 'replace', attribute, values: list.map((one) => Buffer.from(one)) });
    };
    if (pins !== undefined) replace('edgeSyncPinnedKey', pins);
    if (sealedKey !== undefined) replace('edgeSyncSealedKey', [sealedKey]);
    if (site !== undefined) replace('edgeSyncSite', [site]);
    if (credentials !== undefined) replace('edgeSyncCredential', credentials);
    await this.#parts.client.modify(subscriptionDn(this.#parts.place), modifications);
  }

  /** Objects of the configuration that are replicated. */
  async configuration(): Promise<readonly Entry[]> {
    const { client, place } = this.#parts;
    const entries: Entry[] = [];
    for (const kind of configurationKinds) {
      const { objectClass, path } = containers[kind];
      const filter = `(objectClass=${objectClass})`;
      for await (const entry of client.search({ base: `${path},${place.configurationDn}`, scope: 'one', filter }))
        entries.push(entry);
    }
    const settings = await client.get(`${transportSettings.path},${place.configurationDn}`, [
      'objectClass',
      'cn',
      ...transportSettings.lists,
    ]);
    return settings === undefined ? entries : [...entries, settings];
  }

  async configure(change: ConfigurationChange): Promise<void> {
    const { client } = this.#parts;
    if (change.kind === 'delete') await client.delete(change.dn);
    else if (change.kind === 'modify') await client.modify(change.dn, change.modifications);
    else {
      const values = [...change.attributes].map(([attribute, list]) => ({
        attribute,
        values: list.map((value) => Buffer.from(value)),
      }));
      await client.add(change.dn, values);
    }
  }

  /** DER of the certificate that the edge shows now. */
  get presentedCertificate(): Buffer | undefined {
    return this.#parts.presented;
  }

  async #get(dn: string, attributes: readonly string[]): Promise<Entry> {
    const entry = await this.#parts.client.get(dn, attributes);
    if (entry === undefined)
      throw new LdapError(
        'noSuchObject',
        `the edge does not know this subscription any more: it was removed there (${dn})`,
      );
    return entry;
  }

  #replace(dn: string, values: Readonly<Record<string, string>>): Promise<void> {
    return this.#parts.client.modify(
      dn,
      Object.entries(values).map(([attribute, value]) => ({
        operation: 'replace',
        attribute,
        values: [Buffer.from(value)],
      })),
    );
  }
}
