/** `edge sync socketmap`: Postfix's socketmap protocol (socketmap_table(5)), netstrings of `name key`. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type EdgeSync, SyncStateError } from '../../edge-sync/index.ts';
import { ending } from '../ending.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { SyncOptions } from './options.ts';
import { onSync } from './session.ts';

/** Longest request, in octets: an address and the name of the map. */
const maxRequest = 2048;
/** Silence after which a connection is ended: Postfix keeps its own for a while. */
const idleMs = 300_000;
const comma = 0x2c;

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
      const ended = ending();
      terminal.error(`socketmap answers on ${options.listen}\n`);
      await ended;
      server.close();
      return exitStatus.done;
    },
    { exclusive: false },
  );
}

function serve(socket: Socket, lookups: ReturnType<EdgeSync['openLookups']>): void {
  let buffer: Buffer = Buffer.alloc(0);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const request = takeNetstring(buffer);
      if (request === 'broken') return void socket.destroy();
      if (request === 'more') return;
      buffer = buffer.subarray(request.end);
      const answer = Buffer.from(answerTo(request.text, lookups));
      socket.write(Buffer.concat([Buffer.from(`${answer.length}:`), answer, Buffer.from(',')]));
    }
  });
}

/** The netstring that begins the octets and where it ends; `more` when it is not there whole. */
export function takeNetstring(octets: Buffer): { readonly text: string; readonly end: number } | 'more' | 'broken' {
  const head = /^(\d{1,4})(:?)/.exec(octets.subarray(0, 5).toString('latin1'));
  if (octets.length === 0) return 'more';
  if (head === null) return 'broken';
  if (head[2] === '') return octets.length < 5 && octets.length === head[0].length ? 'more' : 'broken';
  const length = Number(head[1]);
  const start = head[0].length;
  if (length > maxRequest) return 'broken';
  if (octets.length < start + length + 1) return 'more';
  if (octets[start + length] !== comma) return 'broken';
  return { text: octets.subarray(start, start + length).toString('utf8'), end: start + length + 1 };
}

function answerTo(text: string, lookups: ReturnType<EdgeSync['openLookups']>): string {
  const space = text.indexOf(' ');
  if (space < 0) return 'PERM the request has no key';
  return lookups.isKnown(text.slice(space + 1)) ? 'OK OK' : 'NOTFOUND ';
}
