import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { isOfInterest, watchDirectories } from '../../../src/catalog/watch-directories.ts';
import { useTmp } from '../../helpers/tmp.ts';

describe('isOfInterest() says of', () => {
  test.for([
    ['/plugins', true],
    ['/plugins/chart/main.py', true],
    ['/plugins/chart/lib/deep/er/still/axis.py', true],
    ['/plugins/chart/__pycache__/lib.cpython-311.pyc', true],
    ['/plugins/chart/.git', false],
    ['/plugins/chart/.git/HEAD', false],
    ['/plugins/rust/target', false],
    ['/plugins/rust/target/release/x', false],
    ['/plugins/chart/targets.py', true],
    ['/plugins/chart/node_modules', true],
    ['/plugins/chart/node_modules/.package-lock.json', true],
    ['/plugins/chart/node_modules/left-pad', false],
    ['/plugins/chart/node_modules/left-pad/.package-lock.json', false],
    ['/plugins/chart/node_modules/a/node_modules', false],
    ['/plugins/chart/.dependencies', true],
    ['/plugins/chart/.dependencies/installed.json', true],
    ['/plugins/chart/.dependencies/python', true],
    ['/plugins/chart/.dependencies/python/requests', false],
    ['/', true],
    ['/other', false],
    ['/plugins-two/x', false],
  ] as const)('%s: %s', ([path, expected], { expect }) => {
    expect(isOfInterest(path, ['/plugins'])).toBe(expected);
  });

  test('a search directory that lies in an ignored one: true', ({ expect }) => {
    expect(isOfInterest('/work/node_modules/pkg/plugins/a/main.py', ['/work/node_modules/pkg/plugins'])).toBe(true);
  });
});

/** A watch that has settled, and what waits for the next change that it hears of. */
async function useWatch(directory: string): Promise<{ next(): Promise<void> }> {
  let heard: (() => void) | undefined;
  const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
  const ready = next();
  const watch = watchDirectories([directory], { onChange: () => heard?.(), onError: expect.unreachable });
  onTestFinished(() => watch.close());
  await ready;
  return { next };
}

test.for(['plugin/main.py', 'plugin/a/b/c/d/e.py', 'plugin/node_modules/.package-lock.json'])(
  'watchDirectories() hears of a change of %s',
  async (name) => {
    const directory = useTmp();
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'one');
    const { next } = await useWatch(directory);
    const changed = next();
    writeFileSync(file, 'two');
    await changed;
    const added = next();
    writeFileSync(join(dirname(file), name.endsWith('json') ? '../new.txt' : 'new.txt'), 'new');
    await expect(added).resolves.toBeUndefined();
  },
);
