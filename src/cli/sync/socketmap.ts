/** `edge sync socketmap`: Postfix's socketmap protocol (socketmap_table(5)), netstrings of `name key`. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type EdgeSync, SyncStateError } from '../../edge-sync/index.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { SyncOptions } from './options.ts';
import { onSync } from './session.ts';

/** Longest request, in octets: an address and the name of the map. */
const maxRequest = 2048;

export function socketmap(options: SyncOptions & { readonly listen: string }, terminal: Terminal): Promise<number> {
  return onSync(
    'socketmap',
    options,
    terminal,
    async (edgeSync) => {
      const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(options.listen) ?? [];
      if (host === '') throw new SyncStateError(`'${options.listen}' is no address:port`);
      await using lookups = edgeSync.openLookups();
      const server = createServer((socket) => serve(socket, lookups));
      server.listen(Number(port), host.replace(/^\[|\]$/g, ''));
      await once(server, 'listening');
      terminal.error(`socketmap answers on ${options.listen}\n`);
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
      });
      server.close();
      return exitStatus.done;
    },
    { exclusive: false },
  );
}

function serve(socket: Socket, lookups: ReturnType<EdgeSync['openLookups']>): void {
  let buffer = Buffer.alloc(0);
  socket.setTimeout(300_000, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const colon = buffer.indexOf(0x3a);
      const length = Number(buffer.subarray(0, Math.max(colon, 0)).toString('latin1'));
      if (colon > 5 || length > maxRequest || (colon < 0 && buffer.length > 5)) return void socket.destroy();
      if (colon < 0 || buffer.length < colon + length + 2) return;
      const text = buffer.subarray(colon + 1, colon + 1 + length).toString('utf8');
      buffer = buffer.subarray(colon + length + 2);
      const answer = Buffer.from(answerTo(text, lookups));
      socket.write(Buffer.concat([Buffer.from(`${answer.length}:`), answer, Buffer.from(',')]));
    }
  });
}

function answerTo(text: string, lookups: ReturnType<EdgeSync['openLookups']>): string {
  const space = text.indexOf(' ');
  if (space < 0) return 'PERM the request has no key';
  return lookups.isKnown(text.slice(space + 1)) ? 'OK OK' : 'NOTFOUND ';
}
