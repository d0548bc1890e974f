/**
 * Makes the accounts of EdgeSync on the edge: the inside asks for one by a record in the subscription, this service judges the
 * request and makes it. So no account of EdgeSync needs the right to make accounts. An account has no password: it binds by the
 * certificate that its request carries, so nobody can guess at it, nor lock it.
 */
import { X509Certificate } from 'node:crypto';
import type { Change, DirectoryEntry, Operation } from '../../directory/index.ts';
import { formatGeneralizedTime } from '../../ldap/index.ts';
import { attributes, EdgeSubscription, type EdgeSubscriptionParts, serviceActor } from './edge-subscription.ts';
import { accountOfDn, accountsDn, parseAccountName, roleDn, subscriptionDn } from './place.ts';

/** A request as it stands in edgeSyncCredential. */
export interface CredentialRequest {
  readonly user: string;
  /** DER, base64. */
  readonly certificate: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Longest life of an account, in milliseconds: twice what the inside asks for. */
const longestLifeMs = 60 * 86_400_000;
/** Accounts at a time: several servers, each with one that leaves and one that comes. */
const mostAccounts = 32;
const maxRequestBytes = 8192;

export interface CredentialServiceParts extends EdgeSubscriptionParts {
  /** Opens what was sealed to a certificate of this server. */
  readonly unseal: (sealed: Buffer) => Promise<Buffer | undefined>;
  /** Keeps the key of the address hashes where no LDAP client comes; undefined: there is none any more. */
  readonly keepKey: (key: Buffer | undefined) => Promise<void>;
  readonly log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** Exchange's event for an account that is not renewed on the edge. */
const notRenewed = { source: 'MSExchange Message Security', eventId: 1006 };

export class CredentialService implements Disposable {
  readonly #parts: CredentialServiceParts;
  readonly #subscription: EdgeSubscription;
  readonly #listening: Disposable;
  /** Changes are looked at one after the other. */
  #last: Promise<void> = Promise.resolve();
  #sealed = '';

  constructor(parts: CredentialServiceParts) {
    this.#parts = parts;
    this.#subscription = new EdgeSubscription(parts);
    const dn = subscriptionDn(parts.place).toLowerCase();
    this.#listening = parts.store.onChange((changes, someLost) => {
      const mine = changes.filter((change) => change.dn.toLowerCase() === dn && change.actor !== serviceActor);
      if (mine.length > 0 || someLost) this.#enqueue(mine);
    });
    this.#enqueue([]);
  }

