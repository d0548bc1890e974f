/**
 * Where the directory answers: in clear on loopback, as AD LDS of an Edge server does; by TLS on the addresses that the server's
 * object names, to the clients it names. When it names none, LDAPS listens on every address as soon as the role EdgeSync has a
 * member, which is what a subscription makes, and nowhere before. Changes are in force at once; open connections go on.
 */
import { contains, type IpRange, parseIp } from '../../base/index.ts';
import type { LdapListener, ListenTarget } from '../../directory/index.ts';

/** What the server's object says. */
export interface LdapSettings {
  readonly edgeSyncAdamLdapPort: number;
  readonly edgeSyncAdamSslPort: number;
  /** Local addresses for LDAPS; none: see above. */
  readonly ldapsAddresses: readonly string[];
  /** Clients that LDAPS serves; none: all. */
  readonly ldapsRemoteIPRanges: readonly IpRange[];
}

export interface LdapListenersParts {
  /** Begins to listen; rejects when the address cannot be had. */
  readonly listen: (target: ListenTarget) => Promise<LdapListener>;
  readonly settings: () => LdapSettings;
  /** Whether there is an account that replicates from inside. */
  readonly isSubscribed: () => boolean;
  /** Takes an endpoint that cannot be listened on, and undefined once it can. */
  readonly failed: (endpoint: string, error: Error | undefined) => void;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const everyAddress: readonly string[] = ['0.0.0.0', '::'];

export class LdapListeners {
  readonly #parts: LdapListenersParts;
  readonly #open = new Map<string, LdapListener>();
  #applied: Promise<void> = Promise.resolve();

  constructor(parts: LdapListenersParts) {
    this.#parts = parts;
  }

  /** Opens and closes listeners until they are those that the settings name. Never rejects. */
  apply(): Promise<void> {
    this.#applied = this.#applied.then(() => this.#apply());
    return this.#applied;
  }

  /** One line for each endpoint, for the status. */
  get lines(): readonly string[] {
    const openToAll = this.#parts.settings().ldapsRemoteIPRanges.length === 0;
    return [...this.#open.keys()].map((text) =>
      openToAll && text.startsWith('ldaps') && !isLoopbackEndpoint(text) ? `${text} (open to every address)` : text,
    );
  }

  async #apply(): Promise<void> {
    const wanted = new Map(this.#wanted().map((endpoint) => [textOf(endpoint), endpoint]));
    for (const [text, listener] of this.#open) {
      if (wanted.has(text)) continue;
      this.#open.delete(text);
      // The listener is closed at once; its promise waits for the connections, which go on.
      void listener[Symbol.asyncDispose]();
    }
    for (const [text, endpoint] of wanted) if (!this.#open.has(text)) await this.#listen(text, endpoint);
  }

  #wanted(): Endpoint[] {
    const { edgeSyncAdamLdapPort, edgeSyncAdamSslPort, ldapsAddresses } = this.#parts.settings();
    const unnamed = this.#parts.isSubscribed() ? everyAddress : [];
    const secured = ldapsAddresses.length > 0 ? ldapsAddresses : unnamed;
    return [
      ...['127.0.0.1', '::1'].map((host) => ({ host, port: edgeSyncAdamLdapPort, tls: false })),
      ...secured.map((host) => ({ host, port: edgeSyncAdamSslPort, tls: true })),
    ];
  }

  async #listen(text: string, { host, port, tls }: Endpoint): Promise<void> {
    try {
      this.#open.set(text, await this.#parts.listen({ host, port, tls, ...(tls && { serves: this.#serves }) }));
      this.#parts.failed(text, undefined);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // A machine without IPv6 has no address of it, which is nobody's fault.
      const hasNoIpv6 = host.includes(':') && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL');
      if (!hasNoIpv6) this.#parts.failed(text, error as Error);
    }
  }

  /** Asked for each connection, so that a change is in force at once. */
  readonly #serves = (address: string): boolean => {
    const ranges = this.#parts.settings().ldapsRemoteIPRanges;
    const [plain = ''] = address.split('%');
    return ranges.length === 0 || ranges.some((range) => contains(range, parseIp(plain)));
  };
}

const textOf = ({ host, port, tls }: Endpoint): string =>
  `${tls ? 'ldaps' : 'ldap'} ${host.includes(':') ? `[${host}]` : host}:${port}`;

const isLoopbackEndpoint = (text: string): boolean => / (?:127\.|\[::1\])/.test(text);
