import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server } from 'node:net';

/** What to listen on: a bound handle that the supervisor passed, or an endpoint to bind here. */
export type ListenSource = ListenOptions | object;

/** Resolves when the server accepts connections; rejects when it cannot. `backlog`: Node's default when absent. */
export async function listening(server: Server, source: ListenSource, backlog?: number): Promise<AddressInfo> {
  const begun = once(server, 'listening');
  if ('port' in source) server.listen({ ...(backlog !== undefined && { backlog }), ...source });
  else server.listen(source, backlog);
  await begun;
  return server.address() as AddressInfo;
}
