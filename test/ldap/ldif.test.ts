import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLdifRecord, LdifError, type LdifRecord, readLdif, readLdifStream } from '../../src/ldap/index.ts';
import fc from '../lib/properties.ts';

const read = (text: string): LdifRecord[] => [...readLdif(text)];
const b = (text: string): Buffer => Buffer.from(text);

// RFC 2849, examples 1 to 7, shortened.
const readable: readonly (readonly [what: string, text: string, records: readonly object[]])[] = [
  ['nothing', '', []],
  ['a version alone', 'version: 1\n', []],
  ['comments alone', '# a\n# b\n folded\n\n', []],
  [
    'two entries',
    'version: 1\ndn: cn=a,o=x\nobjectclass: top\ncn: a\ncn: A B\n\n\ndn: cn=b,o=x\ncn: b',
    [
      {
        kind: 'content',
        line: 2,
        dn: 'cn=a,o=x',
        attributes: [
          { attribute: 'objectclass', values: [b('top')] },
          { attribute: 'cn', values: [b('a'), b('A B')] },
        ],
      },
      { kind: 'content', line: 8, dn: 'cn=b,o=x', attributes: [{ attribute: 'cn', values: [b('b')] }] },
    ],
  ],
  [
    'folded lines and CRLF',
    'dn: cn=a,\r\n o=x\r\ndescription: one\r\n  two\r\n',
    [{ kind: 'content', dn: 'cn=a,o=x', attributes: [{ attribute: 'description', values: [b('one two')] }] }],
  ],
  [
    'a folded comment in a record',
    'dn: cn=a\n# one\n two\ncn: a\n',
    [{ kind: 'content', attributes: [{ attribute: 'cn', values: [b('a')] }] }],
  ],
  [
    'base64 in name and value',
    'dn:: Y249w6k=\ncn:: w6k=\n',
    [{ dn: 'cn=é', attributes: [{ attribute: 'cn', values: [b('é')] }] }],
  ],
  [
    'a value without a space, an empty one, options',
    'dn:cn=a\ncn;lang-de:a\ndescription:\n',
    [
      {
        dn: 'cn=a',
        attributes: [
          { attribute: 'cn;lang-de', values: [b('a')] },
          { attribute: 'description', values: [b('')] },
        ],
      },
    ],
  ],
  [
    'an add',
    'dn: cn=a\nchangetype: add\ncn: a\n',
    [{ kind: 'add', attributes: [{ attribute: 'cn', values: [b('a')] }] }],
  ],
  [
    'a delete with a control',
    'dn: cn=a\ncontrol: 1.2.840.113556.1.4.805 true\nchangetype: delete\n',
    [{ kind: 'delete', controls: [{ oid: '1.2.840.113556.1.4.805', critical: true }] }],
  ],
  [
    'a control with a value',
    'dn: cn=a\ncontrol: 1.2.3 false: x\nchangetype: delete\n',
    [{ controls: [{ oid: '1.2.3', critical: false, value: b('x') }] }],
  ],
  [
    'a modify',
    'dn: cn=a\nchangetype: modify\nadd: mail\nmail: x@y\n-\ndelete: sn\n-\nreplace: cn\ncn: a\ncn: b\n-\nincrement: versionNumber\nversionNumber: 1\n-\n',
    [
      {
        kind: 'modify',
        modifications: [
          { operation: 'add', attribute: 'mail', values: [b('x@y')] },
          { operation: 'delete', attribute: 'sn', values: [] },
          { operation: 'replace', attribute: 'cn', values: [b('a'), b('b')] },
          { operation: 'increment', attribute: 'versionNumber', values: [b('1')] },
        ],
      },
    ],
  ],
  [
    'a rename',
    'dn: cn=a,o=x\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1\n',
    [{ kind: 'modifyDn', newRdn: 'cn=b', deleteOldRdn: true }],
  ],
  [
    'a move',
    'dn: cn=a,o=x\nchangetype: moddn\nnewrdn: cn=a\ndeleteoldrdn: 0\nnewsuperior: o=y\n',
    [{ kind: 'modifyDn', deleteOldRdn: false, newSuperior: 'o=y' }],
  ],
];
for (const [what, text, records] of readable) {
  test(`LDIF with ${what} is read`, () => {
    const found = read(text);
    assert.equal(found.length, records.length);
    for (const [i, record] of records.entries()) assert.partialDeepStrictEqual(found[i], record);
  });
}

