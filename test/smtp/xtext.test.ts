import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeXtext, encodeXtext, parseOrcpt, renderOrcpt } from '../../src/smtp/index.ts';
import fc from '../lib/properties.ts';

test('xtext of RFC 3461', () => {
  assert.equal(encodeXtext('a+b=c d'), 'a+2Bb+3Dc+20d');
  assert.equal(encodeXtext('ü\r\n'), '+C3+BC+0D+0A');
  assert.equal(encodeXtext('100%'), '100%');
  assert.equal(decodeXtext('100%25+2B'), '100%25+');
});

// ENVID and ORCPT are repeated in the fields of reports: a hidden line break would add a field.
for (const text of ['a=b', 'a b', 'a+', 'a+2', 'a+2b', 'a+GG', '+0D+0A', '+00', '+FF', '+C3', '+E2+80+A8', 'ü']) {
  test(`no xtext: ${text}`, () => assert.throws(() => decodeXtext(text), RangeError));
}

const text = fc.string({ unit: 'grapheme' }).filter((one) => !/[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u.test(one));

test('xtext survives', () => {
  fc.assert(
    fc.property(text, (one) => {
      const encoded = encodeXtext(one);
      assert.match(encoded, /^[!-~]*$/);
      assert.equal(decodeXtext(encoded), one);
    }),
  );
});

test('ORCPT survives in both forms of UTF-8 and as rfc822', () => {
  fc.assert(
    fc.property(
      text.filter((one) => one !== ''),
      fc.boolean(),
      fc.constantFrom('rfc822', 'utf-8', 'UTF-8', 'x400'),
      (one, utf8, type) => {
        const value = renderOrcpt(`${type};${one}`, utf8);
        assert.doesNotMatch(value, /[ =\r\n]/);
        if (!utf8) assert.match(value, /^[!-~]*$/);
        assert.equal(parseOrcpt(value), `${type};${one}`);
      },
    ),
  );
});
