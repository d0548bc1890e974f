/** The subscription of this edge: issuing the file and its bootstrap account, what it allows, and its end. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { type Clock, keyDigest } from '../../base/index.ts';
import type { DirectoryWriter, Operation, PasswordHasher } from '../../directory/index.ts';
import { equals, formatGeneralizedTime, parseGeneralizedTime } from '../../ldap/index.ts';
import { bootstrapSecret, type SubscriptionFile, writeSubscriptionFile } from '../subscription-file.ts';
import { isInForce, leaseOf } from './lease-policy.ts';
import {
  accountOfDn,
  accountsDn,
  type EdgePlace,
  heartbeatDn,
  internalServersDn,
  leaseDn,
  recipientsDn,
  roleDn,
  subscriptionDn,
} from './place.ts';

export interface EdgeSubscriptionParts {
  readonly store: DirectoryWriter;
  readonly hasher: PasswordHasher;
  readonly place: EdgePlace;
  readonly clock: Clock;
}

/** What the file says of this server. */
export interface IssueRequest {
  readonly fqdn: string;
  /** DER of the certificate that LDAPS presents. */
  readonly certificate: Buffer;
  readonly sslPort: number;
  readonly durationMs: number;
  readonly serialNumber: string;
  readonly productId: string;
  /** Digests of all keys that this server has certificates for. */
  readonly keys: readonly string[];
}

/** What an administrator sees of it. */
export interface SubscriptionState {
  readonly site: string;
  readonly accounts: readonly { readonly name: string; readonly expires: number | undefined }[];
  readonly pinnedKeys: readonly string[];
  /** Account that holds the lease now; '' for none. */
  readonly leaseHolder: string;
  readonly lastRun: number | undefined;
  readonly recipients: string;
  readonly bootstrapPending: boolean;
}

/** Who acts when the service itself does. */
export const serviceActor = 'CN=EdgeSync Service';
const options = { actor: serviceActor } as const;

export class EdgeSubscription {
  readonly #parts: EdgeSubscriptionParts;

  constructor(parts: EdgeSubscriptionParts) {
    this.#parts = parts;
  }

  get subscribed(): boolean {
    const { store, place } = this.#parts;
    return store.get(subscriptionDn(place)) !== undefined;
  }

  /** Makes the file. What was subscribed before stays valid until the inside uses it. */
  async issue(request: IssueRequest): Promise<Buffer> {
    const { hasher, place, clock } = this.#parts;
    const now = clock.now();
    const file: SubscriptionFile = {
      edgeServerName: place.serverName,
      edgeServerFqdn: request.fqdn,
      certificate: request.certificate,
      username: this.#bootstrapDn,
      password: randomBytes(48).toString('base64url'),
      effectiveDate: now,
      durationMs: request.durationMs,
      adamSslPort: request.sslPort,
      productId: request.productId,
      versionNumber: 1,
      serialNumber: request.serialNumber,
    };
    const octets = writeSubscriptionFile(file);
    const userPassword = await hasher.hash(Buffer.from(bootstrapSecret(file.password, octets)));
    const expires = formatGeneralizedTime(now + request.durationMs);
    await this.#parts.store.batch(
      [...this.#replaceBootstrap(userPassword, expires), ...this.#containers(request)],
      options,
    );
    return octets;
  }

