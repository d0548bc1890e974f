/**
 * Tells of certificates that end soon, once for each limit in the service log and as long as it lasts in `edge status`, and of
 * connectors whose certificate is not there.
 */
import type { Clock, FaultReport } from '../../base/index.ts';
import type { CertificateStore } from '../../certificates/index.ts';
import type { Snapshot } from '../../config/index.ts';
import { chooseReceiveCertificate, type ExpiryNotice, expiryNotices, type ShownAt } from '../../tls/index.ts';

export interface CertificateWatchParts {
  readonly clock: Clock;
  readonly certificates: Pick<CertificateStore, 'list'>;
  readonly configuration: () => Snapshot;
  readonly faults: FaultReport;
  warn(text: string): void;
}

/** Days are what counts; an hour is near enough. */
const everyMs = 3_600_000;
/** From so many days on it is a fault: there is hardly time left for an authority's answer. */
const faultDays = 7;

export class CertificateWatch implements Disposable {
  readonly #parts: CertificateWatchParts;
  /** Limit told last, by thumbprint. */
  readonly #told = new Map<string, number>();
  #notices: readonly ExpiryNotice[] = [];
  /** Keys of the faults for places without a certificate. */
  #without: ReadonlySet<string> = new Set();
  #timer: { cancel(): void } | undefined;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
  }

  /** What ends within 60 days, for `edge status`. */
  get notices(): readonly ExpiryNotice[] {
    return this.#notices;
  }

  /** Looks now, and from then on every hour. To be called again after a change of certificates or connectors. */
  look(): void {
    this.#timer?.cancel();
    const { clock, certificates, configuration, faults } = this.#parts;
    const before = this.#notices;
    const places = placesOf(configuration());
    const when = { serverFqdn: configuration().server.fqdn, now: clock.now() };
    const list = certificates.list();
    this.#notices = expiryNotices(list, places, when);
    this.#tellMissing(
      new Map(
        places.flatMap((place) => {
          // One that is chosen by the connector's name alone is missed where there is none at all.
          if (place.tlsCertificateName === '' && list.length > 0) return [];
          const { chosen, wanted, reason } = chooseReceiveCertificate(list, { ...place, ...when });
          return chosen === undefined ? [[`no certificate ${place.title}`, missing(place, wanted, reason)]] : [];
        }),
      ),
    );
    for (const notice of this.#notices) this.#tell(notice);
    const bad = new Set(this.#notices.filter(isFault).map(({ thumbprint }) => thumbprint));
    for (const { thumbprint } of before.filter(isFault)) if (!bad.has(thumbprint)) faults.end(keyOf(thumbprint));
    this.#timer = clock.after(everyMs, () => this.look());
  }

  #tell({ thumbprint, within, text }: ExpiryNotice): void {
    if (within <= faultDays) this.#parts.faults.begin(keyOf(thumbprint), text);
    else if (this.#told.get(thumbprint) !== within) this.#parts.warn(text);
    this.#told.set(thumbprint, within);
  }

  #tellMissing(texts: ReadonlyMap<string, string>): void {
    for (const [key, text] of texts) this.#parts.faults.begin(key, text);
    for (const key of this.#without) if (!texts.has(key)) this.#parts.faults.end(key);
    this.#without = new Set(texts.keys());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }
}

function isFault({ within }: ExpiryNotice): boolean {
  return within <= faultDays;
}

function keyOf(thumbprint: string): string {
  return `certificate ${thumbprint}`;
}

function missing({ title }: ShownAt, wanted: string, reason: string): string {
  return `${title} has no certificate to show (wanted: ${wanted}; ${reason}): Test-TlsCertificateSelection says why each one is passed over, New-ExchangeCertificate makes one`;
}

function placesOf({ receiveConnectors, sendConnectors }: Snapshot): readonly ShownAt[] {
  const receive = receiveConnectors
    .filter(({ enabled, authMechanism }) => enabled && authMechanism.includes('Tls'))
    .map(({ name, tlsCertificateName, fqdn }) => ({ title: `receive connector ${name}`, tlsCertificateName, fqdn }));
  const send = sendConnectors
    .filter(({ enabled, tlsCertificateName }) => enabled && tlsCertificateName !== null)
    .map(({ name, tlsCertificateName, fqdn }) => ({ title: `send connector ${name}`, tlsCertificateName, fqdn }));
  return [...receive, ...send, { title: 'LDAPS', tlsCertificateName: null, fqdn: null }].map((place) => ({
    title: place.title,
    tlsCertificateName: place.tlsCertificateName ?? '',
    fqdn: place.fqdn ?? '',
  }));
}
