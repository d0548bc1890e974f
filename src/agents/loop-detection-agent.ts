/** Messages that agents made of each other again and again are refused as they are received; Exchange's reply. */
import { type DepthLimits, generatedTooOften, HeaderBlock } from '../mail/index.ts';
import type { ReceiveAgent } from '../pipeline/index.ts';
import type { Reply } from '../smtp/index.ts';

const depthExceeded: Reply = { code: 554, detail: '3.5', lines: ['Agent generated message depth exceeded'] };

/** Before agents that make something of the message. */
const priority = 1;

export function loopDetectionAgent(limits: DepthLimits): ReceiveAgent {
  return {
    name: 'Agent Loop Detection',
    priority,
    onEndOfHeaders: ({ header }) => {
      const reason = generatedTooOften(new HeaderBlock(header), limits);
      return reason === undefined ? { kind: 'continue' } : { kind: 'reject', reply: depthExceeded, reason };
    },
  };
}