  get #bootstrapDn(): string {
    return `CN=ESRA.${this.#parts.place.serverName},${accountsDn(this.#parts.place)}`;
  }

  #replaceBootstrap(userPassword: string, expires: string): Operation[] {
    const { store } = this.#parts;
    const dn = this.#bootstrapDn;
    const add: Operation = {
      kind: 'add',
      dn,
      attributes: attributes({
        objectClass: ['top', 'person', 'edgeAccount'],
        sn: ['EdgeSync'],
        userPassword: [userPassword],
        edgeAccountExpires: [expires],
      }),
    };
    return store.get(dn) === undefined ? [add] : [{ kind: 'delete', dn }, add];
  }

  /** The entries that EdgeSync writes to, with the rights on them. */
  #containers({ certificate, keys }: IssueRequest): Operation[] {
    const { store, place } = this.#parts;
    const subscription = subscriptionDn(place);
    const own = {
      edgeSyncBootstrapAccount: [this.#bootstrapDn],
      edgeSyncServerKey: [...new Set([keyDigest(new X509Certificate(certificate)), ...keys])],
      edgeAccessRule: this.#rules,
    };
    if (store.get(subscription) !== undefined) {
      const modifications = attributes(own).map((one) => ({ operation: 'replace', ...one }) as const);
      return [{ kind: 'modify', dn: subscription, modifications }, ...this.#serversContainer()];
    }
    const classes = ['top', 'container', 'edgeSyncSubscription'];
    return [
      {
        kind: 'add',
        dn: subscription,
        attributes: attributes({ objectClass: [...classes, 'edgeAccessControl'], ...own }),
      },
      {
        kind: 'add',
        dn: leaseDn(place),
        attributes: attributes({ objectClass: classes, edgeSyncLeaseSeconds: ['0'] }),
      },
      { kind: 'add', dn: heartbeatDn(place), attributes: attributes({ objectClass: classes, edgeSyncRun: ['0'] }) },
      ...this.#serversContainer(),
    ];
  }

  /** What the inside, and who has the subscription file, may do with the entry of the subscription. */
  get #rules(): string[] {
    const role = `group ${roleDn(this.#parts.place)}`;
    const bootstrap = `dn ${this.#bootstrapDn}`;
    return [
      `allow read,write on edgeSyncCredential,edgeSyncSealedKey,edgeSyncPinnedKey,edgeSyncSite,edgeSyncConnectorSecret to ${role}`,
      `allow read on cn,objectClass,edgeSyncServerKey to ${role}`,
      `allow read,write on edgeSyncLeaseSeconds,edgeSyncRun,edgeSyncRecipients below to ${role}`,
      `allow read on cn,objectClass,modifyTimestamp,modifiersName below to ${role}`,
      `allow read,write on edgeSyncCredential to ${bootstrap}`,
      `allow read on cn,objectClass,edgeSyncServerKey to ${bootstrap}`,
    ];
  }

  /** The container of internal servers, where it is not there. */
  #serversContainer(): Operation[] {
    const { store, place } = this.#parts;
    const dn = internalServersDn(place);
    if (store.get(dn) !== undefined) return [];
    const role = `group ${roleDn(place)}`;
    const edgeAccessRule = [
      `allow read on cn,objectClass to ${role}`,
      `allow read,write,create,delete of edgeInternalServer below to ${role}`,
    ];
    const objectClass = ['top', 'container', 'edgeAccessControl'];
    return [{ kind: 'add', dn, attributes: attributes({ objectClass, edgeAccessRule }) }];
  }

  /** Gives a subscription that an older program made what has come since: rights and containers. */
  async bringUp(): Promise<void> {
    const { store, place } = this.#parts;
    const dn = subscriptionDn(place);
    const entry = store.get(dn);
    if (entry === undefined) return;
    const known = new Set(entry.values('edgeAccessRule'));
    const isSame = known.size === this.#rules.length && this.#rules.every((rule) => known.has(rule));
    const modifications = attributes({ edgeAccessRule: this.#rules }).map(
      (one) => ({ operation: 'replace', ...one }) as const,
    );
    const operations: Operation[] = [
      ...(isSame ? [] : [{ kind: 'modify', dn, modifications } as const]),
      ...this.#serversContainer(),
    ];
    if (operations.length > 0) await store.batch(operations, options);
  }

  /** Names of the accounts that the inside may use, newest last. */
  get accounts(): readonly { readonly name: string; readonly dn: string; readonly expires: number | undefined }[] {
    const { store, place } = this.#parts;
    const found = [
      ...store.search({ base: accountsDn(place), scope: 'one', filter: equals('objectClass', 'edgeAccount') }),
    ];
    return found
      .filter(({ dn }) => accountOfDn(dn) !== undefined)
      .map((entry) => ({
        name: entry.values('cn')[0] ?? '',
        dn: entry.dn,
        expires: timeOf(entry.values('edgeAccountExpires')[0]),
      }));
  }

  get state(): SubscriptionState | undefined {
    const { store, place, clock } = this.#parts;
    const entry = store.get(subscriptionDn(place));
    if (entry === undefined) return undefined;
    const lease = store.get(leaseDn(place));
    const heartbeat = store.get(heartbeatDn(place));
    const beaten = Number(heartbeat?.values('edgeSyncRun')[0] ?? 0) > 0;
    return {
      site: entry.values('edgeSyncSite')[0] ?? '',
      accounts: this.accounts.map(({ name, expires }) => ({ name, expires })),
      pinnedKeys: entry.values('edgeSyncPinnedKey'),
      leaseHolder: isInForce(leaseOf(lease), clock.now()) ? (lease?.values('modifiersName')[0] ?? '') : '',
      lastRun: beaten ? timeOf(heartbeat?.values('modifyTimestamp')[0]) : undefined,
      recipients: heartbeat?.values('edgeSyncRecipients')[0] ?? '',
      bootstrapPending: store.get(this.#bootstrapDn) !== undefined,
    };
  }

  /** Ends the subscription: accounts, state and everything that was replicated. */
  async remove(): Promise<void> {
    const { store, place } = this.#parts;
    const operations: Operation[] = this.accounts.map(({ dn }) => ({ kind: 'delete', dn }));
    if (store.get(this.#bootstrapDn) !== undefined) operations.push({ kind: 'delete', dn: this.#bootstrapDn });
    if (this.subscribed) operations.push({ kind: 'delete', dn: subscriptionDn(place), subtree: true });
    const servers = internalServersDn(place);
    // Nobody of the organization is trusted any more.
    if (store.get(servers) !== undefined) operations.push({ kind: 'delete', dn: servers, subtree: true });
    operations.push(...this.#withoutMembers());
    await store.batch(operations, options);
    await this.#removeRecipients();
  }

  /** The accounts leave their role with their entries; where a store keeps dangling members they are taken out here. */
  #withoutMembers(): Operation[] {
    const { store, place } = this.#parts;
    const members = store.get(roleDn(place))?.values('member') ?? [];
    const ours = members.filter((dn) => accountOfDn(dn) !== undefined);
    if (ours.length === 0) return [];
    const values = ours.map((dn) => Buffer.from(dn));
    return [
      { kind: 'modify', dn: roleDn(place), modifications: [{ operation: 'delete', attribute: 'member', values }] },
    ];
  }

  /** In steps: there may be a million. */
  async #removeRecipients(): Promise<void> {
    const { store } = this.#parts;
    for (;;) {
      const some = [...store.search({ base: recipientsDn, scope: 'one', limit: 2000 })];
      if (some.length === 0) return;
      await store.batch(
        some.map(({ dn }) => ({ kind: 'delete', dn })),
        options,
      );
    }
  }
}

type Values = Readonly<Record<string, readonly (string | Buffer)[]>>;

/** Values as the store takes them. */
export function attributes(values: Values): { attribute: string; values: Buffer[] }[] {
  return Object.entries(values).map(([attribute, list]) => ({
    attribute,
    values: list.map((one) => Buffer.from(one)),
  }));
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseGeneralizedTime(text);
}
