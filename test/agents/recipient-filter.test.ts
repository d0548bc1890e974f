import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RecipientKnowledge, recipientFilterAgent } from '../../src/agents/index.ts';
import { defaultsOf, type RecipientFilterConfig, recipientFilterConfig } from '../../src/config/index.ts';

const on: RecipientFilterConfig = { ...defaultsOf(recipientFilterConfig), recipientValidationEnabled: true };
const fresh: RecipientKnowledge = { kind: 'unknown', ageMs: 1000 };
const old: RecipientKnowledge = { kind: 'unknown', ageMs: 8 * 86_400_000 };
const corp = { domainName: 'corp.example', domainType: 'Authoritative', addressBookEnabled: true } as const;

type Row = readonly [
  name: string,
  address: string,
  knowledge: RecipientKnowledge,
  settings: Partial<RecipientFilterConfig>,
  domain: Partial<typeof corp> | { readonly addressBookEnabled: boolean },
  code: number | undefined,
];
const rows: readonly Row[] = [
  ['known', 'jane@corp.example', { kind: 'known' }, {}, {}, undefined],
  ['unknown', 'nobody@corp.example', fresh, {}, {}, 550],
  ['unknown, validation off', 'nobody@corp.example', fresh, { recipientValidationEnabled: false }, {}, undefined],
  ['unknown, shared domain', 'nobody@corp.example', fresh, {}, { addressBookEnabled: false }, undefined],
  ['postmaster', 'PostMaster@corp.example', fresh, {}, {}, undefined],
  ['no subscription', 'nobody@corp.example', { kind: 'no-subscription' }, {}, {}, undefined],
  ['stale, Reject', 'nobody@corp.example', old, {}, {}, 550],
  ['stale, Defer', 'nobody@corp.example', old, { recipientValidationStale: 'Defer' }, {}, 451],
  ['stale, Accept', 'nobody@corp.example', old, { recipientValidationStale: 'Accept' }, {}, undefined],
];
for (const [name, address, knowledge, settings, domain, code] of rows) {
  test(`${name}: ${code ?? 'passes'}`, async () => {
    const agent = recipientFilterAgent({
      settings: () => ({ ...on, ...settings }),
      domainOf: () => ({ ...corp, ...domain }),
      lookup: () => knowledge,
    });
    const session = { id: '1', connector: 'c', remoteAddress: '', localAddress: '', helo: '', secure: false };
    const recipient = { address, domain: 'corp.example' };
    const args = { session: { ...session, bypassAntiSpam: false }, from: '', recipient, recipients: [recipient] };
    const action = await agent.onRcptTo?.(args);
    assert.equal(action?.kind === 'reject' ? action.reply.code : undefined, code);
  });
}
