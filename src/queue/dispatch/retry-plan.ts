import type { QueueSettings } from '../model/delivery.ts';

/**
 * How long a queue waits after its `failures`-th connection failure in a row, in milliseconds: first the glitch retries, then
 * the transient ones, then the long interval until the messages expire.
 */
export function retryDelayMs(failures: number, settings: QueueSettings): number {
  const { queueGlitchRetryCount, queueGlitchRetryInterval, transientFailureRetryCount } = settings;
  if (failures <= queueGlitchRetryCount) return queueGlitchRetryInterval * 1_000;
  if (failures <= queueGlitchRetryCount + transientFailureRetryCount)
    return settings.transientFailureRetryInterval * 1_000;
  return settings.outboundConnectionFailureRetryInterval * 1_000;
}
