import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryStore, SearchScope } from '../../src/directory/index.ts';
import { compileFilter, type Filter, formatFilter, parseFilter } from '../../src/ldap/index.ts';
import fc from '../lib/properties.ts';
import { admin, asProduct, attributes, emptyStore, type StoreForTest } from './store-for-test.ts';

/** One attribute for each kind of index, as an administrator would add them. */
const extension = `dn: cn=schema
changetype: modify
add: attributeTypes
attributeTypes: ( 1.3.6.1.4.1.99999.42.9.11 NAME 'testText' EQUALITY caseIgnoreMatch ORDERING caseIgnoreOrderingMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-INDEX ( 'eq' 'sub' ) )
attributeTypes: ( 1.3.6.1.4.1.99999.42.9.12 NAME 'testNumber' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 X-INDEX 'ord' )
attributeTypes: ( 1.3.6.1.4.1.99999.42.9.13 NAME 'testMark' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 X-INDEX 'pres' )
attributeTypes: ( 1.3.6.1.4.1.99999.42.9.14 NAME 'testPlain' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributeTypes: ( 1.3.6.1.4.1.99999.42.9.15 NAME 'testSubtext' SUP testText X-INDEX ( 'eq' 'sub' ) )
-
add: objectClasses
objectClasses: ( 1.3.6.1.4.1.99999.42.9.16 NAME 'testThing' SUP top STRUCTURAL MUST cn MAY ( testText $ testNumber $ testMark $ testPlain $ testSubtext ) )
-
`;

const words = ['alpha', 'Alphabet', 'beta rays', 'gamma', 'delta  wing', 'omega point', 'Ümlaut', 'al', 'x'];
const count = 400;

async function things(): Promise<StoreForTest> {
  const made = await emptyStore();
  const { store } = made;
  await store.extendSchema(extension);
  await store.add('o=x', attributes({ objectClass: 'organization' }), asProduct);
  await store.add('ou=a,o=x', attributes({ objectClass: 'organizationalUnit' }), admin);
  const word = (i: number): string => words[i % words.length] ?? '';
  await store.batch(
    Array.from({ length: count }, (_, i) => ({
      kind: 'add' as const,
      dn: i % 4 === 0 ? `cn=t${i},o=x` : `cn=t${i},ou=a,o=x`,
      attributes: attributes({
        objectClass: 'testThing',
        testText: i % 7 === 0 ? [`${word(i)} ${i % 40}`, `${word(i + 3)} tail`] : `${word(i)} ${i % 40}`,
        testNumber: String((i % 50) - 10),
        testPlain: word(i),
        ...(i % 20 === 0 && { testMark: 'TRUE' }),
        ...(i % 25 === 0 && { testSubtext: `sub ${word(i)}` }),
      }),
    })),
    admin,
  );
  return made;
}

// Filter, then how it is answered: the indexes used, or 'scan'.
const plans: readonly (readonly [filter: string, indexes: string])[] = [
  ['(cn=t7)', 'eq cn'],
  ['(2.5.4.3=T7)', 'eq cn'],
  ['(&(objectClass=testThing)(cn=t7))', 'eq cn'],
  ['(|(cn=t7)(cn=t9))', 'eq cn, eq cn'],
  ['(|(cn=t7)(testPlain=alpha))', 'scan'],
  ['(&(testPlain=alpha)(cn=t7))', 'eq cn'],
  ['(!(cn=t7))', 'scan'],
  ['(testMark=*)', 'pres testmark'],
  ['(testMark=TRUE)', 'scan'],
  ['(testPlain=*)', 'scan'],
  ['(testPlain=al*)', 'scan'],
  ['(testText=alpha 3*)', 'eq testtext (beginning), eq testsubtext (beginning)'],
  ['(testText=*ega poi*)', 'sub testtext, sub testsubtext'],
  ['(testNumber>=39)', 'ord testnumber'],
  ['(testNumber<=-10)', 'ord testnumber'],
  ['(&(testNumber>=38)(testNumber<=38))', 'ord testnumber'],
  ['(testNumber=no number)', 'never true'],
  ['(nothingKnown=1)', 'never true'],
  ['(testText~=omega point 5)', 'eq testtext, eq testsubtext'],
  ['(testSubtext=sub alpha)', 'eq testsubtext'],
];

