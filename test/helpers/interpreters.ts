import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe } from 'vitest';

import { HAS_BUBBLEWRAP } from './sandbox.ts';

/** Where the tests expect what scripts run with: the system’s own, which sandboxes see. */
const PROGRAMS = {
  python: '/usr/bin/python3',
  pip: '/usr/bin/pip3',
  node: process.execPath,
  npm: join(dirname(process.execPath), 'npm'),
  bash: '/usr/bin/bash',
  ruby: '/usr/bin/ruby',
  gem: '/usr/bin/gem',
} as const;
export type TestedProgram = keyof typeof PROGRAMS;

const missing = new Set(Object.entries(PROGRAMS).flatMap(([name, path]) => (existsSync(path) ? [] : [name])));
if (missing.size > 0) process.stderr.write(`\n!!! ${[...missing].join(', ')} missing: THEIR TESTS ARE SKIPPED\n\n`);

export const hasProgram = (program: TestedProgram): boolean => !missing.has(program);

/** `describe` for tests that need the sandbox and these programs; skipped, and said so, where one is missing. */
export const describeWith = (...programs: readonly TestedProgram[]): typeof describe.skip =>
  describe.skipIf(!HAS_BUBBLEWRAP || !programs.every(hasProgram));
