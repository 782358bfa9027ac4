import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { digestFiles, sha256Hex } from '../../../src/manifest/digest.ts';
import { digestPlugin, fingerprintPlugin } from '../../../src/manifest/digest-plugin.ts';
import { readFileTree } from '../../../src/manifest/file-tree.ts';
import type { ScriptRuntime } from '../../../src/manifest/plugin.ts';
import { writeFiles } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';

const FILES = { 'main.py': 'import lib.a', 'lib/a.py': 'A = 1', 'lib/deep/b.py': 'B = 1', 'data.bin': 'x'.repeat(300_000) };
const SCRIPT: ScriptRuntime = { kind: 'script', language: 'python', main: 'main.py', input: 'stdin', variables: {}, dependencies: [] };

function digestOfTree(directory: string): string {
  const tree = readFileTree(directory);
  if (!tree.ok) throw new Error(`${tree.file}: ${tree.reason}`);
  return tree.digest;
}

test('readFileTree() hashes every file, and gives the digest of all of them', () => {
  const directory = writeFiles(useTmp(), FILES);
  const tree = readFileTree(directory);
  expect(tree).toMatchObject({ ok: true, files: Object.fromEntries(Object.entries(FILES).map(([name, text]) => [name, sha256Hex(text)])) });
  expect(tree).toEqual(digestFiles(directory, ['data.bin', 'lib/a.py', 'lib/deep/b.py', 'main.py']));
});

describe('readFileTree() gives another digest when', () => {
  test.for<[title: string, change: (directory: string) => void]>([
    ['a file changes', (directory) => writeFileSync(join(directory, 'lib/deep/b.py'), 'B = 2')],
    ['the end of a large file changes', (directory) => writeFileSync(join(directory, 'data.bin'), `${'x'.repeat(299_999)}y`)],
    ['a file is added', (directory) => writeFileSync(join(directory, 'lib/json.py'), '')],
    ['a file is removed', (directory) => rmSync(join(directory, 'lib/a.py'))],
    ['a file is renamed', (directory) => renameSync(join(directory, 'lib/a.py'), join(directory, 'lib/c.py'))],
    ['an empty directory is added', (directory) => mkdirSync(join(directory, 'lib/empty'))],
    ['compiled Python is added', (directory) => writeFiles(directory, { 'lib/__pycache__/a.cpython-311.pyc': 'x' })],
    ['a package is added', (directory) => writeFiles(directory, { 'node_modules/x/index.js': '' })],
    ['a link is added', (directory) => symlinkSync('a.py', join(directory, 'lib/z.py'))],
  ])('%s', ([, change], { expect }) => {
    const directory = writeFiles(useTmp(), FILES);
    const before = digestOfTree(directory);
    change(directory);
    expect(digestOfTree(directory)).not.toBe(before);
  });
});

test('readFileTree() leaves out version control and what editors leave', () => {
  const directory = writeFiles(useTmp(), FILES);
  const before = digestOfTree(directory);
  writeFiles(directory, {
    '.git/HEAD': 'x',
    'lib/.git': 'gitdir: x',
    'main.py~': '',
    '.main.py.swp': '',
    '#main.py#': '',
    '.DS_Store': '',
  });
  symlinkSync('me@host.1:2', join(directory, '.#main.py'));
  expect(digestOfTree(directory)).toBe(before);
});

describe('readFileTree() takes a link', () => {
  test('to a file, and sees both where it leads and what is there', ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'one.py': '1', 'two.py': '1', '.git/x.py': 'a' });
    const digests = ['one.py', 'two.py', '.git/x.py'].map((target) => {
      rmSync(join(directory, 'link.py'), { force: true });
      symlinkSync(target, join(directory, 'link.py'));
      return digestOfTree(directory);
    });
    writeFileSync(join(directory, '.git/x.py'), 'b');
    expect(new Set([...digests, digestOfTree(directory)]).size).toBe(4);
  });

  test('to a directory, once, even to one that holds it', ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'a/x.py': '1' });
    symlinkSync('..', join(directory, 'a', 'up'));
    symlinkSync('a', join(directory, 'b'));
    const tree = readFileTree(directory);
    expect(tree.ok && Object.keys(tree.files)).toEqual(['a/up', 'a/x.py', 'b']);
  });

  test('for another thing than a file with the same words', ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'one.py': '1' });
    symlinkSync('one.py', join(directory, 'x'));
    const linked = digestOfTree(directory);
    rmSync(join(directory, 'x'));
    writeFileSync(join(directory, 'x'), `one.py\0${sha256Hex('1')}`);
    expect(digestOfTree(directory)).not.toBe(linked);
  });
});