test('the planner uses the indexes that the schema declares', async (t) => {
  await using made = await things();
  for (const [text, expected] of plans) {
    await t.test(text, () => {
      const { access, indexes } = made.store.explain({ base: 'o=x', scope: 'sub', filter: parseFilter(text) });
      const used = [...new Set(indexes.map(({ index }) => index))];
      const wanted = [...new Set(expected.split(', '))];
      if (access === 'scan') assert.equal('scan', expected);
      else
        assert.deepEqual(
          used.filter((index) => wanted.includes(index)),
          wanted,
          `${access}: ${used.join(', ')}`,
        );
    });
  }
});

test('a search of few entries in scope reads these, not the index', async () => {
  await using made = await things();
  const filter = parseFilter('(objectClass=testThing)');
  assert.equal(made.store.explain({ base: 'cn=t4,o=x', scope: 'sub', filter }).access, 'scan');
  assert.equal(made.store.explain({ base: 'cn=t4,o=x', scope: 'base', filter }).candidates, 1);
});

function bruteForce(store: DirectoryStore, filter: Filter, base: string, scope: SearchScope): string[] {
  const matches = compileFilter(filter, store.schema);
  return [...store.search({ base, scope })]
    .filter((entry) => matches(entry) === true)
    .map(({ dn }) => dn)
    .sort();
}

const value = fc.constantFrom(...words, 'alpha 1', 'gamma 3', '5', '-3', '39', 'tail', 'TRUE', 't7', '');
const attribute = fc.constantFrom(
  'cn',
  'testText',
  'testNumber',
  'testMark',
  'testPlain',
  'testSubtext',
  'objectClass',
  'unknown',
);
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('equality', 'greaterOrEqual', 'lessOrEqual', 'approximate'),
    attribute,
    value: value.map(Buffer.from),
  }),
  attribute.map((name) => ({ kind: 'present' as const, attribute: name })),
  fc
    .record({ attribute, initial: fc.option(value), any: fc.array(value, { maxLength: 2 }), final: fc.option(value) })
    .map(({ attribute: name, initial, any, final }) => ({
      kind: 'substrings' as const,
      attribute: name,
      any: any.filter((each) => each !== '').map((each) => Buffer.from(each)),
      ...(initial !== null && initial !== '' && { initial: Buffer.from(initial) }),
      ...(final !== null && final !== '' && { final: Buffer.from(final) }),
    }))
    .filter(({ any, ...rest }) => any.length > 0 || 'initial' in rest || 'final' in rest),
);
const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    fc.array(tie('filter'), { maxLength: 3 }).map((filters): Filter => ({ kind: 'and', filters })),
    fc.array(tie('filter'), { maxLength: 3 }).map((filters): Filter => ({ kind: 'or', filters })),
    tie('filter').map((filter): Filter => ({ kind: 'not', filter })),
  ),
}));

test('what indexes find is what looking at every entry finds', async () => {
  await using made = await things();
  const scopes = fc.constantFrom<SearchScope>('base', 'one', 'sub', 'subordinate');
  fc.assert(
    fc.property(anyFilter, scopes, fc.constantFrom('o=x', 'ou=a,o=x', 'cn=t4,o=x'), (filter, scope, base) => {
      const found = [...made.store.search({ base, scope, filter })].map(({ dn }) => dn);
      assert.equal(new Set(found).size, found.length, 'an entry came twice');
      assert.deepEqual(found.sort(), bruteForce(made.store, filter, base, scope), formatFilter(filter));
    }),
    { numRuns: 300 },
  );
});
