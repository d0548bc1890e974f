/** Writes what one run does to the EdgeSync logs: each site has its own settings, and may have a folder of its own. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../base/index.ts';
import { type EdgeSyncLevel, EdgeSyncLog } from '../../logs/index.ts';
import type { RecipientChange } from '../recipient-plan.ts';
import type { ConfigurationChange } from './configuration.ts';
import type { EdgeTarget } from './edge-target.ts';
import type { InsideState } from './inside-state.ts';
import { serviceConfigOf } from './service-config.ts';

export interface RunLogParts {
  readonly state: InsideState;
  readonly clock: Clock;
  /** A log that cannot be written stops nothing, and is told. */
  readonly progress: (text: string) => void;
}

/** The log of one edge within a run. */
export interface EdgeRunLog {
  write(level: EdgeSyncLevel, event: string, information: string): void;
  /** The edge, whose every write is noted where the level asks for it. */
  watched(target: EdgeTarget): EdgeTarget;
}

export class RunLog implements AsyncDisposable {
  readonly #parts: RunLogParts;
  readonly #session = randomBytes(8).toString('hex').toUpperCase();
  /** By site. */
  readonly #logs = new Map<string, EdgeSyncLog>();

  constructor(parts: RunLogParts) {
    this.#parts = parts;
  }

  of({ name, site }: { readonly name: string; readonly site: string }): EdgeRunLog {
    const log = this.#logOf(site);
    const write: EdgeRunLog['write'] = (level, event, information) =>
      log.write({ edge: name, level, event, information });
    return { write, watched: (target) => (log.takes('High') ? watched(target, write) : target) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const log of this.#logs.values()) await log[Symbol.asyncDispose]();
  }

  #logOf(site: string): EdgeSyncLog {
    const known = this.#logs.get(site.toLowerCase());
    if (known !== undefined) return known;
    const { state, clock, progress } = this.#parts;
    const config = serviceConfigOf(state.settings, site);
    const { logEnabled, logLevel, logPath, logMaxAge, logMaxDirectorySize, logMaxFileSize } = config;
    const limits = {
      enabled: logEnabled,
      level: logLevel,
      folder: logPath.startsWith('/') ? logPath : join(state.folder, '..', logPath),
      maxAge: logMaxAge,
      maxDirectorySize: logMaxDirectorySize,
      maxFileSize: logMaxFileSize,
    };
    const faults = { begin: (_: string, text: string) => progress(text), end: () => undefined };
    const log = new EdgeSyncLog(limits, this.#session, { clock, faults });
    this.#logs.set(site.toLowerCase(), log);
    return log;
  }
}

function watched(target: EdgeTarget, write: EdgeRunLog['write']): EdgeTarget {
  return {
    lease: () => target.lease(),
    objects: () => target.objects(),
    heartbeat: () => target.heartbeat(),
    beat: (run) => target.beat(run),
    write: async (change) => {
      await target.write(change);
      write('High', kindOf(change), `${change.id}, ${change.after?.addresses.length ?? 0} addresses`);
    },
  };
}

const kindOf = ({ before, after }: RecipientChange): string =>
  after === undefined ? 'RecipientDeleted' : before === undefined ? 'RecipientAdded' : 'RecipientUpdated';

const configurationEvents = {
  add: 'ConfigurationAdded',
  modify: 'ConfigurationUpdated',
  delete: 'ConfigurationDeleted',
} as const;

/** Notes a write of the configuration: names of attributes, never values. */
export function noteConfiguration(log: EdgeRunLog, change: ConfigurationChange): void {
  const names = change.kind === 'modify' ? change.modifications.map(({ attribute }) => attribute) : [];
  log.write('Medium', configurationEvents[change.kind], [change.dn, ...names].join(' '));
}
