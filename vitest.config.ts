import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import { CountReporter } from './test/helpers/count-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    reporters: ['default', new CountReporter()],
    // Most tests wait for processes; on two cores, Vitest would run one file at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
