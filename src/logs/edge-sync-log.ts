import type { Clock, FaultReport } from '../base/index.ts';
import { csvLine, logHeader } from './csv.ts';
import { LineLog, type LogLimits } from './files/line-log.ts';

/** Fields of the EdgeSync log. Exchange's own list is not published: these are in the manner of its protocol logs. */
const edgeSyncFields = [
  'date-time',
  'session-id',
  'sequence-number',
  'edge-server',
  'level',
  'event',
  'information',
] as const;

/** Names of Exchange's EdgeSyncLoggingLevel, in order; a log of one level has those before it as well. */
const edgeSyncLevels = ['None', 'Low', 'Medium', 'High'] as const;
/** `None`: how each run ended; `Low`: its steps; `Medium`: objects of the configuration; `High`: every object, without addresses. */
export type EdgeSyncLevel = (typeof edgeSyncLevels)[number];

interface EdgeSyncLogSettings extends LogLimits {
  readonly level: EdgeSyncLevel;
}

/** One line, before it has its time and number. */
interface EdgeSyncEvent {
  readonly edge: string;
  readonly level: EdgeSyncLevel;
  /** One word, as 'Connected'. */
  readonly event: string;
  readonly information: string;
}

/** The EdgeSync log of one site: what its runs did to its edges. Holds no address and no secret. */
export class EdgeSyncLog implements AsyncDisposable {
  readonly #log: LineLog;
  readonly #clock: Clock;
  readonly #level: EdgeSyncLevel;
  readonly #session: string;
  #sequence = 0;

  /** `session` stands in every line of one run. */
  constructor(
    { level, ...limits }: EdgeSyncLogSettings,
    session: string,
    parts: { readonly clock: Clock; readonly faults: FaultReport },
  ) {
    this.#clock = parts.clock;
    this.#level = level;
    this.#session = session;
    const header = logHeader('EdgeSync Log', edgeSyncFields);
    this.#log = new LineLog(limits, { ...parts, prefix: 'EDGESYNC', header });
  }

  takes(level: EdgeSyncLevel): boolean {
    return this.#log.enabled && edgeSyncLevels.indexOf(level) <= edgeSyncLevels.indexOf(this.#level);
  }

  write({ edge, level, event, information }: EdgeSyncEvent): void {
    if (!this.takes(level)) return;
    const time = new Date(this.#clock.now()).toISOString();
    this.#log.write(csvLine([time, this.#session, String(this.#sequence), edge, level, event, information]));
    this.#sequence += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log.close();
  }
}
