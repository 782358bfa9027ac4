import fc from 'fast-check';
import { expect, test } from 'vitest';

import { matchExpected, showValue } from '../../../src/trials/match-expected.ts';

test('matchExpected() takes more members than expected, and nothing else that differs', () => {
  const found = { a: 1, list: [{ x: 1, y: 2 }, 'two'], deep: { 'a/b': { '~': null } } };
  expect(matchExpected({ a: 1, list: [{ x: 1 }, 'two'] }, found)).toEqual([]);
  expect(matchExpected({ list: [{ x: 2 }, 'two'], deep: { 'a/b': { '~': 0 } }, b: 1 }, found)).toEqual([
    { path: '/list/0/x', expected: '2', found: '1' },
    { path: '/deep/a~1b/~0', expected: '0', found: 'null' },
    { path: '/b', expected: '1', found: 'nothing' },
  ]);
  expect(matchExpected([1], [1, 2])).toEqual([{ path: '', expected: '[1]', found: '[1,2]' }]);
  expect(matchExpected({}, [])).toHaveLength(1);
  expect(matchExpected({ toString: 1 }, {})).toHaveLength(1);
});

test('matchExpected() finds nothing between a value and itself', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(matchExpected(value, structuredClone(value))).toEqual([]);
    }),
  );
});

test('matchExpected() and showValue() bound what they show', () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 1]));
  expect(matchExpected(many, {})).toHaveLength(20);
  expect(showValue('x'.repeat(10_000))).toHaveLength(400);
});
