/**
 * A command on a copy of the whole file system, that shows what it changed: an overlay whose lower side is the root file system and
 * whose upper side is empty, in a mount namespace of its own. Nothing of it stays. Nor does it take a port from anybody: a fresh
 * appliance listens on port 25 of all addresses, and its network is its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** Something that the command made, changed or removed. */
export interface Change {
  readonly path: string;
  readonly uid: number;
}

export interface Overlaid {
  readonly status: number | null;
  /** Of the time limit, when the command hangs. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly changes: readonly Change[];
}

/** Mounts below `$0` and runs `$@`; what is in the upper side goes to descriptor 3. */
const script = `
  ip link set lo up || exit 99
  mount -t tmpfs -o mode=755 tmpfs "$0" && mkdir "$0/upper" "$0/work" "$0/root" &&
  mount -t overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" overlay "$0/root" &&
  mount --rbind /proc "$0/root/proc" && mount --rbind /dev "$0/root/dev" || exit 99
  status=0
  chroot "$0/root" "$@" 3>&- || status=$?
  find "$0/upper" -mindepth 1 -printf '%U %G %#m %y /%P\\0' >&3
  exit $status`;

/** Runs a command as root. `place`: a folder for the mounts. Throws Error when there can be no overlay. */
export async function overlaid(place: string, command: readonly string[], timeoutMs: number): Promise<Overlaid> {
  const mounts = join(place, 'overlay');
  mkdirSync(mounts, { recursive: true });
  const args = ['--mount', '--net', '--propagation', 'private', 'sh', '-c', script, mounts, ...command];
  const child = spawn('unshare', args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const said = Promise.all(child.stdio.slice(1, 4).map((stream) => text(stream as Readable)));
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const [stdout = '', stderr = '', listed = ''] = await said;
  if (status === 99) throw new Error(`no overlay can be mounted here: ${stderr}`);
  const changes = listed.split('\0').filter(Boolean).flatMap(changeOf);
  return { status, signal, stdout, stderr, changes };
}

/** Folders on the way to a change come along as they are: those are no changes. */
function changeOf(line: string): Change[] {
  const [, uid, gid, mode, type, path = ''] = /^(\d+) (\d+) (\d+) (\w) (.*)$/s.exec(line) ?? [];
  const below = lstatSync(path, { throwIfNoEntry: false });
  const isSame =
    type === 'd' &&
    below?.isDirectory() === true &&
    below.uid === Number(uid) &&
    below.gid === Number(gid) &&
    (below.mode & 0o7777) === Number.parseInt(mode ?? '', 8);
  return isSame ? [] : [{ path, uid: Number(uid) }];
}
