import { expect, test } from 'vitest';

import { describeIssues } from '../../../src/dispatch/describe-issues.ts';

test('describeIssues() names every path', () => {
  expect(
    describeIssues([
      { path: '', message: "must have required property 'a'" },
      { path: '/b/c', message: 'must be string' },
    ]),
  ).toBe('the arguments must have required property \'a\'; "/b/c" must be string');
});
