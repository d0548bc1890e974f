import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '../../src/shell/language/parser.ts';
import { print } from '../../src/shell/language/printer.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';
import { scripts, tokenSoup } from './lib/grammar.ts';
import { withoutExtents } from './lib/without-extents.ts';

/** Whatever parses prints back to the same tree; the print of that is the same text. Returns whether it parsed. */
function holds(text: string): boolean {
  const first = parse(text);
  for (const { extent } of first.errors)
    assert.ok(extent.start >= 0 && extent.end <= text.length && extent.start <= extent.end);
  if (first.errors.length > 0) return false;
  const printed = print(first.script);
  const second = parse(printed);
  assert.deepEqual(
    second.errors.map(({ message }) => message),
    [],
    `printed as: ${printed}`,
  );
  assert.deepEqual(withoutExtents(second.script), withoutExtents(first.script), `printed as: ${printed}`);
  assert.equal(print(second.script), printed);
  return true;
}

test('a row of tokens is parsed or refused, and what parses prints back', () => {
  fc.assert(
    fc.property(tokenSoup, (text) => void holds(text)),
    { numRuns: 5000 },
  );
});

test('a script made from the grammar parses and prints back', () => {
  let parsed = 0;
  let all = 0;
  fc.assert(
    fc.property(scripts, (text) => {
      all += 1;
      if (holds(text)) parsed += 1;
    }),
    { numRuns: 2000 },
  );
  assert.ok(parsed > all * 0.8, `only ${parsed} of ${all} parsed`);
});

test('any text is read without a crash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void holds(text)),
    { numRuns: 3000 },
  );
});

// Each text is repeated: none may exhaust the stack or take more than linear time.
for (const unit of [
  '(',
  '{',
  '@(',
  '$(',
  '"$(',
  '@{a=',
  '[int]',
  '-not ',
  '!',
  ',',
  '1+',
  '$x.a',
  '.a',
  '| ft',
  'if(1){',
  '[a[',
  '$x[',
  ';',
  '\n)',
  '}',
  '"',
  "'",
  '`',
  '<#',
  '@"\n',
  'a,',
  '1..',
  '- ',
  'else{',
  'try{',
  'try{}catch{',
  'do{',
  'while(1){',
  'for(;;){',
  'switch(1){',
  'throw ',
  'return ',
]) {
  test(`'${unit}' repeated is refused or read in time`, () => {
    const worked = cpuTime();
    const result = parse(unit.repeat(20_000));
    assert.ok(result.errors.length <= 101);
    assert.ok(worked() < 2000, `${worked()} ms`);
  });
}
