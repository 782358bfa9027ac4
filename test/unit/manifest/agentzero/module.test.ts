import { mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import {
  EMPTY_MODULE,
  ONE_COMMAND,
  PLAIN,
  pluginOf,
  problemsOf,
  readDirectory,
  warningsOf,
  writeFiles,
} from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const NAMED = PLAIN + ONE_COMMAND;
const UNNAMED = NAMED.replace('wasm_path = "plain.wasm"\n', '');

test('findModule() takes wasm_path where it exists', () => {
  const directory = writeFiles(useTmp(), { 'PLUGIN.toml': NAMED, 'a.wasm': EMPTY_MODULE, 'plain.wasm': EMPTY_MODULE });
  const reading = readDirectory(directory);
  expect(pluginOf(reading).runtime).toEqual({ kind: 'wasm', modulePath: 'plain.wasm' });
  expect(warningsOf(reading)).toEqual([]);
});

test('findModule() takes the only .wasm file where no wasm_path is given', () => {
  const reading = readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml': UNNAMED, 'only.wasm': EMPTY_MODULE }));
  expect(pluginOf(reading).runtime).toEqual({ kind: 'wasm', modulePath: 'only.wasm' });
  expect(warningsOf(reading)).toEqual([]);
});

test('findModule() takes the first of several by bytes and says so', () => {
  const reading = readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml': UNNAMED, 'b.wasm': EMPTY_MODULE, 'B.wasm': EMPTY_MODULE }));
  expect(pluginOf(reading).runtime).toEqual({ kind: 'wasm', modulePath: 'B.wasm' });
  expect(warningsOf(reading)).toEqual([
    'PLUGIN.toml: names no module among 2 .wasm files: "B.wasm" is used, wanted plugin.wasm_path to choose',
  ]);
});

test('findModule() falls back from a wasm_path that is missing and says so', () => {
  const reading = readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml': NAMED, 'other.wasm': EMPTY_MODULE }));
  expect(pluginOf(reading).runtime).toEqual({ kind: 'wasm', modulePath: 'other.wasm' });
  expect(warningsOf(reading)).toEqual([
    'PLUGIN.toml:5: plugin.wasm_path is "plain.wasm", which does not exist: "other.wasm" is used instead',
  ]);
});

test('findModule() names a directory without any module', () => {
  expect(problemsOf(readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml': UNNAMED })))).toEqual([
    'PLUGIN.toml: names no module: wanted plugin.wasm_path, or a .wasm file beside the manifest',
  ]);
});

test('findModule() refuses a link out of the directory and does not fall back', () => {
  const base = writeFiles(useTmp(), { 'outside.wasm': EMPTY_MODULE, 'p/PLUGIN.toml': NAMED, 'p/other.wasm': EMPTY_MODULE });
  symlinkSync('../outside.wasm', join(base, 'p', 'plain.wasm'));
  expect(problemsOf(readDirectory(join(base, 'p')))).toEqual([
    'PLUGIN.toml:5: plugin.wasm_path is "plain.wasm", which cannot be used: it is a symbolic link that leads out of the plugin directory',
  ]);
});

test('findModule() refuses a scanned link out of the directory', () => {
  const base = writeFiles(useTmp(), { 'outside.wasm': EMPTY_MODULE, 'p/PLUGIN.toml': UNNAMED });
  symlinkSync('../outside.wasm', join(base, 'p', 'x.wasm'));
  expect(problemsOf(readDirectory(join(base, 'p')))).toEqual([
    'PLUGIN.toml: has the module "x.wasm", which cannot be used: it is a symbolic link that leads out of the plugin directory',
  ]);
});

test('findModule() resolves a link inside the directory, a linked folder included', () => {
  const directory = writeFiles(useTmp(), {
    'PLUGIN.toml': NAMED.replace('plain.wasm', 'latest/plain.wasm'),
    'v1/plain.wasm': EMPTY_MODULE,
  });
  symlinkSync('v1', join(directory, 'latest'));
  const plugin = pluginOf(readDirectory(directory));
  expect(plugin.runtime).toEqual({ kind: 'wasm', modulePath: 'v1/plain.wasm' });
  expect(Object.keys(plugin.files)).toEqual(['PLUGIN.toml', 'v1/plain.wasm']);
});

test('findModule() refuses a module that is no file, and one past 32 MiB', () => {
  const directory = writeFiles(useTmp(), { 'PLUGIN.toml': NAMED });
  mkdirSync(join(directory, 'plain.wasm'));
  expect(problemsOf(readDirectory(directory))).toEqual([
    'PLUGIN.toml:5: plugin.wasm_path is "plain.wasm", which cannot be used: it is not a regular file',
  ]);
  const large = writeFiles(useTmp(), { 'PLUGIN.toml': NAMED, 'plain.wasm': '' });
  truncateSync(join(large, 'plain.wasm'), 32 * 1024 * 1024 + 1);
  expect(problemsOf(readDirectory(large))).toEqual([
    'PLUGIN.toml:5: plugin.wasm_path is "plain.wasm", which cannot be used: it has 33554433 bytes, more than 33554432',
  ]);
});
