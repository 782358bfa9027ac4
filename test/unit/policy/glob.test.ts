import fc from 'fast-check';
import { expect, test } from 'vitest';

import { matchesSegments, matchesText } from '../../../src/policy/glob.ts';

test.for<[string, string, boolean]>([
  ['*', '', true],
  ['a*c', 'abbc', true],
  ['a*c', 'abbcd', false],
  ['?', 'ab', false],
  ['*a*b', 'xaxxab', true],
  ['', '', true],
  ['[a]', 'a', false],
])('matchesText() %s, %s: %s', ([pattern, text, wanted], { expect }) => {
  expect(matchesText(pattern, text)).toBe(wanted);
});

test.for<[string, string, boolean]>([
  ['**', 'a/b', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['*/b', 'a/x/b', false],
  ['**/x/*', 'a/x/b/x/c', true],
])('matchesSegments() %s, %s: %s', ([pattern, path, wanted], { expect }) => {
  expect(matchesSegments(pattern.split('/'), path.split('/'))).toBe(wanted);
});

test('matchesText() agrees with the regular expression that the pattern means', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ab*?]{0,8}$/), fc.stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      expect(matchesText(pattern, text)).toBe(expression.test(text));
    }),
    { numRuns: 1000 },
  );
});

test('matchesText() is quick on a pattern that backtracking would hang on', () => {
  const startedMs = performance.now();
  expect(matchesText(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(2000);
});
