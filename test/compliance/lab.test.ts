/**
 * Every endpoint of the laboratory is tested as a person would test it; the facts must be those of `golden/facts.json`.
 * EDGE_GOLDEN=write writes them anew: read the difference before it is committed.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { host, makeChains, writeChains } from '../../certs/make.ts';
import { type Facts, probeEndpoint, swiftManners } from '../../src/compliance/index.ts';
import { TrustAnchors } from '../../src/tls/index.ts';
import { needs } from '../lib/peers.ts';
import { endpoints, type LabFiles } from './lab/endpoints.ts';

const goldenFile = fileURLToPath(new URL('./golden/facts.json', import.meta.url));
const writing = process.env['EDGE_GOLDEN'] === 'write';
const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Record<string, unknown>;
const found: Record<string, unknown> = {};

let folder: string;
let anchors: string[];
let issuing: LabFiles['issuing'];
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-tls-lab-'));
  const made = makeChains(Date.now(), ['good-rsa', 'good-ec', 'good-ed25519']);
  anchors = [made.rootPem];
  issuing = made.issuing;
  await writeChains(folder, made);
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
  if (!writing) return;
  const all = { ...golden, ...found };
  const kept = Object.keys(endpoints).map((name) => [name, all[name]]);
  writeFileSync(goldenFile, `${JSON.stringify(Object.fromEntries(kept), undefined, 1)}\n`);
});

/** What is the same in every run: no keys, no dates. */
function steady({ certificates, chain, features, mail, ...rest }: Facts): unknown {
  return {
    ...rest,
    certificates: certificates.map(({ subject, issuer, sans, key, signatureAlgorithm, mustStaple }) => ({
      subject,
      issuer,
      sans,
      key,
      signatureAlgorithm,
      ...(mustStaple ? { mustStaple } : {}),
    })),
    chain,
    features,
    ...(mail === undefined ? {} : { mail }),
  };
}

for (const [name, endpoint] of Object.entries(endpoints)) {
  test(`facts of ${name}`, { ...needs(...(endpoint.peers ?? [])), timeout: 240_000 }, async (t) => {
    const files = { folder, issuing, readPem: (file: string) => readFileSync(join(folder, file), 'utf8') };
    await using running = await endpoint.start(files);
    const { facts, connections } = await probeEndpoint(
      { host, address: '127.0.0.1', port: running.port, protocol: endpoint.protocol },
      {
        manners: { ...swiftManners, retryPauseMs: 50, tries: 2, stepMs: name.endsWith('silent') ? 500 : 20_000 },
        judge: { anchors: new TrustAnchors(anchors), now: Date.now() },
        signal: t.signal,
      },
    );
    found[name] = steady(facts);
    const suites = Object.values(facts.cipherSuites).flat().length;
    t.diagnostic(`${connections} connections, ${suites} cipher suites`);
    const most = name === 'postfix-default' ? 150 : 60 + suites;
    assert.ok(connections <= most, `${connections} connections for ${suites} cipher suites`);
    if (!writing) assert.deepEqual(found[name], golden[name]);
  });
}