  /** Resolves when everything that was asked for until now is done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #enqueue(changes: readonly Change[]): void {
    this.#last = this.#last
      .then(() => this.#look(changes))
      .catch((error: unknown) => {
        this.#parts.log.warn({ err: error, ...notRenewed }, 'EdgeSync: the accounts could not be brought up to date');
      });
  }

  async #look(changes: readonly Change[]): Promise<void> {
    const { store, place } = this.#parts;
    const entry = store.get(subscriptionDn(place));
    if (entry === undefined) {
      if (changes.length > 0 || this.#sealed !== '') await this.#parts.keepKey(undefined);
      this.#sealed = '';
      return;
    }
    const actors = new Set(
      changes.filter((change) => change.attributes.includes('edgeSyncCredential')).map(({ actor }) => actor),
    );
    for (const actor of actors) await this.#serve(entry, actor);
    await this.#takeKey(entry);
    await this.#clear();
  }

  async #serve(entry: DirectoryEntry, actor: string): Promise<void> {
    for (const text of entry.values('edgeSyncCredential')) {
      const refusal = await this.#make(text, actor);
      if (refusal !== undefined)
        this.#parts.log.warn({ actor, reason: refusal, ...notRenewed }, 'EdgeSync: an account is refused');
    }
  }

  /** Makes what is asked for, unless it is there; says why not. */
  async #make(text: string, actor: string): Promise<string | undefined> {
    const { store, place, clock } = this.#parts;
    const request = parseRequest(text);
    if (typeof request === 'string') return request;
    const dn = `CN=${request.user},${accountsDn(place)}`;
    const bootstrap = this.#bootstrapOf(actor);
    const known = store.get(dn);
    // Of an earlier subscription: who has the new file may replace it.
    if (known !== undefined && bootstrap === undefined) return undefined;
    const refusal = this.#refusal(request, actor);
    if (refusal !== undefined) return refusal;
    const raw = new X509Certificate(Buffer.from(request.certificate, 'base64')).raw;
    const expires = formatGeneralizedTime(Math.min(request.expires, clock.now() + longestLifeMs));
    const isMember = store
      .get(roleDn(place))
      ?.values('member')
      .some((member) => member.toLowerCase() === dn.toLowerCase());
    const operations: Operation[] = [
      ...(known === undefined ? [] : [{ kind: 'delete', dn } as const]),
      {
        kind: 'add',
        dn,
        attributes: attributes({
          objectClass: ['top', 'person', 'edgeAccount'],
          sn: ['EdgeSync'],
          userCertificate: [raw],
          edgeAccountExpires: [expires],
        }),
      },
    ];
    if (isMember !== true) {
      const modifications = [{ operation: 'add', attribute: 'member', values: [Buffer.from(dn)] }] as const;
      operations.push({ kind: 'modify', dn: roleDn(place), modifications });
    }
    // Used once: it has made its successor.
    if (bootstrap !== undefined) operations.push({ kind: 'delete', dn: bootstrap });
    await store.batch(operations, { actor: serviceActor });
    this.#parts.log.info({ account: request.user, expires }, 'EdgeSync: an account is in place');
    return undefined;
  }

  #bootstrapOf(actor: string): string | undefined {
    const { store, place } = this.#parts;
    const bootstrap = store.get(subscriptionDn(place))?.values('edgeSyncBootstrapAccount')[0];
    return bootstrap?.toLowerCase() === actor.toLowerCase() && store.get(bootstrap) !== undefined
      ? bootstrap
      : undefined;
  }

  #refusal({ user, certificate, expires }: CredentialRequest, actor: string): string | undefined {
    const { place, clock } = this.#parts;
    const name = parseAccountName(user);
    if (name === undefined || name.edge.toLowerCase() !== place.serverName.toLowerCase())
      return `'${user.slice(0, 80)}' is not of the form ESRA.${place.serverName}.<server>.<n>`;
    const asker = accountOfDn(actor);
    if (this.#bootstrapOf(actor) === undefined && asker?.server.toLowerCase() !== name.server.toLowerCase())
      return `${actor} may only ask for accounts of its own server`;
    if (this.#subscription.accounts.length >= mostAccounts) return `there are ${mostAccounts} accounts already`;
    if (!(expires > clock.now())) return 'it would have expired already';
    try {
      return new X509Certificate(Buffer.from(certificate, 'base64')).raw.length > 0
        ? undefined
        : 'it has no certificate';
    } catch {
      return 'its certificate cannot be read';
    }
  }

  /** The key of the address hashes, when it came or changed. */
  async #takeKey(entry: DirectoryEntry): Promise<void> {
    const [sealed] = entry.buffers('edgeSyncSealedKey');
    const digest = sealed?.toString('base64') ?? '';
    if (sealed === undefined || digest === this.#sealed) return;
    const key = await this.#parts.unseal(sealed);
    if (key === undefined) {
      this.#parts.log.warn(
        {},
        'EdgeSync: the key of the address hashes was sealed to a certificate that is not here any more; inside: edge sync rekey',
      );
      return;
    }
    this.#sealed = digest;
    await this.#parts.keepKey(key);
  }

  /** Accounts that have expired, and the records of what is made. */
  async #clear(): Promise<void> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    const old = this.#subscription.accounts.filter(({ expires }) => expires !== undefined && expires <= now);
    if (old.length === 0) return;
    await store.batch(
      old.map(({ dn }) => ({ kind: 'delete', dn })),
      { actor: serviceActor },
    );
  }
}

function parseRequest(text: string): CredentialRequest | string {
  if (text.length > maxRequestBytes) return 'the request is too long';
  try {
    const { user, certificate, expires } = JSON.parse(text) as Partial<CredentialRequest>;
    if (typeof user === 'string' && typeof certificate === 'string' && typeof expires === 'number') {
      return { user, certificate, expires };
    }
  } catch {
    // Said below.
  }
  return 'the request cannot be read';
}
