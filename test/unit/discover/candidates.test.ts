import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { Origin } from '../../../src/discover/origin.ts';
import { discoverCandidates } from '../../../src/discover/candidates.ts';
import type { SearchDirectory } from '../../../src/discover/directories.ts';
import { PLAIN, writeFiles } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';

const search = (path: string, origin: Origin = 'flag', named = true): SearchDirectory => ({ path, origin, source: origin, named });

test('discoverCandidates() finds the plugins of a directory, sorted, with where they come from', () => {
  const directory = writeFiles(useTmp(), { 'b/PLUGIN.toml': PLAIN, 'a/PLUGIN.toml': PLAIN, 'a/a.wasm': '', 'plugins.lock': '{}' });
  expect(discoverCandidates([search(directory, 'user')])).toEqual({
    candidates: [
      {
        directory: join(directory, 'a'),
        names: ['PLUGIN.toml', 'a.wasm'],
        manifestFile: 'PLUGIN.toml',
        system: 'agentzero',
        origin: 'user',
        source: 'user',
      },
      {
        directory: join(directory, 'b'),
        names: ['PLUGIN.toml'],
        manifestFile: 'PLUGIN.toml',
        system: 'agentzero',
        origin: 'user',
        source: 'user',
      },
    ],
    skipped: [],
    problems: [],
    searched: [directory],
  });
});

test('discoverCandidates() takes a directory that is a plugin itself and looks no deeper', () => {
  const directory = writeFiles(useTmp(), { 'PLUGIN.toml': PLAIN, 'inner/PLUGIN.toml': PLAIN });
  expect(discoverCandidates([search(directory)]).candidates.map((candidate) => candidate.directory)).toEqual([directory]);
});

test('discoverCandidates() says why a directory was passed over', () => {
  const directory = writeFiles(useTmp(), { 'sdk/x.txt': '', 'typo/plugin.toml': PLAIN, 'bad\u001Bname/PLUGIN.toml': PLAIN });
  symlinkSync('gone', join(directory, 'dangling'));
  const { candidates, skipped } = discoverCandidates([search(directory)]);
  expect(candidates).toEqual([]);
  expect(skipped).toEqual([
    { directory: join(directory, 'bad\u001Bname'), reason: 'the name "bad\\u001bname" has control characters' },
    { directory: join(directory, 'dangling'), reason: 'it is a symbolic link that cannot be followed: it does not exist' },
    { directory: join(directory, 'sdk'), reason: 'it has no manifest: wanted is plugin.json or PLUGIN.toml' },
    { directory: join(directory, 'typo'), reason: 'it has no manifest: wanted is plugin.json or PLUGIN.toml, found is "plugin.toml"' },
  ]);
});

test('discoverCandidates() passes over hidden directories and files without a word', () => {
  const directory = writeFiles(useTmp(), { '.git/PLUGIN.toml': PLAIN, 'README.md': '', 'x.wasm': '' });
  expect(discoverCandidates([search(directory)])).toEqual({ candidates: [], skipped: [], problems: [], searched: [directory] });
});

test.for(['flag', 'config', 'user', 'installed'] as const)(
  'discoverCandidates() follows a linked plugin where the origin is %s',
  (origin) => {
    const base = writeFiles(useTmp(), { 'elsewhere/p/PLUGIN.toml': PLAIN, 'plugins/x.txt': '' });
    symlinkSync('../elsewhere/p', join(base, 'plugins', 'link'));
    const { candidates } = discoverCandidates([search(join(base, 'plugins'), origin)]);
    expect(candidates.map(({ directory }) => directory)).toEqual([join(base, 'elsewhere', 'p')]);
  },
);

test('discoverCandidates() follows no linked plugin of a workspace', () => {
  const base = writeFiles(useTmp(), { 'elsewhere/p/PLUGIN.toml': PLAIN, 'plugins/x.txt': '' });
  symlinkSync('../elsewhere/p', join(base, 'plugins', 'link'));
  expect(discoverCandidates([search(join(base, 'plugins'), 'workspace')])).toMatchObject({
    candidates: [],
    skipped: [{ directory: join(base, 'plugins', 'link'), reason: 'it is a symbolic link, which a workspace may not use for plugins' }],
  });
});

test('discoverCandidates() keeps the first of a directory that is found twice', () => {
  const base = writeFiles(useTmp(), { 'one/p/PLUGIN.toml': PLAIN, 'two/x.txt': '' });
  symlinkSync('../one/p', join(base, 'two', 'p'));
  symlinkSync('one', join(base, 'alias'));
  const directories = [search(join(base, 'one'), 'config'), search(join(base, 'two'), 'user'), search(join(base, 'alias'), 'user')];
  expect(discoverCandidates(directories).candidates.map(({ directory, origin }) => [directory, origin])).toEqual([
    [join(base, 'one', 'p'), 'config'],
  ]);
});

test('discoverCandidates() lets no workspace take the trust from a directory that a person named', () => {
  const base = writeFiles(useTmp(), { 'user/p/PLUGIN.toml': PLAIN, 'work/q/PLUGIN.toml': PLAIN });
  symlinkSync('../user', join(base, 'work', '.link'));
  const directories = [
    search(join(base, 'work', '.link'), 'workspace'),
    search(join(base, 'user', 'p'), 'workspace'),
    search(join(base, 'user'), 'user'),
  ];
  expect(discoverCandidates(directories).candidates.map(({ directory, origin }) => [directory, origin])).toEqual([
    [join(base, 'user', 'p'), 'user'],
  ]);
});