describe('readFileTree() names', () => {
  test.for<[title: string, target: string, reason: string]>([
    ['a link that leads out', '/etc/hosts', 'it is a symbolic link that leads out of the plugin directory'],
    ['a link to a neighbour', '../other/x', 'it is a symbolic link that leads out of the plugin directory'],
    ['a link to the directory above', '..', 'it is a symbolic link that leads out of the plugin directory'],
    ['a link that leads nowhere', 'gone', 'it is a symbolic link that leads nowhere'],
    ['a link to itself', 'link', 'it is a symbolic link that leads nowhere'],
    ['a link into version control', '.git', 'it is a symbolic link to a directory of version control'],
  ])('%s', ([, target, reason], { expect }) => {
    const base = writeFiles(useTmp(), { 'other/x': '', 'p/main.py': '', 'p/.git/x': '' });
    symlinkSync(target, join(base, 'p', 'link'));
    expect(readFileTree(join(base, 'p'))).toEqual({ ok: false, file: 'link', reason });
  });

  test('a pipe, without waiting for it', ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'main.py': '' });
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    expect(readFileTree(directory)).toEqual({ ok: false, file: 'pipe', reason: 'it is not a regular file' });
  });

  test('a socket', async ({ expect }) => {
    const directory = writeFiles(useTmp(), { 'main.py': '' });
    const server = createServer().listen(join(directory, 'socket'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    expect(readFileTree(directory)).toEqual({ ok: false, file: 'socket', reason: 'it is not a regular file' });
  });

  test.for<[title: string, files: Record<string, string>, limits: object, file: string, reason: string]>([
    ['too many files', { a: '', b: '', c: '' }, { maxFiles: 2 }, '.', 'it holds more than 2 entries'],
    ['too many files in all', { 'a/x': '', 'b/y': '', 'b/z': '' }, { maxFiles: 2 }, '.', 'it holds more than 2 files'],
    ['too many bytes', { a: '123', b: '456' }, { maxBytes: 5 }, '.', 'its files have more than 5 bytes together'],
    ['too deep directories', { 'a/b/c/x': '' }, { maxDepth: 2 }, 'a/b/c', 'directories are nested deeper than 2'],
    [
      'a name with a line end',
      { 'a\nb': '' },
      {},
      'a\nb',
      'its name cannot be used: wanted one without control characters that is not "__proto__"',
    ],
    [
      'a name that objects cannot hold',
      { 'x/__proto__': '' },
      {},
      'x/__proto__',
      'its name cannot be used: wanted one without control characters that is not "__proto__"',
    ],
  ])('%s', ([, files, limits, file, reason], { expect }) => {
    const all = { maxFiles: 100, maxBytes: 100, maxDepth: 10, ...limits };
    expect(readFileTree(writeFiles(useTmp(), files), all)).toEqual({ ok: false, file, reason });
  });

  test('a file of 600 MiB without reading it', ({ expect }) => {
    const directory = writeFiles(useTmp(), { big: '' });
    truncateSync(join(directory, 'big'), 600 * 1024 * 1024);
    expect(readFileTree(directory)).toEqual({ ok: false, file: '.', reason: 'its files have more than 536870912 bytes together' });
  });

  test('a directory that is gone', ({ expect }) => {
    expect(readFileTree(join(useTmp(), 'gone'))).toEqual({ ok: false, file: '.', reason: 'it does not exist' });
  });
});

test('readFileTree() of any tree is what digestPlugin() gives while nothing changed', () => {
  const name = fc.stringMatching(/^[a-z]{1,2}(\/[a-z]{1,2}){0,2}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.string({ maxLength: 5 }), { maxKeys: 5, minKeys: 1 }), (files) => {
      const names = Object.keys(files);
      fc.pre(!names.some((one) => names.some((other) => other.startsWith(`${one}/`))));
      const directory = writeFiles(useTmp(), files);
      const tree = readFileTree(directory);
      expect(tree.ok && Object.keys(tree.files).toSorted()).toEqual(names.toSorted());
      expect(digestPlugin({ directory, files: tree.ok ? tree.files : {}, runtime: SCRIPT })).toEqual(tree);
    }),
    { numRuns: 30 },
  );
});

test('fingerprintPlugin() changes with a file that is added to any directory, empty ones included', () => {
  const directory = writeFiles(useTmp(), FILES);
  mkdirSync(join(directory, 'lib/empty'));
  const tree = readFileTree(directory);
  if (!tree.ok) throw new Error(tree.reason);
  const { files } = tree;
  expect(Object.keys(files)).toContain('lib/empty/');
  for (const name of ['new.py', 'lib/new.py', 'lib/deep/new.py', 'lib/empty/new.py']) {
    const before = fingerprintPlugin({ directory, files });
    expect(fingerprintPlugin({ directory, files })).toBe(before);
    writeFileSync(join(directory, name), '');
    expect(fingerprintPlugin({ directory, files }), name).not.toBe(before);
  }
});
