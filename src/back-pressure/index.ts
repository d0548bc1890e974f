/**
 * Back pressure: when memory, disk or the submission queue run short, mail is slowed down and refused before anything breaks. Resources and
 * thresholds are Exchange's (ResourceThrottling). A worker polls; receiving, the pickup folder and `edge status` ask. Left out:
 * version buckets, which belong to a database that is not here.
 */

export { BackPressure, type Peer, type Verdict } from './back-pressure.ts';
export { diskUse, machineReadings } from './readings.ts';
export { type MeterState, pressureLevels } from './resource-meter.ts';
export { type Readings, type ResourceName, resourceNames } from './resources.ts';
