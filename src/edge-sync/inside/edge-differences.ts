/** How one edge differs from what it is to have. */
import type { Schema } from '../../ldap/index.ts';
import {
  type ConfigurationChange,
  type ConfigurationObject,
  configurationPlan,
  configuredObjects,
  replicatedObjects,
  understood,
} from './configuration.ts';
import { connectorLogons, type LogonParts, logonChange } from './connector-logons.ts';
import type { EdgeWriter } from './edge-writer.ts';
import type { InsideState, OwnServer, Subscription } from './inside-state.ts';
import type { LdapEdge } from './ldap-edge.ts';
import type { Mirror } from './mirror.ts';
import { hasherOf } from './recipient-key.ts';
import type { EdgeRunLog } from './run-log.ts';

export interface EdgeDifferencesParts extends LogonParts {
  readonly state: InsideState;
  readonly schema: Schema;
  /** This server as it is now, where it is an appliance; absent: what was noted last counts. */
  readonly ownServer?: () => OwnServer;
}

/** Where recipients are compared. */
interface Comparing {
  readonly mirror: Mirror;
  readonly subscription: Subscription;
  readonly edge: LdapEdge;
  readonly full: boolean;
  readonly log?: EdgeRunLog;
}

export class EdgeDifferences {
  readonly #parts: EdgeDifferencesParts;

  constructor(parts: EdgeDifferencesParts) {
    this.#parts = parts;
  }

  /** What is to be written of the configuration; the logons of connectors last, which must be there before. */
  async configuration(
    subscription: Subscription,
    edge: LdapEdge,
    objects: readonly ConfigurationObject[] | undefined,
  ): Promise<ConfigurationChange[]> {
    const { ownServer, state } = this.#parts;
    // Commands on the same state know the certificates by this note, so that they take none of them away.
    if (ownServer !== undefined) await state.noteOwnServer(ownServer());
    const wanted = this.#wanted(subscription, objects);
    const changes = configurationPlan(wanted, await edge.configuration(), subscription.configurationDn);
    const logons = connectorLogons(wanted, state.logons, this.#parts);
    const change = logonChange(logons, await edge.connectorLogons(), subscription);
    return change === undefined ? changes : [...changes, change];
  }

  #wanted(subscription: Subscription, objects: readonly ConfigurationObject[] | undefined): ConfigurationObject[] {
    const { state, schema } = this.#parts;
    const { settings, ownServer } = state;
    if (objects === undefined) return configuredObjects(settings, subscription, ownServer);
    return replicatedObjects(objects, settings, subscription, ownServer).map((object) => understood(object, schema));
  }

  /**
   * Compares with all that stands on the edge where that is asked for, and where the edge is not as it was left: restored, changed
   * by somebody else, or subscribed anew. Resolves with the number of its last run.
   */
  async compareRecipients(writer: EdgeWriter, { mirror, subscription, edge, full, log }: Comparing): Promise<number> {
    const { name } = subscription;
    const { run } = await edge.heartbeat();
    const known = [Number(mirror.meta(`beat ${name}`) ?? 0), Number(mirror.meta(`beating ${name}`) ?? -1)];
    if (!full && known.includes(run)) return run;
    this.#parts.progress(`comparing with all that stands on ${name}`);
    const isFresh = mirror.meta(`fresh ${name}`) === true;
    const { scanned, differing } = await writer.compare(edge, hasherOf(subscription), isFresh);
    log?.write('Low', 'Compared', `${scanned} recipients on the edge, ${differing} differ`);
    return run;
  }
}
