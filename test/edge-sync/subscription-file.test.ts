import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bootstrapSecret,
  certificateIn,
  readSubscriptionFile,
  type SubscriptionFile,
  unusableReason,
  writeSubscriptionFile,
} from '../../src/edge-sync/subscription-file.ts';

const file: SubscriptionFile = {
  edgeServerName: 'EDGE1',
  edgeServerFqdn: 'edge1.example.com',
  certificate: Buffer.alloc(300, 7),
  username: 'CN=ESRA.EDGE1,CN=Services,CN=Configuration,CN={1}',
  password: 'a<b&"c',
  effectiveDate: Date.UTC(2026, 0, 5, 10),
  durationMs: 86_400_000,
  adamSslPort: 50_636,
  productId: '',
  versionNumber: 1,
  serialNumber: '0.1.0',
};
const text = writeSubscriptionFile(file).toString();

test("the file has Exchange's eleven elements, and reads back as it was", () => {
  assert.equal([...text.matchAll(/<([A-Za-z]+)>[^<]*<\/\1>/g)].length, 11);
  assert.deepEqual(readSubscriptionFile(Buffer.from(text)), file);
});

const rows: readonly (readonly [name: string, content: string, reason: RegExp])[] = [
  ['no XML', 'not XML at all', /not XML/],
  ['another root', text.replaceAll('EdgeSubscriptionData', 'Other'), /its root is Other/],
  ['an element less', text.replace(/ *<ESRAPassword>.*\n/, ''), /ESRAPassword is missing/],
  ['an element twice', text.replace(/( *<Duration>.*\n)/, '$1$1'), /twice/],
  ['an element more', text.replace('  <Duration>', '  <Extra>x</Extra>\n  <Duration>'), /Extra is not known/],
  ['a port that is none', text.replace('50636', '70000'), /no port/],
  ['a name that leaves its place', text.replace('>EDGE1<', '>../../EDGE1<'), /no name of a server/],
  [
    'an external entity',
    text.replace(
      '<EdgeSubscriptionData>',
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<EdgeSubscriptionData>',
    ),
    /document type/,
  ],
];
for (const [name, content, reason] of rows) {
  test(`refused: ${name}`, () => assert.throws(() => readSubscriptionFile(Buffer.from(content)), reason));
}

test('it ends after its time, and one octet makes another secret', () => {
  assert.equal(unusableReason(file, file.effectiveDate + 1000), undefined);
  assert.match(unusableReason(file, file.effectiveDate + file.durationMs) ?? '', /expired/);
  assert.match(unusableReason(file, file.effectiveDate - 7_200_000) ?? '', /clocks/);
  assert.notEqual(bootstrapSecret('p', Buffer.from(text)), bootstrapSecret('p', Buffer.from(`${text} `)));
});

test('octets that are no certificate are an error of the file', () => {
  assert.throws(() => certificateIn(file.certificate), { name: 'SubscriptionFileError', message: /no certificate/ });
});
