/** How often agents made a message out of another: Exchange's loop detection for what agents and inbox rules generate. Pure. */
import type { HeaderBlock } from './header-block.ts';

export interface DepthLimits {
  readonly most: number;
  readonly mostPerAgent: number;
}

/** One field for each time, with the name of the agent. */
const field = 'x-ms-exchange-generated-message-source';

/** Which limit a message breaks; undefined: none. */
export function generatedTooOften(block: HeaderBlock, { most, mostPerAgent }: DepthLimits): string | undefined {
  const agents = block.all(field).map((value) => value.trim().toLowerCase());
  if (agents.length > most)
    return `agents made it ${agents.length} times, MaxAllowedAgentGeneratedMessageDepth is ${most}`;
  const counts = new Map<string, number>();
  for (const agent of agents) counts.set(agent, (counts.get(agent) ?? 0) + 1);
  const often = Math.max(0, ...counts.values());
  if (often <= mostPerAgent) return undefined;
  return `one agent made it ${often} times, MaxAllowedAgentGeneratedMessageDepthPerAgent is ${mostPerAgent}`;
}
