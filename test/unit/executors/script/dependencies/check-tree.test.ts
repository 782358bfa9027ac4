import { chmodSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { adoptTree } from '../../../../../src/executors/script/dependencies/check-tree.ts';
import { writeFiles } from '../../../../helpers/package-registries.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

const LIMITS = { maxBytes: 1000, maxEntries: 10 };

test('adoptTree() counts, and keeps links that stay inside', () => {
  const root = useTmp();
  writeFiles(root, { 'a/b.txt': 'four', 'c.txt': 'seven!!' });
  symlinkSync('../c.txt', join(root, 'a/link'));
  expect(adoptTree(root, LIMITS)).toEqual({ ok: true, bytes: 11, entries: 5 });
});

test.for([
  ['an absolute link', '/etc/passwd'],
  ['a link above', '../x'],
  ['a link through a sibling', 'a/../../x'],
] as const)('adoptTree() refuses %s', ([, target], { expect: check }) => {
  const root = useTmp();
  mkdirSync(join(root, 'a'));
  symlinkSync(target, join(root, 'link'));
  check(adoptTree(root, LIMITS)).toEqual({ ok: false, reason: 'the packages have "link", a link that leads out of them' });
});

test('adoptTree() refuses a link to a directory beside it whose name begins alike', () => {
  const base = useTmp();
  mkdirSync(join(base, 'packages'));
  mkdirSync(join(base, 'packages2'));
  symlinkSync('../packages2', join(base, 'packages/link'));
  expect(adoptTree(join(base, 'packages'), LIMITS)).toMatchObject({ ok: false });
});

test('adoptTree() refuses more than the limits', () => {
  const root = useTmp();
  writeFiles(root, Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, ''])));
  expect(adoptTree(root, LIMITS)).toEqual({ ok: false, reason: 'the packages have more than 10 files and directories' });
  const large = useTmp();
  writeFiles(large, { f: 'x'.repeat(1001) });
  expect(adoptTree(large, LIMITS)).toEqual({ ok: false, reason: 'the packages have more than 1000 bytes' });
});

test('adoptTree() makes modes plain', () => {
  const root = useTmp();
  writeFiles(root, { tool: '', 'd/data': '' });
  chmodSync(join(root, 'tool'), 0o6711);
  chmodSync(join(root, 'd/data'), 0o000);
  chmodSync(join(root, 'd'), 0o700);
  expect(adoptTree(root, LIMITS)).toMatchObject({ ok: true });
  const modes = ['tool', 'd', 'd/data'].map((name) => (lstatSync(join(root, name)).mode & 0o7777).toString(8));
  expect(modes).toEqual(['755', '755', '644']);
});
