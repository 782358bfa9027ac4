import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { pruneBundles } from '../../../../../src/executors/script/languages/bundle-cache.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

describe('pruneBundles()', () => {
  test('removes the oldest beyond the number, but never the one just made', ({ expect }) => {
    const directory = useTmp();
    for (const [age, name] of ['new', 'older', 'oldest', 'mine'].entries()) {
      mkdirSync(join(directory, name));
      utimesSync(join(directory, name), 1_000_000 - age, 1_000_000 - age);
    }
    pruneBundles(directory, { keep: 3, except: join(directory, 'mine') });
    expect(readdirSync(directory).sort()).toEqual(['mine', 'new', 'older']);
    pruneBundles(directory, { keep: 1, except: join(directory, 'mine') });
    expect(readdirSync(directory)).toEqual(['mine']);
  });

  test('removes a link to packages, not the packages', ({ expect }) => {
    const [directory, plugin] = [useTmp(), useTmp()];
    writeFileSync(join(plugin, 'package'), '');
    mkdirSync(join(directory, 'old'));
    symlinkSync(plugin, join(directory, 'old/node_modules'));
    pruneBundles(directory, { keep: 1, except: join(directory, 'mine') });
    expect([readdirSync(directory), existsSync(join(plugin, 'package'))]).toEqual([[], true]);
  });

  test('makes do with a directory that is not there', ({ expect }) => {
    expect(() => pruneBundles('/nowhere', { keep: 1, except: '/nowhere/x' })).not.toThrow();
  });
});
