/**
 * Takes the logons of send connectors that the inside sealed to a key of this edge, and keeps each on its connector as one that
 * was set here: sealed with the machine's own key. So a logon outlives the certificate that it came by. Once the inside gives
 * any, a connector that it gives none has none: who removes a logon inside wants it gone.
 */
import { credentialPurpose, sendConnector } from '../../config/index.ts';
import type { DirectoryWriter } from '../../directory/index.ts';
import { escapeDnValue } from '../../ldap/index.ts';
import { parseSealedLogon, type SealedLogon } from '../connector-logon.ts';
import type { CredentialServiceParts } from './credential-service.ts';
import { serviceActor } from './edge-subscription.ts';
import { connectorsDn, type EdgePlace, subscriptionDn } from './place.ts';

export interface ConnectorLogonsParts {
  readonly store: DirectoryWriter;
  readonly place: EdgePlace;
  /** Opens what was sealed to a certificate of this server. */
  readonly unseal: (sealed: Buffer) => Promise<Buffer | undefined>;
  /** Seals with the machine's key, and opens it; `unseal` throws for what was not sealed here. */
  readonly secrets: {
    seal(text: string, purpose: string): string;
    unseal(sealed: string, purpose: string): string;
  };
  readonly log: CredentialServiceParts['log'];
}

const { attribute, syntax } = sendConnector.properties.authenticationCredential;
const listAttribute = 'edgeSyncConnectorSecret';

export class ConnectorLogons implements Disposable {
  readonly #parts: ConnectorLogonsParts;
  readonly #listening: Disposable;
  /** The inside says what the connectors log on with. */
  #given = false;
  /** Changes are looked at one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ConnectorLogonsParts) {
    this.#parts = parts;
    const own = subscriptionDn(parts.place).toLowerCase();
    const below = `,${connectorsDn(parts.place).toLowerCase()}`;
    this.#listening = parts.store.onChange((changes, someLost) => {
      // The list was written, perhaps to an empty one.
      this.#given ||= changes.some(
        ({ dn, attributes }) => dn.toLowerCase() === own && attributes.includes(listAttribute),
      );
      const mine = changes.some(({ dn, actor, kind }) => {
        const name = dn.toLowerCase();
        return actor !== serviceActor && kind !== 'delete' && (name === own || name.endsWith(below));
      });
      if (mine || someLost) this.#enqueue();
    });
    this.#enqueue();
  }

  /** Resolves when everything that came until now is in its place. */
  async settled(): Promise<void> {
    await this.#last;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #enqueue(): void {
    this.#last = this.#last
      .then(() => this.#look())
      .catch((error: unknown) => {
        this.#parts.log.warn({ err: error }, 'EdgeSync: logons of connectors could not be brought up to date');
      });
  }

  async #look(): Promise<void> {
    const { store, place } = this.#parts;
    const list = store.get(subscriptionDn(place))?.values(listAttribute) ?? [];
    const logons = list.map(parseSealedLogon).filter((logon) => logon !== undefined);
    for (const logon of logons) await this.#take(logon);
    if (this.#given || list.length > 0)
      await this.#removeOthers(new Set(logons.map(({ connector }) => connector.toLowerCase())));
  }

  async #removeOthers(given: ReadonlySet<string>): Promise<void> {
    const { store, place, log } = this.#parts;
    const connectors = [...store.search({ base: connectorsDn(place), scope: 'one' })];
    for (const entry of connectors) {
      const [connector = ''] = entry.values('cn');
      if (entry.values(attribute).length === 0 || given.has(connector.toLowerCase())) continue;
      await store.modify(entry.dn, [{ operation: 'replace', attribute, values: [] }], { actor: serviceActor });
      log.info({ connector }, 'EdgeSync: a connector has no logon any more');
    }
  }

  async #take({ connector, user, sealed }: SealedLogon): Promise<void> {
    const { store, place, unseal, secrets, log } = this.#parts;
    const dn = `CN=${escapeDnValue(connector)},${connectorsDn(place)}`;
    const entry = store.get(dn);
    if (entry === undefined) return;
    const password = (await unseal(Buffer.from(sealed, 'base64')))?.toString('utf8');
    if (password === undefined) {
      log.warn(
        { connector },
        'EdgeSync: the logon of a connector was sealed to a certificate that is not here any more; inside: edge sync rekey',
      );
      return;
    }
    if (this.#has(entry.values(attribute), user, password)) return;
    const kept = secrets.seal(password, credentialPurpose({ userName: user }));
    const values = syntax.write({ userName: user, sealed: kept }).map((value) => Buffer.from(value));
    await store.modify(dn, [{ operation: 'replace', attribute, values }], { actor: serviceActor });
    log.info({ connector, user }, 'EdgeSync: a connector has its logon');
  }

  #has(values: readonly string[], user: string, password: string): boolean {
    try {
      const known = syntax.read(values);
      return (
        known?.userName === user && this.#parts.secrets.unseal(known.sealed, credentialPurpose(known)) === password
      );
    } catch {
      // None, or one that does not open with the key of this machine any more: it is set anew.
      return false;
    }
  }
}
