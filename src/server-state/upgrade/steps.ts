import type { StatePaths } from '../../processes/state/index.ts';

/** Brings a state from the version before to the next one. */
export interface UpgradeStep {
  /** Version that the state has afterwards; the steps are numbered from 1 without a gap. */
  readonly version: number;
  /** What it does, for the log. */
  readonly what: string;
  /** Names below the state directory that it changes: they are copied before, and put back when it did not come to its end. */
  readonly changes: readonly string[];
  run(paths: StatePaths): Promise<void>;
}

/**
 * Every step there ever was, in order. Spool records, decision logs and the directory's entries say their own version and are read in
 * every one; a step is for what lies where, and for what must be rewritten as a whole. A new step leaves a state in test/states.
 */
export const upgradeSteps: readonly UpgradeStep[] = [
  {
    version: 1,
    what: 'the state says its version from now on',
    changes: [],
    run: () => Promise.resolve(),
  },
  {
    version: 2,
    what: 'MessageRateLimit of receive connectors (600 a minute from one address by default) and MaxConnectionRatePerMinute (1200) were kept without effect before, and act from now on, as do MaxReceiveSize and MaxSendSize of Set-TransportConfig (10 MB); Unlimited turns all but MaxConnectionRatePerMinute off',
    changes: [],
    run: () => Promise.resolve(),
  },
];
