/**
 * Running a cmdlet, the same for every caller (shell, console, API, another server): names and values of its parameters
 * are checked, what it does is audited, and it fails by a `CmdletError` or by a fault of the program that is reported.
 */

import type { CmdletHost, CmdletRequest, CmdletRunner } from '../calling/cmdlet-call.ts';
import { refuseUnbuilt } from '../calling/unbuilt.ts';
import { isClosedOnSubscribedEdge } from '../exchange-cmdlets.ts';
import {
  type AuditEntry,
  type CmdletCatalogue,
  type CmdletContext,
  type CmdletEnvironment,
  CmdletError,
  type CmdletObject,
  type Operation,
} from '../runtime.ts';
import { AuditRecorder } from './audit-recorder.ts';
import { boundByName } from './parameter-binding.ts';

/** What calls are reported to. */
export interface CmdletReports {
  /** Writes to the admin audit log. Throws Error when it cannot. */
  audited(entry: AuditEntry): void;
  /** A cmdlet failed by something that no cmdlet foresaw. */
  fault?(error: unknown): void;
}

/** Runs cmdlets in this process. */
export class LocalCmdletRunner implements CmdletRunner {
  readonly #catalogue: CmdletCatalogue;
  readonly #environment: CmdletEnvironment;
  readonly #reports: CmdletReports;

  constructor(catalogue: CmdletCatalogue, environment: CmdletEnvironment, reports: CmdletReports) {
    this.#catalogue = catalogue;
    this.#environment = environment;
    this.#reports = reports;
  }

  async *run(request: CmdletRequest, host: CmdletHost): AsyncGenerator<CmdletObject> {
    const cmdlet = this.#catalogue.find(request.cmdlet);
    if (cmdlet === undefined) {
      throw new CmdletError('CommandNotFoundException', 'ObjectNotFound', `There is no cmdlet '${request.cmdlet}'.`, {
        target: request.cmdlet,
      });
    }
    refuseUnbuilt(cmdlet, request.parameters);
    this.#refuseClosed(cmdlet.name);
    const bound = boundByName(cmdlet, request.parameters);
    const audited = (entry: AuditEntry): void => this.#reports.audited(entry);
    const recorder = new AuditRecorder({ cmdlet, bound, line: request.line }, audited, host);
    let unanswered: unknown;
    // Nobody is there to answer, or who was asked stopped the line: no fault of the program.
    const shouldProcess = (operation: Operation): Promise<boolean> =>
      host.shouldProcess(operation).catch((error: unknown) => {
        unanswered = error;
        throw error;
      });
    try {
      yield* cmdlet.run({ ...this.#context(host, recorder), shouldProcess }, bound);
    } catch (error) {
      const foreseen = error instanceof CmdletError || error === unanswered || isStop(error, host.signal);
      if (!foreseen) this.#reports.fault?.(error);
      recorder.failed(error);
      throw error;
    }
  }

  /** What EdgeSync replicates is changed inside, as on Exchange's edge. */
  #refuseClosed(name: string): void {
    const { edgeSync } = this.#environment;
    if (edgeSync?.kind !== 'edge' || !isClosedOnSubscribedEdge(name) || !edgeSync.subscribed) return;
    const text = `${name} is closed on a subscribed Edge Transport server: EdgeSync replicates these objects from inside. Change them there, or end the subscription with Remove-EdgeSubscription.`;
    throw new CmdletError('InvalidOperationException', 'InvalidOperation', text, { target: name });
  }

  #context(host: CmdletHost, recorder: AuditRecorder): Omit<CmdletContext, 'shouldProcess'> {
    return {
      ...this.#environment,
      changed: (change) => recorder.changed(change),
      warning: (text) => host.warning(text),
      verbose: (text) => host.verbose(text),
      signal: host.signal,
    };
  }
}

/** The caller ended it: no fault. */
function isStop(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'));
}
