/** What is watched, and from when on it is scarce: the values of Exchange 2016 and 2019. */

export const resourceNames = [
  'DatabaseUsedSpace',
  'PrivateBytes',
  'QueueLength[SubmissionQueue]',
  'SystemMemory',
  'UsedDiskSpace[logs]',
] as const;
export type ResourceName = (typeof resourceNames)[number];

/** One reading of everything: per cent, or messages for the queue. */
export type Readings = Readonly<Record<ResourceName, number>>;

export interface Resource {
  readonly name: ResourceName;
  readonly lowToMedium: number;
  readonly mediumToHigh: number;
  readonly highToMedium: number;
  readonly mediumToLow: number;
  /** What becomes of mail: refused at once; slowed down first, for so many readings; or nothing. */
  readonly effect: 'refuse' | 'slow' | 'none';
}

const MB = 1024 ** 2;

/**
 * The share of a disk at which so many octets are left, as Exchange counts: a large disk is in need later than at 99 %. The other
 * thresholds keep their distance to it.
 */
function ofDisk(name: ResourceName, diskBytes: number, leastFree: number, distances: readonly number[]): Resource {
  const share = diskBytes > 0 ? (100 * (diskBytes - leastFree)) / diskBytes : 99;
  const high = Math.max(50, Math.min(99.9, Math.round(share * 10) / 10));
  const [lowToMedium = 0, highToMedium = 0, mediumToLow = 0] = distances.map((distance) => round(high - distance));
  return { name, lowToMedium, mediumToHigh: high, highToMedium, mediumToLow, effect: 'refuse' };
}

const round = (share: number): number => Math.round(share * 10) / 10;

/** The resources of a machine whose disks have so many octets. */
export function resourcesOf(disks: { readonly spool: number; readonly logs: number }): readonly Resource[] {
  return [
    ofDisk('DatabaseUsedSpace', disks.spool, 500 * MB, [3, 2, 5]),
    {
      name: 'PrivateBytes',
      lowToMedium: 72,
      mediumToHigh: 75,
      highToMedium: 73,
      mediumToLow: 71,
      effect: 'refuse',
    },
    {
      name: 'QueueLength[SubmissionQueue]',
      lowToMedium: 9_999,
      mediumToHigh: 15_000,
      highToMedium: 10_000,
      mediumToLow: 2_000,
      effect: 'slow',
    },
    { name: 'SystemMemory', lowToMedium: 88, mediumToHigh: 94, highToMedium: 89, mediumToLow: 84, effect: 'none' },
    ofDisk('UsedDiskSpace[logs]', disks.logs, 1_152 * MB, [10, 9, 19]),
  ];
}
