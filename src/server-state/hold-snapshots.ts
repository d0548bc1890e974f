import { SnapshotBuilder, SnapshotHolder } from '../config/index.ts';
import type { DirectoryReader } from '../directory/store/index.ts';
import { placeIn } from './directory/directory-access.ts';

/** The configuration in force, read from the store. */
export function holdSnapshots(store: DirectoryReader): SnapshotHolder {
  return new SnapshotHolder(new SnapshotBuilder(store, placeIn(store)));
}
