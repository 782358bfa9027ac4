import { expect, test } from 'vitest';

import { searchDirectories } from '../../../src/discover/directories.ts';

const bases = { root: '/work', home: '/home/me', configHome: '/home/me/.config', dataHome: '/home/me/.local/share' };
const options = { flags: [], config: [], workingDirectory: '/here', bases, ownData: '/home/me/.local/share/plugbridge' };

test('searchDirectories() lists the usual places in the order in which the first registration wins', () => {
  expect(searchDirectories(options)).toEqual([
    { path: '/work/.plugbridge/plugins', origin: 'workspace', source: 'workspace', named: false },
    { path: '/home/me/.local/share/plugbridge/plugins', origin: 'user', source: 'user', named: false },
    { path: '/work/workspace/plugins', origin: 'workspace', source: 'Kaizen (scripts)', named: false },
    { path: '/work/.agentzero/plugins', origin: 'workspace', source: 'AgentZero (WebAssembly)', named: false },
    { path: '/home/me/.local/share/plugbridge/proposals', origin: 'proposed', source: 'proposals', named: false },
  ]);
});

test('searchDirectories() puts flags first, then config, then what a workspace names', () => {
  const found = searchDirectories({ ...options, flags: ['b', '../a', '/c'], config: ['/d'], workspaceConfig: ['/work/e'] });
  expect(found.slice(0, 5)).toEqual([
    { path: '/here/b', origin: 'flag', source: '--plugins', named: true },
    { path: '/a', origin: 'flag', source: '--plugins', named: true },
    { path: '/c', origin: 'flag', source: '--plugins', named: true },
    { path: '/d', origin: 'config', source: 'config', named: true },
    { path: '/work/e', origin: 'workspace', source: 'workspace config', named: true },
  ]);
});

test('searchDirectories() keeps the first place of a path that comes twice, however it is written', () => {
  const found = searchDirectories({ ...options, flags: ['/work/x/../.agentzero/plugins/'], config: ['/work/.agentzero/plugins'] });
  expect(found.filter(({ path }) => path === '/work/.agentzero/plugins')).toEqual([
    { path: '/work/.agentzero/plugins', origin: 'flag', source: '--plugins', named: true },
  ]);
});
