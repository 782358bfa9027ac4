import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createStaging } from '../../../../../src/executors/script/dependencies/staging.ts';
import { writeFiles } from '../../../../helpers/package-registries.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

async function useStaging(directory: string) {
  const made = await createStaging({ directory, dependencyDirectory: '.dependencies/python', targetName: 'packages' });
  if (!made.ok) throw new Error(made.reason);
  return made.staging;
}

test('createStaging() swaps complete packages in and keeps nothing of its own', async () => {
  const directory = useTmp();
  writeFiles(directory, { '.dependencies/python/old.py': '' });
  const staging = await useStaging(directory);
  writeFiles(staging.target, { 'new.py': '' });
  expect(readdirSync(join(directory, '.dependencies/python'))).toEqual(['old.py']);
  staging.swapIn();
  await staging.remove();
  expect(readdirSync(join(directory, '.dependencies/python'))).toEqual(['new.py']);
  expect(readdirSync(join(directory, '.dependencies'))).toEqual(['python']);
});

test('createStaging() keeps the old packages when the new ones cannot be put in place', async () => {
  const directory = useTmp();
  writeFiles(directory, { '.dependencies/python/old.py': '' });
  const staging = await useStaging(directory);
  expect(() => staging.swapIn()).toThrow('ENOENT');
  await staging.remove();
  expect(readdirSync(join(directory, '.dependencies/python'))).toEqual(['old.py']);
});

test('createStaging() puts packages back that a killed run had moved away, and not what the sandbox could have written', async () => {
  const directory = useTmp();
  const dead = join(directory, '.dependencies/staging-4194304-1-aaaaaaaaaaaa');
  writeFiles(dead, { 'old-python/old.py': '', 'box/old-python/evil.py': '' });
  const other = join(directory, '.dependencies/staging-4194304-1-bbbbbbbbbbbb');
  writeFiles(other, { 'box/project/packages/half.py': '' });
  const staging = await useStaging(directory);
  expect(readdirSync(join(directory, '.dependencies/python'))).toEqual(['old.py']);
  expect([existsSync(dead), existsSync(other)]).toEqual([false, false]);
  await staging.remove();
});

test('createStaging() leaves the staging of a run that goes on, and what is not staging', async () => {
  const directory = useTmp();
  const first = await useStaging(directory);
  mkdirSync(join(directory, '.dependencies/staging-of-mine'));
  const second = await useStaging(directory);
  expect(existsSync(first.project)).toBe(true);
  expect(existsSync(join(directory, '.dependencies/staging-of-mine'))).toBe(true);
  await Promise.all([first.remove(), second.remove()]);
});

test('createStaging() rejects where it cannot write', async () => {
  const directory = useTmp();
  writeFileSync(join(directory, '.dependencies'), '');
  await expect(useStaging(directory)).rejects.toThrow('EEXIST');
  rmSync(join(directory, '.dependencies'));
});
