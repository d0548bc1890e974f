import { spawn } from 'node:child_process';

const words = { ready: 'READY', stopping: 'STOPPING', reloading: 'RELOADING' } as const;

/** Tells the service manager, when there is one, how far the service is (sd_notify; NotifyAccess=all is needed). */
export function notifySystemd(
  state: 'ready' | 'stopping' | 'reloading',
  status: string,
  environment = process.env,
): void {
  if (!environment['NOTIFY_SOCKET']) return;
  const child = spawn('systemd-notify', [`${words[state]}=1`, `STATUS=${status}`, `MAINPID=${process.pid}`], {
    stdio: 'ignore',
  });
  // Without the tool the service still runs; the unit's time-out will say so.
  child.on('error', () => {});
}
