/** From the store's entries to the TLS context of a listener: chosen by the rules of tls/, from memory, at once. */
import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/index.ts';
import { type CertificateChoice, chooseReceiveCertificate } from '../tls/index.ts';
import type { CertificateEntry, Loaded } from './store-folder.ts';
import { type ContextPart, type ContextUse, TlsContexts } from './tls-contexts.ts';

export interface PickRequest {
  /** 'STARTTLS', 'implicit TLS', 'client certificate' …: for the event. */
  readonly purpose: string;
  readonly tlsCertificateName?: string;
  readonly fqdn?: string;
  readonly serverFqdn: string;
  /** Versions, suites, tickets and client authorities. */
  readonly use?: ContextUse;
  /** Only one certificate is shown: where the peer pins one key, TLS must not pick that of another algorithm. */
  readonly single?: boolean;
}

export interface PickedCertificate {
  /** Absent: no certificate fits, do not offer STARTTLS. */
  readonly context?: SecureContext;
  readonly choice: CertificateChoice<CertificateEntry>;
  /** The fields of the event 'certificate-chosen'. */
  readonly event: {
    readonly purpose: string;
    readonly wanted: string;
    readonly thumbprint: string;
    readonly subject: string;
    readonly reason: string;
    readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
  };
}

interface Choice {
  readonly picked: PickedCertificate;
  readonly until: number;
}

/** How long a choice is kept: certificates expire while we run. */
const choiceMs = 60_000;
/** Connectors times purposes; more means that somebody makes them up. */
const mostChoices = 1000;

export class CertificatePicker {
  readonly #clock: Clock;
  readonly #contexts = new TlsContexts();
  readonly #choices = new Map<string, Choice>();
  /** Who asks with the same object again, as each session of a connector does, need not have it compared. */
  #repeated = new WeakMap<PickRequest, Choice>();
  #loaded: ReadonlyMap<string, Loaded> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The certificates to choose from are these now. */
  take(loaded: ReadonlyMap<string, Loaded>): void {
    this.#loaded = loaded;
    this.#contexts.clear();
    this.#forget();
  }

  /** At least 32 octets. */
  shareTickets(secret: Buffer): void {
    this.#contexts.shareTickets(secret);
    this.#forget();
  }

  #forget(): void {
    this.#choices.clear();
    this.#repeated = new WeakMap();
  }

  /** The context of certificates named by thumbprint. */
  contextOf(thumbprints: readonly string[], use?: ContextUse): SecureContext {
    return this.#contexts.of(
      thumbprints.flatMap((one) => partOf(this.#loaded.get(one))),
      use,
    );
  }

  pick(request: PickRequest): PickedCertificate {
    const now = this.#clock.now();
    const repeated = this.#repeated.get(request);
    if (repeated !== undefined && now < repeated.until) return repeated.picked;
    const choice = this.#chosen(request, now);
    this.#repeated.set(request, choice);
    return choice.picked;
  }

  #chosen(request: PickRequest, now: number): Choice {
    const key = JSON.stringify(request);
    const known = this.#choices.get(key);
    if (known !== undefined && now < known.until) return known;
    const choice = { picked: this.#choose(request, now), until: now + choiceMs };
    if (this.#choices.size >= mostChoices) this.#choices.clear();
    this.#choices.set(key, choice);
    return choice;
  }

  #choose(request: PickRequest, now: number): PickedCertificate {
    const entries = Array.from(this.#loaded.values(), ({ entry }) => entry);
    const choice = chooseReceiveCertificate(entries, { ...request, now });
    const { chosen, companions, wanted, reason, passedOver } = choice;
    const event = {
      purpose: request.purpose,
      wanted,
      thumbprint: chosen?.thumbprint ?? '',
      subject: chosen?.certificate.subjectText ?? '',
      reason,
      passedOver: passedOver.map(({ name, reason: why }) => ({ name, reason: why })),
    };
    if (chosen === undefined) return { choice, event };
    const shown = request.single === true ? [chosen] : [chosen, ...companions];
    const thumbprints = shown.map(({ thumbprint }) => thumbprint);
    return { choice, event, context: this.contextOf(thumbprints, request.use) };
  }
}

function partOf(loaded: Loaded | undefined): ContextPart[] {
  if (loaded === undefined) return [];
  const { entry, key } = loaded;
  return [{ thumbprint: entry.thumbprint, key, chainPem: entry.chainPem }];
}
