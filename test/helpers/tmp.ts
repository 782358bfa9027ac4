import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** A real temporary directory, canonical, that is removed when the test ends. */
export function useTmp(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'plugbridge-test-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
