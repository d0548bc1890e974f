import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStsPolicy, parseStsRecord, stsAllows } from '../../src/tls/index.ts';

const policy = (...lines: string[]): string => ['version: STSv1', ...lines].join('\r\n');

const records: readonly (readonly [readonly string[], string | undefined | RegExp])[] = [
  [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
  [['v=STSv1;id=a'], 'a'],
  [['v=spf1 -all', 'v=STSv1; id=1'], '1'],
  [['v=STSv10; id=1'], undefined],
  [[], undefined],
  [['v=STSv1; id=1', 'v=STSv1; id=2'], /one must/],
  [['v=STSv1;'], /no id/],
  [['v=STSv1; id='], /no id/],
  [['v=STSv1; id=has-dash'], /no id/],
  [[`v=STSv1; id=${'a'.repeat(33)}`], /no id/],
  [['v=STSv1; id=1; id=2'], /no id/],
];
for (const [texts, wanted] of records) {
  test(`MTA-STS record ${JSON.stringify(texts)}`, () => {
    if (wanted instanceof RegExp) assert.throws(() => parseStsRecord(texts), wanted);
    else assert.equal(parseStsRecord(texts)?.id, wanted);
  });
}

const policies: readonly (readonly [string, object | RegExp])[] = [
  [
    policy('mode: enforce', 'mx: MX1.Example.com', 'mx: *.example.net', 'max_age: 604800'),
    { mode: 'enforce', maxAge: 604_800, mx: ['mx1.example.com', '*.example.net'] },
  ],
  [policy('mode: none', 'max_age: 0'), { mode: 'none', maxAge: 0, mx: [] }],
  [
    policy('mode: testing', 'mode: enforce', 'mx: a.example', 'max_age: 1', 'future: x'),
    { mode: 'testing', maxAge: 1, mx: ['a.example'] },
  ],
  ['version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 9\n\n', { mode: 'enforce', maxAge: 9, mx: ['a.example'] }],
  [policy('mode: enforce', 'max_age: 1'), /no 'mx'/],
  [policy('mode: strict', 'mx: a.example', 'max_age: 1'), /'mode'/],
  [policy('mode: enforce', 'mx: a.example'), /'max_age'/],
  [policy('mode: enforce', 'mx: a.example', 'max_age: 31557601'), /'max_age'/],
  [policy('mode: enforce', 'mx: a.example', 'max_age: -1'), /'max_age'/],
  [policy('mode: enforce', 'mx: a.*.example', 'max_age: 1'), /'mx'/],
  ['mode: none\nmax_age: 1', /'version'/],
  ['<html>', /line 1/],
];
for (const [text, wanted] of policies) {
  test(`MTA-STS policy ${JSON.stringify(text).slice(0, 70)}`, () => {
    if (wanted instanceof RegExp) assert.throws(() => parseStsPolicy(text), wanted);
    else assert.deepEqual(parseStsPolicy(text), wanted);
  });
}

const allowed: readonly (readonly [string, string, boolean])[] = [
  ['*.example.com', 'mx.example.com', true],
  ['*.example.com', 'a.mx.example.com', false],
  ['*.example.com', 'example.com', false],
  ['mx.example.com', 'MX.EXAMPLE.COM.', true],
  ['mx.example.com', 'mx2.example.com', false],
];
for (const [mx, host, wanted] of allowed) {
  test(`MTA-STS mx ${mx} and host ${host}`, () => assert.equal(stsAllows({ mx: [mx] }, host), wanted));
}
