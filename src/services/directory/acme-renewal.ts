/** Renews the certificates that came by ACME: every hour the line Update-AcmeCertificate, run and audited as any other. */
import type { Clock, FaultReport } from '../../base/index.ts';
import { operationText } from '../../cmdlets/calling/index.ts';
import type { CmdletRunner } from '../../cmdlets/index.ts';

const everyMs = 3_600_000;
/** The first look waits until the service is up. */
const firstMs = 60_000;
const fault = 'ACME';

export interface AcmeRenewalParts {
  /** What is to be renewed; throws for a file that is damaged. */
  readonly orders: () => Promise<readonly unknown[]>;
  readonly runner: CmdletRunner;
  readonly clock: Clock;
  readonly faults: FaultReport;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export class AcmeRenewal implements Disposable {
  readonly #parts: AcmeRenewalParts;
  readonly #stopped = new AbortController();
  #timer: { cancel(): void } | undefined;

  constructor(parts: AcmeRenewalParts) {
    this.#parts = parts;
  }

  start(afterMs = firstMs): void {
    if (this.#stopped.signal.aborted) return;
    this.#timer = this.#parts.clock.after(afterMs, () => {
      void this.look().finally(() => this.start(everyMs));
    });
  }

  /** Never rejects: what fails is a line of the status until it succeeds. */
  async look(): Promise<void> {
    const { orders, runner, faults, log } = this.#parts;
    const request = { cmdlet: 'Update-AcmeCertificate', parameters: new Map<string, never>(), line: '' };
    const host = {
      warning: (text: string) => log.warn(text),
      verbose: (text: string) => log.info(text),
      shouldProcess: (operation: Parameters<typeof operationText>[0]) => {
        log.info(operationText(operation));
        return Promise.resolve(true);
      },
      signal: this.#stopped.signal,
    };
    try {
      // Most appliances have none: the table of all cmdlets is not made for it.
      if ((await orders()).length > 0)
        for await (const row of runner.run(request, host))
          log.info(`ACME: ${String(row.get('Identity'))} was looked at`);
      faults.end(fault);
    } catch (error) {
      if (!this.#stopped.signal.aborted)
        faults.begin(fault, `a certificate was not renewed: ${(error as Error).message}`);
    }
  }

  [Symbol.dispose](): void {
    this.#stopped.abort();
    this.#timer?.cancel();
  }
}