// Text, and the line that the refusal names.
const refused: readonly (readonly [what: string, text: string, line: number])[] = [
  ['a version 2', 'version: 2\ndn: cn=a\n', 1],
  ['no dn', 'cn: a\n', 1],
  ['a URL', 'dn: cn=a\njpegPhoto:< file:///etc/passwd\n', 2],
  ['bad base64', 'dn: cn=a\ncn:: *\n', 2],
  ['base64 cut short', 'dn: cn=a\ncn:: YQ\n', 2],
  ['a line without colon', 'dn: cn=a\nnonsense\n', 2],
  ['a continuation of nothing', '\n folded\n', 2],
  ['an unknown change', 'dn: cn=a\nchangetype: destroy\n', 2],
  ['something after a delete', 'dn: cn=a\nchangetype: delete\ncn: a\n', 3],
  ['another attribute inside a change', 'dn: cn=a\nchangetype: modify\nadd: mail\ncn: a\n-\n', 4],
  ['an unknown modification', 'dn: cn=a\nchangetype: modify\nalter: mail\n-\n', 3],
  ['a rename without deleteoldrdn', 'dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\n', 2],
  ['a control on content', 'dn: cn=a\ncontrol: 1.2.3\ncn: a\n', 1],
];
for (const [what, text, line] of refused) {
  test(`LDIF with ${what} is refused at line ${line}`, () => {
    assert.throws(
      () => read(text),
      (error) => error instanceof LdifError && error.line === line,
    );
  });
}

const attribute = fc.record(
  {
    attribute: fc.constantFrom('cn', 'sn', 'description;lang-en', 'userCertificate;binary', 'mail'),
    values: fc.uniqueArray(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 120 }).map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      { minLength: 1, maxLength: 4, selector: (value) => value.toString('hex') },
    ),
  },
  { noNullPrototype: true },
);
const attributes = fc.uniqueArray(attribute, { maxLength: 5, selector: (each) => each.attribute });
const sorted = (list: readonly { attribute: string; values: readonly Buffer[] }[]): object[] =>
  list
    .map((each) => ({ attribute: each.attribute, values: [...each.values].sort((x, y) => x.compare(y)) }))
    .sort((x, y) => (x.attribute < y.attribute ? -1 : 1));

test('what is written reads as the same octets, and no line is longer than 76', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme', maxLength: 100 }).filter((dn) => dn !== ''),
      attributes,
      fc.integer({ min: 1, max: 50 }),
      async (dn, list, size) => {
        const text = formatLdifRecord(dn, list);
        assert.ok(text.split('\n').every((line) => line.length <= 76));
        const [record] = read(text);
        assert.ok(record?.kind === 'content');
        assert.equal(record.dn, dn);
        assert.deepEqual(sorted(record.attributes), sorted(list));
        // A stream gives the same, wherever it is cut.
        const octets = Buffer.from(text);
        const chunks = async function* (): AsyncGenerator<Buffer> {
          for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
        };
        assert.deepEqual(await Array.fromAsync(readLdifStream(chunks())), [record]);
      },
    ),
  );
});

test('the order of attributes and values does not show in what is written', () => {
  fc.assert(
    fc.property(attributes, (list) => {
      const turned = [...list].reverse().map((each) => ({ ...each, values: [...each.values].reverse() }));
      assert.equal(formatLdifRecord('cn=a', turned), formatLdifRecord('cn=a', list));
    }),
  );
});
