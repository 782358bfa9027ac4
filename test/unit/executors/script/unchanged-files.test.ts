import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { createUnchangedFiles } from '../../../../src/executors/script/unchanged-files.ts';
import { readFileTree } from '../../../../src/manifest/file-tree.ts';
import { useTmp } from '../../../helpers/tmp.ts';

function usePlugin() {
  const directory = useTmp();
  mkdirSync(join(directory, 'lib', 'deep'), { recursive: true });
  writeFileSync(join(directory, 'main.py'), 'one');
  writeFileSync(join(directory, 'lib', 'deep', 'part.py'), 'two');
  const tree = readFileTree(directory);
  if (!tree.ok) throw new Error(tree.reason);
  return { directory, digest: tree.digest, files: tree.files };
}

describe('createUnchangedFiles()', () => {
  test('says the same text as long as nothing changes', ({ expect }) => {
    const unchanged = createUnchangedFiles();
    const plugin = usePlugin();
    expect(unchanged.check(plugin)).toMatch(/^[0-9a-f]{64}$/);
    expect(unchanged.check(plugin)).toBe(unchanged.check(plugin));
    expect(createUnchangedFiles().check(plugin)).toBe(unchanged.check(plugin));
  });

  test.for<[string, (directory: string) => void]>([
    ['a changed file', (directory) => appendFileSync(join(directory, 'main.py'), 'x')],
    ['a file of the same size', (directory) => writeFileSync(join(directory, 'lib', 'deep', 'part.py'), 'six')],
    ['an added file', (directory) => writeFileSync(join(directory, 'lib', 'json.py'), '')],
    ['a file added far below', (directory) => writeFileSync(join(directory, 'lib', 'deep', 'json.py'), '')],
    ['a removed file', (directory) => rmSync(join(directory, 'lib', 'deep', 'part.py'))],
    [
      'a file that became a link',
      (directory) => (rmSync(join(directory, 'main.py')), symlinkSync('lib/deep/part.py', join(directory, 'main.py'))),
    ],
    ['a removed directory', (directory) => rmSync(directory, { recursive: true })],
  ])('notices %s', ([, change], { expect }) => {
    const unchanged = createUnchangedFiles();
    const plugin = usePlugin();
    expect(unchanged.check(plugin)).toBeDefined();
    change(plugin.directory);
    expect(unchanged.check(plugin)).toBeUndefined();
    expect(unchanged.check(plugin)).toBeUndefined();
  });

  test('notices a change that had happened before it was first asked', ({ expect }) => {
    const plugin = usePlugin();
    writeFileSync(join(plugin.directory, 'main.py'), 'two');
    expect(createUnchangedFiles().check(plugin)).toBeUndefined();
  });

  test('takes files that are as they were again, under another text', ({ expect }) => {
    const unchanged = createUnchangedFiles();
    const plugin = usePlugin();
    const file = join(plugin.directory, 'main.py');
    const before = unchanged.check(plugin);
    const { atime, mtime } = statSync(file);
    writeFileSync(file, 'two');
    writeFileSync(file, readFileSync(file, 'utf8').replace('two', 'one'));
    // A clock can be turned back, the time of the inode cannot.
    utimesSync(file, atime, mtime);
    const after = unchanged.check(plugin);
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
  });

  test.skipIf(process.getuid?.() === 0)('takes what cannot be read for changed', ({ expect }) => {
    const plugin = usePlugin();
    chmodSync(join(plugin.directory, 'main.py'), 0);
    expect(createUnchangedFiles().check(plugin)).toBeUndefined();
  });
});
