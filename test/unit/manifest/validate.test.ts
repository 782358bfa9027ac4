import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { FORMATS, knownManifestNames, tryRecognise } from '../../../src/manifest/formats.ts';
import { validateDirectory } from '../../../src/manifest/validate.ts';
import { EMPTY_MODULE, ONE_COMMAND, PLAIN, writeFiles } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';

const FILES = { 'PLUGIN.toml': `${PLAIN}colour = "red"\n${ONE_COMMAND}`, 'plain.wasm': EMPTY_MODULE };
const OLD = JSON.stringify({ id: 'notepad', version: '0.1.0', entrypoint: 'az_tool_execute', wasm_file: 'plugin.wasm' });
const OLD_PROBLEM =
  'manifest.json: is a plugin of AgentZero 0.3 to 0.13 (entry point az_tool_execute, WASI), which is not supported: wanted a plugin with a PLUGIN.toml and the exports alloc and run';

test('validateDirectory() gives the normal form and the warnings of a plugin that works', () => {
  const directory = writeFiles(useTmp(), FILES);
  const validation = validateDirectory(directory);
  expect(validation).toMatchObject({ directory, system: 'agentzero', plugin: { id: 'plain' }, problems: [] });
  expect(validation.warnings).toEqual(['PLUGIN.toml:6: plugin.colour is unknown and not used']);
});

test('validateDirectory() follows a link to the directory', () => {
  const base = writeFiles(useTmp(), { 'real/PLUGIN.toml': FILES['PLUGIN.toml'], 'real/plain.wasm': EMPTY_MODULE });
  symlinkSync('real', join(base, 'link'));
  expect(validateDirectory(join(base, 'link'))).toMatchObject({ directory: join(base, 'real'), problems: [] });
});

test('validateDirectory() adds what the checks find, and runs them only on a manifest that is right', () => {
  const directory = writeFiles(useTmp(), FILES);
  const checks = [
    () => ({ ok: false as const, problems: ['the module is bad'] }),
    () => ({ ok: true as const, warnings: ['the module is odd'] }),
  ];
  const validation = validateDirectory(directory, { checks });
  expect(validation.problems).toEqual(['the module is bad']);
  expect(validation.warnings).toEqual(['PLUGIN.toml:6: plugin.colour is unknown and not used', 'the module is odd']);
  writeFiles(directory, { 'PLUGIN.toml': '[plugin]\n' });
  expect(validateDirectory(directory, { checks }).problems).not.toContain('the module is bad');
});

test('validateDirectory() names a directory that is missing, is a file, or holds no plugin', () => {
  const directory = writeFiles(useTmp(), { 'file.txt': '' });
  expect(validateDirectory(join(directory, 'gone')).problems).toEqual([`${directory}/gone: cannot be read: it does not exist`]);
  expect(validateDirectory(join(directory, 'file.txt')).problems).toEqual([`${directory}/file.txt: cannot be read: it is not a directory`]);
  expect(validateDirectory(directory).problems).toEqual([`${directory}: holds no plugin: wanted a manifest (plugin.json, PLUGIN.toml)`]);
});

test('validateDirectory() says of the older generation that it is not supported', () => {
  const directory = writeFiles(useTmp(), { 'manifest.json': OLD, 'plugin.wasm': EMPTY_MODULE });
  expect(validateDirectory(directory)).toEqual({ directory, system: 'agentzero', problems: [OLD_PROBLEM], warnings: [] });
});

test.for([
  '{}',
  '[]',
  'null',
  '{',
  '"az_tool_execute"',
  '{"entrypoint": "main"}',
  '{"entrypoint": 1}',
  '{"manifest_version": "0.3", "server": {}}',
])('tryRecognise() leaves the manifest.json %s to others', (manifest) => {
  const directory = writeFiles(useTmp(), { 'manifest.json': manifest });
  expect(tryRecognise({ directory, names: ['manifest.json'] })).toBeUndefined();
});

test('tryRecognise() takes PLUGIN.toml before an older manifest.json', () => {
  const directory = writeFiles(useTmp(), { 'manifest.json': OLD, 'PLUGIN.toml': PLAIN });
  expect(tryRecognise({ directory, names: ['PLUGIN.toml', 'manifest.json'] })).toMatchObject({
    system: 'agentzero',
    manifestFile: 'PLUGIN.toml',
  });
});

test('FORMATS lists every system under its own id', () => {
  expect(Object.entries(FORMATS).map(([id, format]) => [id, format.system])).toEqual([
    ['kaizen', 'kaizen'],
    ['agentzero', 'agentzero'],
  ]);
  expect(knownManifestNames()).toEqual(['plugin.json', 'PLUGIN.toml']);
});
