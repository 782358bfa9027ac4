import { join } from 'node:path';

import { expect, test } from 'vitest';

import { findMissingDependencies } from '../../../../../src/executors/script/dependencies/find-missing-dependencies.ts';
import { writeRecord } from '../../../../../src/executors/script/dependencies/installed-record.ts';
import { writeFiles } from '../../../../helpers/package-registries.ts';
import { usePlugin } from '../../../../helpers/script-dependencies.ts';

const record = (...wanted: string[]) => ({
  version: 1 as const,
  source: 'the manifest',
  registry: 'https://x/',
  scripts: false,
  wanted,
  packages: [],
});

test('findMissingDependencies() finds packages of each language where they lie', () => {
  const python = usePlugin('python', {}, ['The_Speaker==1.0', 'other']);
  writeFiles(python.directory, { '.dependencies/python/the_speaker-1.0.dist-info/METADATA': '' });
  expect(findMissingDependencies(python)).toEqual(['other']);
  const node = usePlugin('typescript', {}, ['@s/a@^1', 'b']);
  writeFiles(node.directory, { 'node_modules/@s/a/package.json': '{}' });
  expect(findMissingDependencies(node)).toEqual(['b@*']);
  const ruby = usePlugin('ruby', {}, ['a-b:~> 1', 'c']);
  writeFiles(ruby.directory, { '.dependencies/ruby/specifications/a-b-1.2.gemspec': '' });
  expect(findMissingDependencies(ruby)).toEqual(['c']);
  expect(findMissingDependencies(usePlugin('bash', {}))).toEqual([]);
});

test('findMissingDependencies() tells that a declaration has changed since it was installed', () => {
  const plugin = usePlugin('node', { 'node_modules/a/package.json': '{}' }, ['a@^2']);
  expect(findMissingDependencies(plugin)).toEqual([]);
  writeRecord(join(plugin.directory, 'node_modules'), record('a@^1'));
  expect(findMissingDependencies(plugin)).toEqual(['a@^2']);
});

test('findMissingDependencies() does not miss a package that may be absent on this platform', () => {
  const plugin = usePlugin('python', {}, ['a ; sys_platform == "win32"']);
  expect(findMissingDependencies(plugin)).toEqual([]);
  writeFiles(plugin.directory, { '.dependencies/python/x': '' });
  writeRecord(join(plugin.directory, '.dependencies/python'), record('a ; sys_platform == "win32"'));
  expect(findMissingDependencies(plugin)).toEqual([]);
});

test('findMissingDependencies() leaves a declaration that cannot be used to the installation, and a forged record counts for nothing', () => {
  expect(findMissingDependencies(usePlugin('python', {}, ['--index-url=x']))).toEqual([]);
  const plugin = usePlugin('node', { 'node_modules/.installed.json': '{"wanted":"a"}' }, ['a']);
  expect(findMissingDependencies(plugin)).toEqual(['a@*']);
});
