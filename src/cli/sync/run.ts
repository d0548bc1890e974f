/** `edge sync apply` and `edge sync run`. */
import { printableJson } from '../../base/text/index.ts';
import { type EdgeResult, isNews, SyncService } from '../../edge-sync/index.ts';
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
    // It has the state to itself: what is missing could not be added while it waits.
    const { settings } = edgeSync.state;
    edgeSync.state.chosen(undefined);
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
    const say = (text: string): void => terminal.error(`${new Date().toISOString()} ${text}\n`);
    terminal.error(`edge sync is running: it reads ${settings.source.url}\n`);
    const service = new SyncService({
      edgeSync,
      interval: options.interval,
      ran: (edges) => {
        for (const one of edges) if (isNews(one)) say(render(one));
      },
      failed: say,
    });
    await service.run(stop.signal);
    terminal.error('edge sync has stopped\n');
    return exitStatus.done;
  });
}
