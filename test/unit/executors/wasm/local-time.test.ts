import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { formatLocalTime } from '../../../../src/executors/wasm/local-time.ts';

describe('formatLocalTime()', () => {
  test.for([
    ['UTC', '2026-05-11T14:32:00.123Z', '2026-05-11T14:32:00.123000000+00:00'],
    ['America/New_York', '2026-05-11T14:32:00.123Z', '2026-05-11T10:32:00.123000000-04:00'],
    ['America/New_York', '2026-01-01T03:00:00.007Z', '2025-12-31T22:00:00.007000000-05:00'],
    ['Asia/Kolkata', '2026-12-31T20:00:00Z', '2027-01-01T01:30:00.000000000+05:30'],
    ['America/St_Johns', '2026-01-09T05:06:07Z', '2026-01-09T01:36:07.000000000-03:30'],
    ['Pacific/Kiritimati', '2026-01-01T00:00:00Z', '2026-01-01T14:00:00.000000000+14:00'],
  ] as const)('in %s gives for %s %s', ([zone, time, wanted]) => {
    vi.stubEnv('TZ', zone);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(formatLocalTime(new Date(time))).toBe(wanted);
    expect(Date.parse(wanted)).toBe(Date.parse(time));
  });
});
