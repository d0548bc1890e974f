/**
 * The agents of the transport pipeline: each answers the events of `pipeline/` by the configuration in force. What they look up
 * is handed to them. Here so far: the recipient filter.
 */
export {
  type RecipientKnowledge,
  recipientFilterAgent,
} from './recipient-filter-agent.ts';
