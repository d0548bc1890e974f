/**
 * Categorizing: decides where each recipient of a message goes next, from the accepted domains and the send connectors,
 * after the agents of the categorizer have seen it, and writes the reports about those that got nowhere. Stands between the spool and the delivery queues; the queue calls it.
 * Leaves out: looking up mail exchangers (smtp-send), when to try again (queue).
 */
export { Categorizer } from './categorizer.ts';
export { fit } from './domain-match.ts';
export {
  NotificationWriter,
  postmasterOf,
} from './notification-writer.ts';
export { remoteDomainOf } from './report-settings.ts';
export { RoutingTable, type ServerRole } from './routing-table.ts';
