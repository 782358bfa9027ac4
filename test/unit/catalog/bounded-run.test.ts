import { describe, expect, test } from 'vitest';

import { createBoundedRun } from '../../../src/catalog/bounded-run.ts';

describe('createBoundedRun()', () => {
  test('gives what the work gives, undefined too', () => {
    const run = createBoundedRun();
    const value = { a: 1 };
    expect(run(() => value, 1_000)).toBe(value);
    expect(run(() => undefined, 1_000)).toBeUndefined();
  });

  test('throws what the work throws, the very same', () => {
    const error = new RangeError('mine');
    expect(() =>
      createBoundedRun()(() => {
        throw error;
      }, 1_000),
    ).toThrow(error);
  });

  test('stops work that never ends, even if it catches everything, and goes on to run', () => {
    const run = createBoundedRun();
    const forever = (): never => {
      for (;;) {
        try {
          JSON.parse('{');
        } catch {
          // Goes on, as a hostile loop would.
        }
      }
    };
    expect(() => run(forever, 50)).toThrow(new Error('it took longer than 50 ms'));
    expect(run(() => 1, 1_000)).toBe(1);
  });
});
