import { formatTimeSpan } from '../../base/index.ts';
import { Quantity } from '../../config/values/index.ts';

export { Quantity };

/** A span of time in seconds, as `New-TimeSpan` and subtracted dates give it. */
export function timeSpan(seconds: number): Quantity {
  return new Quantity('TimeSpan', seconds, formatTimeSpan(seconds));
}

export function isTimeSpan(value: unknown): value is Quantity {
  return value instanceof Quantity && /TimeSpan$/.test(value.typeName);
}
