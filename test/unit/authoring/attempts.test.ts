import { expect, test } from 'vitest';

import { judgeAttempt, nextAttempt, type DraftState } from '../../../src/authoring/attempts.ts';

const state = (status: DraftState['status'], attempt: number): DraftState => ({ version: 1, attempt, status, digest: '', changedAtMs: 0 });

test.for([
  ['copied', 0, 1],
  ['passing', 3, 1],
  ['failing', 1, 2],
  ['failing', 2, 3],
] as const)('nextAttempt() of a draft that is %s after attempt %i is %i', ([status, attempt, next]) => {
  expect(nextAttempt(state(status, attempt))).toEqual({ ok: true, attempt: next });
});

test.for(['closed', 'failing'] as const)('nextAttempt() refuses a fourth attempt at a draft that is %s', (status) => {
  expect(nextAttempt(state(status, 3))).toEqual({
    ok: false,
    reason: 'it is closed after 3 failed attempts: tell the person what failed, or begin again under another name',
  });
});

test('judgeAttempt() closes a draft with its third failure', () => {
  expect([1, 2, 3].map((attempt) => judgeAttempt(attempt, false))).toEqual(['failing', 'failing', 'closed']);
  expect(judgeAttempt(3, true)).toBe('passing');
});
