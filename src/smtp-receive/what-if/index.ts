/** What a session would get, by the session itself without a socket: for Test-ReceiveConnector. Loads no SMTP server. */

export { type ConnectorChoice, ConnectorTable } from '../connector-choice.ts';
export { type CommandAnswer, Rehearsal, type RehearsalParts, type RehearsalQuestion } from './rehearsal.ts';
export { decisionOf, type RightDecision } from './right-decisions.ts';
