import fc from 'fast-check';
import { expect, test } from 'vitest';

import { canonicalJson, digestArguments } from '../../../src/audit/canonical.ts';

test.for([
  [{ b: 1, a: [3, { d: null, c: 'é' }] }, '{"a":[3,{"c":"é","d":null}],"b":1}'],
  [{ '\u20ac': 1, '\r': 2, '1': 3, '\ud83d\ude00': 4 }, '{"\\r":2,"1":3,"€":1,"😀":4}'],
  [[1e21, 0.1, -0, 1e-7], '[1e+21,0.1,0,1e-7]'],
  [{ a: undefined, b: 1 }, '{"b":1}'],
  ['x', '"x"'],
  [undefined, 'null'],
] as const)('canonicalJson() of %j', ([value, text]) => {
  expect(canonicalJson(value)).toBe(text);
});

test('canonicalJson() means the same value, and is the same for any order of members', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      const reversed: unknown = JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
        typeof member === 'object' && member !== null && !Array.isArray(member) && !('__proto__' in Object.keys(member))
          ? Object.fromEntries(Object.entries(member).toReversed())
          : member,
      );
      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
    }),
  );
});

test('digestArguments() differs for different arguments and refuses endless nesting', () => {
  expect(digestArguments({ a: 1, b: 2 })).toBe(digestArguments({ b: 2, a: 1 }));
  expect(digestArguments({ a: 1 })).not.toBe(digestArguments({ a: '1' }));
  let nested: unknown = 0;
  for (let at = 0; at < 600; at++) nested = [nested];
  expect(() => digestArguments(nested)).toThrow(new RangeError('Cannot digest the arguments: they are nested deeper than 512 levels'));
});
