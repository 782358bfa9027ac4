import { execFileSync } from 'node:child_process';
import { symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { DEFAULT_LIMITS, PluginSchema } from '../../../../src/manifest/plugin.ts';
import {
  EMPTY_MODULE,
  manifestFixture,
  ONE_COMMAND,
  PLAIN,
  pluginOf,
  problemsOf,
  readDirectory,
  readToml,
  writeFiles,
} from '../../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const MIB = 1024 * 1024;

test('readPluginToml() reads the real brain manifest without a word', () => {
  const directory = useTmp();
  const plugin = pluginOf(readToml(directory, manifestFixture('brain.toml'), 'brain.wasm'));
  expect(plugin).toMatchObject({
    id: 'brain',
    system: 'agentzero',
    name: 'brain',
    version: '0.1.0',
    description: 'Personal LLM wiki — manage a Karpathy-style knowledge vault',
    directory,
    manifestFile: 'PLUGIN.toml',
    runtime: { kind: 'wasm', modulePath: 'brain.wasm' },
    requests: ['read:fs:$ROOT', 'write:fs:$ROOT'],
    tags: [],
    keywords: [],
    enabled: true,
    limits: DEFAULT_LIMITS,
    warnings: [],
  });
  expect(plugin.commands.map(({ name }) => name)).toEqual([
    'init',
    'today',
    'capture',
    'query',
    'ingest',
    'review',
    'weekly',
    'health',
    'checkpoint',
    'status',
  ]);
  expect(plugin.commands[0]).toEqual({
    name: 'init',
    description: 'Initialize a brain vault',
    inputSchema: { type: 'object', additionalProperties: true },
    annotations: { readOnly: false, destructive: true, openWorld: false },
  });
});

test('readPluginToml() reads every field that is known', () => {
  const plugin = pluginOf(readToml(useTmp(), manifestFixture('full.toml'), 'out/notes.wasm'));
  expect(PluginSchema.parse(plugin)).toEqual(plugin);
  expect(plugin).toMatchObject({
    name: 'notes.pro',
    version: '1.2.3-rc.1+build.5',
    description: 'Notes\nin two lines',
    runtime: { kind: 'wasm', modulePath: 'out/notes.wasm' },
    keywords: ['notes', 'wiki'],
    limits: { ...DEFAULT_LIMITS, timeoutMs: 2_500, memoryBytes: 128 * MIB, outputBytes: 2 * MIB, concurrency: 3 },
    warnings: [],
  });
  expect(Object.keys(plugin.files).sort()).toEqual(['PLUGIN.toml', 'out/notes.wasm']);
  const net = ['net:api.slack.com:*', 'net:*.api.slack.com:*', 'net:127.0.0.1:*', 'net:[::1]:*'];
  const exec = ['exec:git', 'exec:rg', 'exec:grep', 'exec:find', 'exec:wc', 'exec:sort', 'exec:head', 'exec:tail'];
  expect(plugin.requests).toEqual(['read:fs:$ROOT', 'write:fs:$ROOT', ...exec, ...net]);
  const [find, add, sync] = plugin.commands;
  expect(find).toEqual({
    name: 'find',
    title: 'Find notes',
    description: 'Search the notes',
    inputSchema: {
      type: 'object',
      properties: {
        term: { type: 'string', description: 'What to look for', minLength: 1 },
        tags: { type: 'array', items: { type: 'string' } },
        limit: { type: 'integer', default: 50, minimum: 1, maximum: 500, description: 'How many' },
        order: { type: 'string', enum: ['newest', 'best'] },
      },
      required: ['term'],
      additionalProperties: false,
    },
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    requests: ['read:fs:$ROOT'],
  });
  expect(add?.inputSchema).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['text'],
    properties: { text: { type: 'string' } },
  });
  expect(add?.annotations).toEqual({ readOnly: false, destructive: false, openWorld: true });
  expect(add).not.toHaveProperty('requests');
  expect(sync?.annotations).toEqual({ readOnly: true, destructive: false, openWorld: true });
  expect(sync?.requests).toEqual(net);
});

test('readPluginToml() gives the digest that sha256sum gives', () => {
  const directory = useTmp();
  const plugin = pluginOf(readToml(directory, PLAIN + ONE_COMMAND));
  const lines = execFileSync('sha256sum', ['PLUGIN.toml', 'plain.wasm'], { cwd: directory });
  const digest = execFileSync('sha256sum', { input: lines }).toString().slice(0, 64);
  expect(plugin.digest).toBe(`sha256:${digest}`);
});

test('readPluginToml() reads inline commands as it reads [[commands]]', () => {
  const inline = `commands = [{ name = "a", description = "A" }, { name = "b", description = "B", input = { x = "string" } }]\n${PLAIN}`;
  expect(pluginOf(readToml(useTmp(), inline)).commands.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('readPluginToml() passes over a byte order mark', () => {
  expect(pluginOf(readToml(useTmp(), `\uFEFF${PLAIN}${ONE_COMMAND}`)).name).toBe('plain');
});

describe('readPluginToml() refuses a manifest file that', () => {
  test('is not UTF-8', () => {
    const toml = Buffer.from(PLAIN.replace('A plain', 'Ein schöner'), 'latin1');
    expect(problemsOf(readToml(useTmp(), toml))).toEqual(['PLUGIN.toml: is not UTF-8: wanted TOML text in UTF-8']);
  });
  test('is too large', () => {
    const directory = writeFiles(useTmp(), { 'PLUGIN.toml': PLAIN });
    truncateSync(join(directory, 'PLUGIN.toml'), 256 * 1024 + 1);
    expect(problemsOf(readDirectory(directory))).toEqual(['PLUGIN.toml: cannot be read: it has 262145 bytes, more than 262144']);
  });
  test('is a directory', () => {
    expect(problemsOf(readDirectory(writeFiles(useTmp(), { 'PLUGIN.toml/x': '' })))).toEqual([
      'PLUGIN.toml: cannot be read: it is not a regular file',
    ]);
  });
  test('is a pipe, without waiting for its other end', () => {
    const directory = useTmp();
    execFileSync('mkfifo', [join(directory, 'PLUGIN.toml')]);
    expect(problemsOf(readDirectory(directory))).toEqual(['PLUGIN.toml: cannot be read: it is not a regular file']);
  });
  test('is a link out of the plugin directory', () => {
    const base = writeFiles(useTmp(), { 'secret.toml': PLAIN, 'plugin/plain.wasm': EMPTY_MODULE });
    symlinkSync('../secret.toml', join(base, 'plugin', 'PLUGIN.toml'));
    expect(problemsOf(readDirectory(join(base, 'plugin')))).toEqual([
      'PLUGIN.toml: cannot be read: it is a symbolic link that leads out of the plugin directory',
    ]);
  });
});

test('readPluginToml() follows a manifest link inside the plugin directory and names the file it leads to', () => {
  const directory = writeFiles(useTmp(), { 'real.toml': PLAIN + ONE_COMMAND, 'plain.wasm': EMPTY_MODULE });
  symlinkSync('real.toml', join(directory, 'PLUGIN.toml'));
  expect(pluginOf(readDirectory(directory))).toMatchObject({ manifestFile: 'real.toml', name: 'plain' });
});