test('discoverCandidates() searches a directory that it passed over as a plugin', () => {
  const base = writeFiles(useTmp(), { 'plugins/p/PLUGIN.toml': PLAIN });
  const { candidates, searched } = discoverCandidates([search(base), search(join(base, 'plugins'))]);
  expect(candidates.map(({ directory }) => directory)).toEqual([join(base, 'plugins', 'p')]);
  expect(searched).toEqual([base, join(base, 'plugins')]);
});

test('discoverCandidates() reports a missing directory only where somebody named it', () => {
  const gone = join(useTmp(), 'gone');
  expect(discoverCandidates([search(gone, 'user', false)])).toEqual({ candidates: [], skipped: [], problems: [], searched: [] });
  const [problem, ...others] = discoverCandidates([search(gone)]).problems;
  expect(problem).toMatchObject({ code: 'DISCOVER_UNREADABLE', message: `Cannot read the plugin directory "${gone}": it does not exist` });
  expect(others).toEqual([]);
});

test('discoverCandidates() reports a file, and goes on with the next directory', () => {
  const base = writeFiles(useTmp(), { file: '', 'plugins/p/PLUGIN.toml': PLAIN });
  const found = discoverCandidates([search(join(base, 'file')), search(join(base, 'plugins'))]);
  expect(found.problems.map(({ message }) => message)).toEqual([`Cannot read the plugin directory "${base}/file": it is not a directory`]);
  expect(found.candidates).toHaveLength(1);
});

test('discoverCandidates() reads no directory with more plugins than it may', () => {
  const directory = useTmp();
  for (const name of ['a', 'b', 'c']) mkdirSync(join(directory, name));
  expect(discoverCandidates([search(directory)], { maxPlugins: 3 }).problems).toEqual([]);
  expect(discoverCandidates([search(directory)], { maxPlugins: 2 })).toMatchObject({
    candidates: [],
    problems: [{ message: `Cannot read the plugin directory "${directory}": it holds 3 directories, more than 2` }],
  });
});

test('discoverCandidates() finds scripts in directories of their own, with a manifest or without', () => {
  const directory = writeFiles(useTmp(), {
    'lone/lone.py': '',
    'side/plugin.json': '{"name": "side"}',
    'side/x.rb': '',
    'toml/PLUGIN.toml': '[plugin]\nruntime = "bash"\n',
    'wasm/PLUGIN.toml': PLAIN,
    'broken/PLUGIN.toml': '[plugin\nruntime = "ruby"\n',
  });
  const { candidates, skipped } = discoverCandidates([search(directory)]);
  expect(candidates.map((one) => [one.directory.slice(directory.length + 1), one.system, one.manifestFile])).toEqual([
    ['broken', 'kaizen', 'PLUGIN.toml'],
    ['lone', 'kaizen', 'lone.py'],
    ['side', 'kaizen', 'plugin.json'],
    ['toml', 'kaizen', 'PLUGIN.toml'],
    ['wasm', 'agentzero', 'PLUGIN.toml'],
  ]);
  expect(skipped).toEqual([]);
});

test('discoverCandidates() says why a directory with scripts is no plugin', () => {
  const directory = writeFiles(useTmp(), {
    'many/a.py': '',
    'many/b.sh': '',
    'project/package.json': '{}',
    'project/tool.js': '',
    'foreign/plugin.json': '{"id": "x", "type": "panel"}',
    'foreign/module.js': '',
    'kaged/kaged-plugin.yaml': '',
    'kaged/index.ts': '',
  });
  const { candidates, skipped } = discoverCandidates([search(directory)]);
  expect(candidates).toEqual([]);
  const wanted = (name: string): string => `wanted a manifest, or a script called ${name}.*, main.*, index.*, plugin.*`;
  expect(skipped.map((one) => [one.directory.slice(directory.length + 1), one.reason])).toEqual([
    [
      'foreign',
      'its plugin.json describes no script: wanted a name, and a script beside it or as "main", in Python, Node.js, TypeScript, Bash or Ruby',
    ],
    ['kaged', 'it has no manifest: wanted is plugin.json or PLUGIN.toml'],
    ['many', `it holds 2 scripts and none is a plugin by its name: ${wanted('many')}`],
    ['project', `it is a project (package.json) and no script in it is a plugin by its name: ${wanted('project')}`],
  ]);
});

test('discoverCandidates() reports scripts that lie in a search directory itself', () => {
  const directory = writeFiles(useTmp(), { 'p/PLUGIN.toml': PLAIN, 'chart.py': '', '.hidden.py': '', 'notes.txt': '', 'main.d.ts': '' });
  expect(discoverCandidates([search(directory)]).skipped).toEqual([
    { directory: join(directory, 'chart.py'), reason: 'a script lies in a directory of its own: wanted is chart/chart.py' },
  ]);
});

test('discoverCandidates() takes a directory as one script only where somebody named it and no plugin is in it', () => {
  const directory = writeFiles(useTmp(), { 'main.py': '', 'lib/notes.txt': '' });
  expect(discoverCandidates([search(directory)]).candidates).toMatchObject([{ directory, manifestFile: 'main.py' }]);
  const unnamed = discoverCandidates([search(directory, 'user', false)]);
  expect(unnamed.candidates).toEqual([]);
  expect(unnamed.skipped).toContainEqual({
    directory: join(directory, 'main.py'),
    reason: 'a script lies in a directory of its own: wanted is main/main.py',
  });
  writeFiles(directory, { 'p/PLUGIN.toml': PLAIN });
  expect(discoverCandidates([search(directory)]).candidates.map((one) => one.directory)).toEqual([join(directory, 'p')]);
});
