/** A thousand destinations with DANE at a time: no lookup waits for another, and what is known costs no round trip. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, unreported } from '../../src/base/index.ts';
import { testSendConnector, testSnapshot } from '../../src/config/index.ts';
import { type DnsAnswer, type DnsAsker, DnsFailure, type DnsType } from '../../src/dns/index.ts';
import { rfcTimeouts } from '../../src/smtp-send/connection/phase-timeouts.ts';
import { routeOf, type SendRoute } from '../../src/smtp-send/connection/send-route.ts';
import type { Target } from '../../src/smtp-send/dns/target-finder.ts';
import { sendingDns } from '../../src/smtp-send/index.ts';

/** Answers when it is told to; TLSA questions wait. */
class SlowZone implements DnsAsker {
  readonly asked: string[] = [];
  readonly waiting: { readonly name: string; readonly answer: () => void }[] = [];

  async ask(name: string, type: DnsType): Promise<DnsAnswer> {
    this.asked.push(`${type} ${name}`);
    if (name === 'bad.test') throw new DnsFailure('SERVFAIL', name);
    const { promise, resolve } = Promise.withResolvers<void>();
    if (type === 'TLSA') this.waiting.push({ name, answer: resolve });
    else resolve();
    await promise;
    const data = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) };
    return { code: 'NOERROR', secure: true, records: [{ name, type, ttl: 300, data }], aliases: [], ttl: 300 };
  }
}

function routeTo(domain: string): SendRoute {
  const sendConnectors = [testSendConnector({ name: 'Out', smtpDaneMode: 'Opportunistic' })];
  const hop = { key: domain, type: 'DnsConnectorDelivery', domain, connector: 'Out' } as const;
  const route = routeOf(hop, testSnapshot({ sendConnectors }), rfcTimeouts);
  assert.ok(route);
  return route;
}

test('1,000 destinations with DANE: every lookup is on its way before the first is answered, and none is repeated', async () => {
  const zone = new SlowZone();
  const { policies } = sendingDns({
    asker: zone,
    settings: () => ({ resolvers: ['127.0.0.1'], trusted: [], goodName: 'good.test', badName: 'bad.test' }),
    faults: unreported,
    clock: systemClock,
  });
  const targets = Array.from({ length: 1_000 }, (_, i): Target => {
    const dns = { domain: `d${i}.test`, secure: true, aliases: [] };
    return { host: `mx.d${i}.test`, serverName: `mx.d${i}.test`, address: '192.0.2.1', port: 25, dns };
  });
  const signal = AbortSignal.timeout(20_000);
  const ask = (target: Target) => policies.policyOf(target, routeTo(target.dns?.domain ?? ''), signal);
  const all = targets.map(ask);
  while (zone.waiting.length < 1_000) await new Promise(setImmediate);
  // The first one hangs: the last one does not wait for it.
  const [stuck, ...others] = zone.waiting;
  for (const { answer } of others.reverse()) answer();
  const found = await Promise.all(all.slice(1));
  assert.ok(found.every((one) => one.kind === 'policy' && one.policy.demands[1]?.policy.level === 'dane'));
  stuck?.answer();
  await all[0];
  const before = zone.asked.length;
  await Promise.all(targets.map(ask));
  assert.equal(zone.asked.length, before, 'a second round asks nobody');
});
