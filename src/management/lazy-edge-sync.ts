/** EdgeSync for the cmdlets, loaded when one of them asks: a prompt must not wait for it. */
import type { EdgeSyncAdministration } from '../cmdlets/index.ts';

type Edge = Extract<EdgeSyncAdministration, { kind: 'edge' }>;
type Inside = Extract<EdgeSyncAdministration, { kind: 'inside' }>;

/** `isSubscribed` is asked before every cmdlet that is closed on a subscribed edge. */
export function lazyEdgeSync(
  role: string,
  load: () => Promise<EdgeSyncAdministration>,
  isSubscribed: () => boolean,
): EdgeSyncAdministration {
  if (role === 'Mailbox') {
    const inside = async (): Promise<Inside> => (await load()) as Inside;
    return {
      kind: 'inside',
      subscribe: async (file, options) => (await inside()).subscribe(file, options),
      list: async () => (await inside()).list(),
      remove: async (name) => (await inside()).remove(name),
      synchronize: async (options) => (await inside()).synchronize(options),
      test: async (options) => (await inside()).test(options),
      serviceConfigs: async () => (await inside()).serviceConfigs(),
      setServiceConfig: async (site, changes) => (await inside()).setServiceConfig(site, changes),
      verify: async (address) => (await inside()).verify(address),
      principals: async (name) => (await inside()).principals(name),
      principalNames: async (sids) => (await inside()).principalNames(sids),
    };
  }
  const edge = async (): Promise<Edge> => (await load()) as Edge;
  return {
    kind: 'edge',
    get subscribed() {
      return isSubscribed();
    },
    issue: async (durationMs) => (await edge()).issue(durationMs),
    list: async () => (await edge()).list(),
    remove: async (name) => (await edge()).remove(name),
  };
}
