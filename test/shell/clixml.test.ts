import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCliXml } from '../../src/shell/builtins/clixml.ts';
import { fromCliXml } from '../../src/shell/builtins/clixml-reader.ts';
import { toText } from '../../src/shell/values/text.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';

const objs = (body: string): string =>
  `<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${body}</Objs>`;

// [MS-PSRP] 2.2.5: elements as Windows PowerShell writes them.
for (const [body, value] of [
  ['<S>text</S>', 'text'],
  ['<S>a&lt;b&amp;c_x000A_d_x005F_x000A_</S>', 'a<b&c\nd_x000A_'],
  ['<I32>-5</I32>', -5],
  ['<Db>1.5</Db>', 1.5],
  ['<B>true</B>', true],
  ['<Nil />', null],
  ['<TS>P1DT2H3M4S</TS>', '1.02:03:04'],
  ['<TS>-PT90S</TS>', '-00:01:30'],
  ['<BA>AQID</BA>', '1 2 3'],
  ['<G>c56a4180-65aa-42ec-a945-5fd21dec0538</G>', 'c56a4180-65aa-42ec-a945-5fd21dec0538'],
  ['<Obj RefId="0"><TN RefId="0"><T>System.Object[]</T></TN><LST><I32>1</I32><S>b</S></LST></Obj>', '1 b'],
  ['<Obj RefId="0"><TNRef RefId="9" /><MS><S N="a">1</S></MS></Obj>', '@{a=1}'],
] as const) {
  test(`${body} is read`, () => {
    const [found] = fromCliXml(objs(body));
    const comparable = typeof value === 'string' ? toText(found) : found;
    assert.deepEqual(comparable, value);
  });
}

for (const [document, why] of [
  ['', /no element Objs/],
  ['plain', /no element Objs/],
  ['<Objs>', /not CLIXML at character 7/],
  ['<Objs><S>x</Objs>', /not CLIXML/],
  ['<Objs></S></Objs>', /not CLIXML/],
  ['<!DOCTYPE x [<!ENTITY a "b">]><Objs></Objs>', /not CLIXML at character 1/],
  ['<Objs><S a=b>x</S></Objs>', /not CLIXML/],
  [`${'<Obj>'.repeat(200)}`, /more than 100 elements/],
] as const) {
  test(`${document.slice(0, 40)} is refused`, () => {
    assert.throws(() => fromCliXml(document), { name: 'RangeError', message: why });
  });
}

test('any text is read or refused in time', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '/',
    '<Obj>',
    '</Obj>',
    '<S>',
    '</S>',
    ' N="a"',
    '&amp;',
    '<!--',
    '-->',
    '<?',
    'x',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        fromCliXml(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
    { numRuns: 3000 },
  );
});

for (const unit of ['<', '<S ', '<!-- ', '<S a="', '&lt;', '<a></a>']) {
  test(`'${unit}' repeated takes linear time`, () => {
    const worked = cpuTime();
    try {
      fromCliXml(objs(unit.repeat(50_000)));
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
    assert.ok(worked() < 2000, `${worked()} ms`);
  });
}

test('what is written is read back', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aB<>&"\'_x05\n\u0001é') });
  const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), (values) => {
      assert.deepEqual(fromCliXml(toCliXml(values, 3)), values);
    }),
    { examples: [[['_xaaaa\u0001']], [['_x0041_']], [['_x005F_x0041_']]] },
  );
});
