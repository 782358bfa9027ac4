import fc from 'fast-check';
import { expect, test } from 'vitest';

import { trySamplePattern } from '../../../src/trials/sample-pattern.ts';

test.for([
  ['^[a-z]+$', 'a'],
  ['^\\d{4}-\\d{2}-\\d{2}$', '0000-00-00'],
  ['^(?:GET|POST) /\\w*$', 'GET /'],
  ['^[^a-z0]{2}$', 'AA'],
  ['^v\\d+(\\.\\d+)?$', 'v0'],
  ['^\\[\\]$', '[]'],
  ['^(?<year>\\d{2})$', '00'],
  ['^.{3,}$', 'aaa'],
  ['', ''],
] as const)('trySamplePattern() makes of %s a text that fits it', ([pattern, sample]) => {
  expect(trySamplePattern(pattern)).toBe(sample);
  expect(sample).toMatch(new RegExp(pattern, 'u'));
});

test.for([
  '(?=a)b',
  '\\bword',
  '(a)\\1',
  '\\p{L}',
  '(',
  '[',
  'a{1000000}',
  '(a{999}){999}',
  '*',
  '[^\\s\\S]',
  `${'('.repeat(40)}a${')'.repeat(40)}`,
])('trySamplePattern() leaves %s alone', (pattern) => {
  expect(trySamplePattern(pattern)).toBeUndefined();
});

test('trySamplePattern() answers at once whatever the pattern, and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 200 }),
        fc.string({
          unit: fc.constantFrom('(', ')', '[', ']', '{', '}', '?', '*', '+', '|', '\\', '^', '$', 'a', '1', ','),
          maxLength: 200,
        }),
      ),
      (pattern) => {
        const sample = trySamplePattern(pattern);
        expect(sample === undefined || sample.length <= 256).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});
