/** What a session would get, by the session itself without a socket: for Test-ReceiveConnector. Loads no SMTP server. */

export { ConnectorTable, coveringBinding } from '../connector/connector-choice.ts';
export { organizationLimits } from '../session/organization-limits.ts';
export { type CommandAnswer, Rehearsal, type RehearsalParts } from './rehearsal.ts';
export { decisionOf } from './right-decisions.ts';
