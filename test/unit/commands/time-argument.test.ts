import { describe, expect, test } from 'vitest';

import { tryReadTime } from '../../../src/commands/time-argument.ts';

const NOW = Date.UTC(2026, 10, 21, 12);

describe('tryReadTime()', () => {
  test.for([
    ['90s', NOW - 90_000],
    ['30m', NOW - 1_800_000],
    ['12h', NOW - 43_200_000],
    ['7d', NOW - 604_800_000],
    ['0s', NOW],
    ['2026-11-21', Date.UTC(2026, 10, 21)],
    ['2026-11-21T10:00:00Z', Date.UTC(2026, 10, 21, 10)],
    ['2026-11-21T10:00:00.250+01:00', Date.UTC(2026, 10, 21, 9, 0, 0, 250)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
  ] as const)('reads %s', ([text, wanted]) => {
    expect(tryReadTime(text, NOW)).toBe(wanted);
  });

  test.for([
    '',
    'now',
    '7',
    '7w',
    '-7d',
    '1.5h',
    '7 d',
    '7D',
    '1234567890d',
    '2026',
    '2026-13-01',
    '2026-02-29',
    '2026-02-31',
    '2026-04-31',
    '2026-00-10',
    '2026-01-00',
    '2026-11-21T25:00:00Z',
    '21.11.2026',
    '2026-11-21 10:00',
    ' 7d',
  ])('does not read %o', (text) => {
    expect(tryReadTime(text, NOW)).toBeUndefined();
  });
});
