/** `edge sync apply` and `edge sync run`. */
import { printableJson } from '../../base/text/index.ts';
import { type EdgeResult, type EdgeSync, serviceConfigOf, shortest } from '../../edge-sync/index.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { ApplyOptions, SyncOptions } from './options.ts';
import { onSync } from './session.ts';

export function apply(edge: string | undefined, options: ApplyOptions, terminal: Terminal): Promise<number> {
  return onSync('apply', options, terminal, async (edgeSync) => {
    const { force, full } = options;
    const { reading, edges } = await edgeSync.apply({
      ...(edge === undefined ? {} : { only: edge }),
      force,
      full,
      signal: new AbortController().signal,
    });
    if (options.json) terminal.out(`${printableJson({ reading, edges }, 2)}\n`);
    else {
      if (!reading.complete) terminal.error(`the source could not be read completely: ${reading.reasons.join('; ')}\n`);
      for (const one of edges) terminal.out(`${render(one)}\n`);
    }
    return reading.complete && edges.every(({ stopped }) => stopped === undefined)
      ? exitStatus.done
      : exitStatus.finding;
  });
}

function render({ edge, configuration, recipients, stopped }: EdgeResult): string {
  const { added = 0, updated = 0, deleted = 0, written = 0 } = recipients ?? {};
  const done = `${edge}: ${written} recipients written (${added} added, ${updated} changed, ${deleted} removed), ${configuration} changes of the configuration`;
  return stopped === undefined ? done : `${edge}: stopped: ${stopped} (${written} written)`;
}

/** Runs until SIGTERM or SIGINT. */
export function run(options: SyncOptions & { readonly interval?: number }, terminal: Terminal): Promise<number> {
  return onSync('run', options, terminal, async (edgeSync) => {
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
    terminal.error('edge sync is running\n');
    const due = { configuration: 0, recipients: 0 };
    while (!stop.signal.aborted) {
      const now = performance.now();
      const [configuration, recipients] = [now >= due.configuration, now >= due.recipients];
      const what = configuration && recipients ? 'all' : configuration ? 'configuration' : 'recipients';
      await once(edgeSync, what, terminal, stop.signal);
      const every = intervals(edgeSync, options.interval);
      if (configuration) due.configuration = now + every.configuration * 1000;
      if (recipients) due.recipients = now + every.recipients * 1000;
      const wait = Math.min(due.configuration, due.recipients) - performance.now();
      await edgeSync.state.noteNextRun(Date.now() + Math.max(0, wait));
      await pause(wait, stop.signal);
    }
    await edgeSync.state.noteNextRun(undefined);
    terminal.error('edge sync has stopped\n');
    return exitStatus.done;
  });
}

/** In seconds; read anew each time, so that a change needs no restart. */
function intervals({ state }: EdgeSync, given: number | undefined): { configuration: number; recipients: number } {
  if (given !== undefined) return { configuration: given, recipients: given };
  const { settings, subscriptions } = state;
  const configs = subscriptions.map(({ site }) => serviceConfigOf(settings, site));
  return {
    configuration: shortest(configs, 'configurationSyncInterval', settings.configurationInterval),
    recipients: shortest(configs, 'recipientSyncInterval', settings.recipientInterval),
  };
}

async function once(
  edgeSync: EdgeSync,
  what: 'all' | 'configuration' | 'recipients',
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { edges } = await edgeSync.apply({ additions: true, what, signal });
    for (const one of edges) {
      const { stopped, recipients, configuration } = one;
      if (stopped !== undefined || (recipients?.written ?? 0) + configuration > 0)
        terminal.error(`${new Date().toISOString()} ${render(one)}\n`);
    }
  } catch (error) {
    // The source is gone or the state is not ready: the next round tries again.
    if (!signal.aborted)
      terminal.error(`${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
    if (signal.aborted) resolve();
  });
}
