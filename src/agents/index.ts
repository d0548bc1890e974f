/**
 * The agents of the transport pipeline: each answers the events of `pipeline/` by the configuration in force. What they look up
 * is handed to them. Here so far: the recipient filter, what remote domains say, and the tracing of what agents do.
 */
export { loopDetectionAgent } from './loop-detection-agent.ts';
export { PipelineTracing } from './pipeline-tracing.ts';
export {
  type RecipientKnowledge,
  recipientFilterAgent,
} from './recipient-filter-agent.ts';
export { isRestrictive, remoteDomainAgent } from './remote-domain-agent.ts';
