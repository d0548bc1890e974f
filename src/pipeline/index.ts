/**
 * The transport pipeline as agents see it: the events with Exchange's names and order, what an agent may see and say,
 * and the chain that asks the agents one after the other. It stands between smtp-receive, which raises the events,
 * and agents, which answer them. It knows neither sockets nor any agent.
 */

export { AgentChain, type EventRun } from './agent-chain.ts';
export type {
  HeaderBlockFacts,
  Judgement,
  MessageFacts,
  ReceiveAgent,
  RecipientFacts,
  SenderFacts,
  SessionFacts,
  Verdict,
} from './receive-agent.ts';
export { anyTimeEvents, categorizerEvents, sessionEvents, type TransportEvent } from './transport-event.ts';
