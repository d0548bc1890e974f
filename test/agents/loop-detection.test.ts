/** Loop detection: how often agents may have made a message, and the reply beyond. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loopDetectionAgent } from '../../src/agents/index.ts';
import { generatedLimits, testSnapshot } from '../../src/config/index.ts';
import { internetSnapshot, Receiving } from '../smtp-receive/receiving.ts';

const made = (...agents: readonly string[]): string =>
  agents.map((agent) => `X-MS-Exchange-Generated-Message-Source: ${agent}\r\n`).join('');

const rows: readonly (readonly [fields: string, answer: RegExp])[] = [
  ['', /^250 /],
  [made('Rules', 'Rules', 'Other'), /^250 /],
  [made('Rules', 'rules ', 'Rules'), /^554 5\.3\.5 Agent generated message depth exceeded/],
  [made('a', 'b', 'c', 'd'), /^554 5\.3\.5 /],
];

test('the limits of the organization, in all and for one agent', async () => {
  const agents = [loopDetectionAgent(generatedLimits(testSnapshot().organization))];
  await using edge = await Receiving.start({ snapshot: internetSnapshot(), agents });
  const client = await edge.greeted();
  for (const [fields, answer] of rows) assert.match(await client.message(`${fields}Subject: x\r\n\r\nx\r\n`), answer);
  assert.equal(edge.queue.kept.length, 2);
  assert.match(JSON.stringify(edge.of('agent-acted')), /MaxAllowedAgentGeneratedMessageDepthPerAgent is 2/);
});
