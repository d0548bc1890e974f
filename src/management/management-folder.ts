import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StatePaths } from '../processes/state/index.ts';
import { proofFolderName } from './caller-proof.ts';

/**
 * Makes the folder of the management endpoint, for this account and, when a group is given, for its members: they
 * pass through the state directory to it, and reach nothing else. Without one, members of a former group are shut out again.
 */
export function prepareManagement(paths: StatePaths, group?: number): void {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const proofs = join(paths.management, proofFolderName);
  mkdirSync(proofs, { recursive: true, mode: 0o700 });
  for (const path of [paths.root, paths.management, proofs]) chownSync(path, own.uid, group ?? own.gid);
  const mode = statSync(paths.root).mode & 0o777;
  if (group !== undefined) chmodSync(paths.root, mode | 0o010);
  else if (mode === 0o710) chmodSync(paths.root, 0o700);
  // The set-group-id bit gives the socket to the group: the service itself is no member of it.
  chmodSync(paths.management, group === undefined ? 0o700 : 0o2710);
  // Members add to it, see nothing, and remove only what is theirs (sticky bit).
  chmodSync(proofs, group === undefined ? 0o700 : 0o1730);
}

/** Whether members of a group may reach the endpoint. */
export function isShared(endpoint: string): boolean {
  return (statSync(endpoint).mode & 0o010) !== 0;
}
