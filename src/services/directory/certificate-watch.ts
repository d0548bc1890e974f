/**
 * Tells of certificates that end soon, once for each limit in the service log and as long as it lasts in `edge status`, and of
 * connectors whose certificate is not there.
 */
import { type Clock, type FaultReport, FoundFaults } from '../../base/index.ts';
import type { CertificateStore } from '../../certificates/index.ts';
import type { Snapshot } from '../../config/index.ts';
import { certificateNotices, type ExpiryNotice, type ShownAt } from '../../tls/index.ts';

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
  readonly #faults: FoundFaults;
  #timer: { cancel(): void } | undefined;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
    this.#faults = new FoundFaults(parts.faults);
  }

  /** What ends within 60 days, for `edge status`. */
  get notices(): readonly ExpiryNotice[] {
    return this.#notices;
  }

  /** Looks now, and from then on every hour. To be called again after a change of certificates or connectors. */
  look(): void {
    this.#timer?.cancel();
    const { clock, certificates, configuration } = this.#parts;
    const { expiring, missing } = certificateNotices(certificates.list(), placesOf(configuration()), {
      serverFqdn: configuration().server.fqdn,
      now: clock.now(),
    });
    this.#notices = expiring;
    for (const notice of expiring) this.#warn(notice);
    this.#faults.set(
      new Map([
        ...expiring.filter(isFault).map(({ thumbprint, text }) => [`certificate ${thumbprint}`, text] as const),
        ...missing.map(({ title, text }) => [`no certificate ${title}`, text] as const),
      ]),
    );
    this.#timer = clock.after(everyMs, () => this.look());
  }

  /** Of what is no fault yet: once for each limit. */
  #warn(notice: ExpiryNotice): void {
    const { thumbprint, within, text } = notice;
    if (!isFault(notice) && this.#told.get(thumbprint) !== within) this.#parts.warn(text);
    this.#told.set(thumbprint, within);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }
}

function isFault({ within }: ExpiryNotice): boolean {
  return within <= faultDays;
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
