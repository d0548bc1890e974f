/**
 * The transport pipeline as agents see it: the events with Exchange's names and order, what an agent may see and do, and the
 * chain that asks the agents one after the other. It stands between smtp-receive, which raises the events, and agents,
 * which answer them. It knows neither sockets nor any agent.
 */

export {
  AgentChain,
  type AgentChanges,
  type EventRun,
  endOfContent,
  type NamedReader,
  type Outcome,
} from './agent-chain.ts';
export {
  changeHeader,
  changeRecipients,
  describeChanges,
  type HeaderChange,
  type MessageChanges,
  type RecipientChange,
  type RecipientChanges,
} from './message-changes.ts';
export type {
  AgentAction,
  AgentDecision,
  ContentReader,
  EndOfDataArgs,
  EndOfHeadersArgs,
  Handler,
  MailCommandArgs,
  RcptCommandArgs,
  ReceiveAgent,
  SmtpSession,
} from './receive-agent.ts';
export { anyTimeEvents, categorizerEvents, sessionEvents, type TransportEvent } from './transport-event.ts';
