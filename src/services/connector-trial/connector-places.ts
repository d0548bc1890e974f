import { type IpRange, SessionIds, systemClock } from '../../base/index.ts';
import { CertificateStore, keyPassphrase } from '../../certificates/index.ts';
import type { ConnectorPlace, ConnectorPlaces } from '../../cli/index.ts';
import type { Binding, ReceiveConnector, Snapshot } from '../../config/index.ts';
import { type StatePaths, statePaths } from '../../processes/index.ts';
import { becomeOwner, lockHolder } from '../../processes/state/index.ts';
import { openDirectory } from '../../server-state/directory/index.ts';
import { holdSnapshots } from '../../server-state/index.ts';
import { ConnectorTable, ReceiveService } from '../../smtp-receive/index.ts';
import { answers } from './answers.ts';
import { refusingSink } from './refusing-sink.ts';

/**
 * The receive connectors of a state, beside the running service or without it. Root becomes the owner of the state.
 * Rejects with StoreError or StateError.
 */
export async function openConnectorPlaces(state: string): Promise<ConnectorPlaces> {
  const paths = statePaths(state);
  becomeOwner(paths.root);
  const running = lockHolder(paths) !== undefined;
  await using directory = await openDirectory(paths, { readOnly: true, checked: !running });
  return new StatePlaces(paths, holdSnapshots(directory).current, running);
}

const loopback = '127.0.0.1';
/** All of loopback: whoever reaches the temporary socket. */
const everyone: IpRange = { family: 4, first: 0n, last: 0xffff_ffffn, text: '0.0.0.0-255.255.255.255' };

class StatePlaces implements ConnectorPlaces {
  readonly #paths: StatePaths;
  readonly #snapshot: Snapshot;
  readonly #running: boolean;
  readonly #opened: AsyncDisposable[] = [];
  #store: CertificateStore | undefined;

  constructor(paths: StatePaths, snapshot: Snapshot, running: boolean) {
    this.#paths = paths;
    this.#snapshot = snapshot;
    this.#running = running;
  }

  get names(): readonly string[] {
    return this.#snapshot.receiveConnectors.map(({ name }) => name);
  }

  get sendConnectors(): readonly string[] {
    return this.#snapshot.sendConnectors.map(({ name }) => name);
  }

  async place(name: string): Promise<ConnectorPlace | undefined> {
    const connector = this.#find(name);
    if (connector === undefined) return undefined;
    const common = {
      name: connector.name,
      host: connector.fqdn ?? this.#snapshot.server.fqdn,
      tlsCertificateName: connector.tlsCertificateName ?? undefined,
      withoutCertificate: await this.#withoutCertificate(connector),
    };
    const found = await this.#listening(connector);
    if (typeof found !== 'string') return { ...common, ...found, temporary: undefined };
    return { ...common, address: loopback, port: await this.#listen(connector), temporary: found };
  }

  /** By name, as the shell shows it, with or without the server before it: 'EDGE1\From the Internet'. */
  #find(name: string): ReceiveConnector | undefined {
    const wanted = name.slice(name.indexOf('\\') + 1).toLowerCase();
    return this.#snapshot.receiveConnectors.find((one) => one.name.toLowerCase() === wanted);
  }

  /** Why the connector has no certificate to show; undefined: it has one. */
  async #withoutCertificate({ tlsCertificateName, fqdn }: ReceiveConnector): Promise<string | undefined> {
    const certificates = await this.#certificates();
    const { context, event } = certificates.pick({
      purpose: 'STARTTLS',
      ...(tlsCertificateName === null ? {} : { tlsCertificateName }),
      ...(fqdn === null ? {} : { fqdn }),
      serverFqdn: this.#snapshot.server.fqdn,
    });
    if (context !== undefined) return undefined;
    const unread = certificates.problems.map(({ reason }) => reason);
    return [event.reason, ...new Set(unread)].join('; ');
  }

  /** A place where this very connector answers a client on this machine; otherwise why there is none. */
  async #listening(connector: ReceiveConnector): Promise<Binding | string> {
    if (!this.#running) return 'the service does not run';
    if (!connector.enabled) return 'the connector is disabled';
    const table = new ConnectorTable(this.#snapshot.receiveConnectors);
    let reason = 'the connector has no binding';
    for (const binding of connector.bindings) {
      const address = reachable(binding.address);
      // A client on this machine comes from the address that it connects to.
      const choice = table.choose({ address, port: binding.port }, address);
      if (choice.kind !== 'chosen' || choice.connector !== connector) {
        const other = choice.kind === 'chosen' ? `'${choice.connector.name}' takes them` : choice.reason;
        reason = `its RemoteIPRanges leave out clients on this machine: ${other}`;
      } else if (await answers(address, binding.port)) return { address, port: binding.port };
      else reason = `nothing answers on ${binding.address}:${binding.port}`;
    }
    return reason;
  }

  /** The connector as it would answer, on a socket of its own: the sessions and TLS contexts are those of a worker. */
  async #listen(connector: ReceiveConnector): Promise<number> {
    const certificates = await this.#certificates();
    const binding = { address: loopback, port: connector.bindings[0]?.port ?? 25 };
    const open = { enabled: true, bindings: [binding], remoteIPRanges: [everyone], ...unlimited };
    const current = { ...this.#snapshot, receiveConnectors: [{ ...connector, ...open }] };
    const service = new ReceiveService({
      snapshots: { current, onChange: () => ({ [Symbol.dispose]: () => undefined }) },
      sink: refusingSink,
      journal: { emit: () => undefined },
      certificates,
      clock: systemClock,
      sessionIds: new SessionIds(),
      logons: { check: nobodyCanSay, checkCertificate: nobodyCanSay },
    });
    this.#opened.push(service);
    const { address } = await service.serve({ host: loopback, port: 0 }, binding);
    return address.port;
  }

  /** One store for all sockets. */
  async #certificates(): Promise<CertificateStore> {
    if (this.#store !== undefined) return this.#store;
    const folder = this.#paths.certificates;
    this.#store = await CertificateStore.open({ folder, clock: systemClock, passphrase: keyPassphrase() });
    this.#opened.push(this.#store);
    return this.#store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#opened.splice(0)) await one[Symbol.asyncDispose]();
  }
}

/** Limits on connections say nothing of TLS, and the tester opens many one after the other. */
const unlimited = {
  maxInboundConnection: Number.POSITIVE_INFINITY,
  maxInboundConnectionPerSource: Number.POSITIVE_INFINITY,
  maxInboundConnectionPercentagePerSource: 100,
} as const;

/** An address that a client on this machine reaches a binding by. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return loopback;
  return address === '::' ? '::1' : address;
}

/** In the place of accounts: AUTH is offered as it would be, and nobody gets in. */
const nobodyCanSay = (): Promise<{ kind: 'unavailable' }> => Promise.resolve({ kind: 'unavailable' });
