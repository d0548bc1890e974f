/**
 * The transport pipeline as agents see it: the events with Exchange's names and order, what an agent may see and do, and the
 * chains that ask the agents one after the other. It stands between smtp-receive and categorizer, which raise the events, and
 * agents, which answer them. It knows neither sockets nor any agent.
 */

export { AgentChain, endOfContent, type NamedReader, type ReceiveOutcome } from './agent-chain.ts';
export type {
  CategorizerAgent,
  CategorizerEnding,
  QueuedMessageArgs,
  Route,
} from './categorizer-agent.ts';
export { CategorizerChain } from './categorizer-chain.ts';
export type { AgentChanges } from './event-run.ts';
export {
  changedMessage,
  changeHeader,
  describeChanges,
  type MessageChanges,
} from './message-changes.ts';
export type {
  AgentAction,
  AgentDecision,
  ContentReader,
  EndOfDataArgs,
  EndOfHeadersArgs,
  RcptCommandArgs,
  ReceiveAgent,
  SmtpSession,
} from './receive-agent.ts';
export type { RoutedMessage } from './routed-message.ts';
