import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { Reading } from '../../../src/catalog/load.ts';
import { createReadingCache, type ReadingCache } from '../../../src/catalog/reading-cache.ts';
import { digestFiles } from '../../../src/manifest/digest.ts';
import { readManifest, tryRecognise } from '../../../src/manifest/formats.ts';
import type { Plugin } from '../../../src/manifest/plugin.ts';
import { EMPTY_MODULE, PLAIN, writeFiles } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';
import { aPlugin } from './fixtures.ts';

/** A plugin directory with a manifest and a module, and what counts how often it is read. */
function usePlugin() {
  const tmp = useTmp();
  const directory = join(tmp, 'plugin');
  mkdirSync(directory);
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  write('PLUGIN.toml', 'one');
  write('a.wasm', 'module');
  const state = { count: 0, ok: true };
  const make = (): Reading => {
    state.count++;
    if (!state.ok) return { ok: false, system: 'fixture', name: 'a', problem: 'broken', warnings: [] };
    const digested = digestFiles(directory, ['PLUGIN.toml', 'a.wasm']);
    if (!digested.ok) throw new Error(digested.reason);
    return { ok: true, plugin: aPlugin('a', { directory, files: digested.files, digest: digested.digest }), warnings: ['w'] };
  };
  const file = join(tmp, 'cache', 'plugins.json');
  const open = (key = 'k'): ReadingCache => createReadingCache({ file, key });
  const read = (cache: ReadingCache): Reading =>
    cache.read({ directory, manifestFile: 'PLUGIN.toml', names: ['PLUGIN.toml', 'a.wasm'], system: 'agentzero' }, make);
  return { tmp, directory, file, write, state, open, read, make };
}

describe('createReadingCache()', () => {
  test('reads an unchanged directory once, across starts', () => {
    const { open, read, state } = usePlugin();
    const cache = open();
    const first = read(cache);
    expect(read(cache)).toEqual(first);
    cache.save();
    expect(read(open())).toEqual(first);
    expect(state.count).toBe(1);
  });

  test.for([
    ['manifest', 'PLUGIN.toml', 'two'],
    ['module of the same length', 'a.wasm', 'eludom'],
    ['added file', 'b.wasm', 'new'],
  ] as const)('reads again after a change: %s', ([, name, text]) => {
    const { open, read, state, write } = usePlugin();
    const cache = open();
    read(cache);
    cache.save();
    write(name, text);
    read(cache);
    expect(state.count).toBe(2);
    read(cache);
    expect(state.count).toBe(2);
    read(open());
    expect(state.count).toBe(3);
  });

  test('reads again after a change that left size and time of the module as they were', () => {
    const { open, read, state, write, directory } = usePlugin();
    const cache = open();
    const { atime, mtime } = statSync(join(directory, 'a.wasm'));
    read(cache);
    write('a.wasm', 'eludom');
    utimesSync(join(directory, 'a.wasm'), atime, mtime);
    read(cache);
    expect(state.count).toBe(2);
  });

  test('reads again under another key', () => {
    const { open, read, state } = usePlugin();
    const cache = open();
    read(cache);
    cache.save();
    read(open('other'));
    expect(state.count).toBe(2);
  });

  test('keeps nothing of what could not be used, for any file can be the reason', () => {
    const { open, read, state } = usePlugin();
    state.ok = false;
    const cache = open();
    read(cache);
    state.ok = true;
    expect(read(cache).ok).toBe(true);
    expect(state.count).toBe(2);
  });

  test('forgets a good reading once the plugin broke', () => {
    const { open, read, state, write } = usePlugin();
    const cache = open();
    read(cache);
    cache.save();
    state.ok = false;
    write('a.wasm', 'broken');
    read(cache);
    cache.save();
    expect(read(open()).ok).toBe(false);
    expect(state.count).toBe(3);
  });

  test('recalls what a directory was recognised by until an entry comes or goes', () => {
    const { open, read, directory, write } = usePlugin();
    const cache = open();
    expect(cache.recall(directory)).toBeUndefined();
    read(cache);
    cache.save();
    const recognised = { directory, manifestFile: 'PLUGIN.toml', names: ['PLUGIN.toml', 'a.wasm'], system: 'agentzero' };
    expect(cache.recall(directory)).toEqual(recognised);
    expect(open().recall(directory)).toEqual(recognised);
    write('b.wasm', 'new');
    expect(cache.recall(directory)).toBeUndefined();
    expect(open().recall(directory)).toBeUndefined();
  });

  test('does not keep what changed while it was read', () => {
    const { open, directory, make, write, state } = usePlugin();
    const cache = open();
    cache.read({ directory, manifestFile: 'PLUGIN.toml', names: ['PLUGIN.toml', 'a.wasm'], system: 'agentzero' }, () => {
      const reading = make();
      write('a.wasm', 'later!');
      return reading;
    });
    cache.read({ directory, manifestFile: 'PLUGIN.toml', names: ['PLUGIN.toml', 'a.wasm'], system: 'agentzero' }, make);
    expect(state.count).toBe(2);
  });

  test.for([
    ['no JSON', '{"key":"k","readings":[['],
    ['another shape', '[]'],
    ['no list', '{"key":"k","readings":5}'],
    ['entries of another shape', '{"key":"k","readings":[["DIRECTORY",{"fingerprint":"x"}]]}'],
    ['null entries', '{"key":"k","readings":[["DIRECTORY",null],null]}'],
    [
      'a plugin of another shape',
      '{"key":"k","readings":[["DIRECTORY",{"files":[],"fingerprint":"","reading":{"ok":true,"plugin":{},"warnings":[]}}]]}',
    ],
  ] as const)('reads everything again from a cache file with %s, and repairs it', ([, text]) => {
    const { open, read, state, file, tmp, directory } = usePlugin();
    mkdirSync(join(tmp, 'cache'));
    writeFileSync(file, text.replace('DIRECTORY', directory));
    const cache = open();
    expect(read(cache).ok).toBe(true);
    cache.save();
    read(open());
    expect(state.count).toBe(1);
  });

  test('works where the cache directory cannot be made', () => {
    const { open, read, tmp } = usePlugin();
    writeFileSync(join(tmp, 'cache'), 'a file');
    const cache = open();
    expect(read(cache).ok).toBe(true);
    expect(() => cache.save()).not.toThrow();
    expect(readFileSync(join(tmp, 'cache'), 'utf8')).toBe('a file');
  });

  test('works where the cache file cannot be replaced, and leaves nothing behind', () => {
    const { open, read, tmp, file } = usePlugin();
    mkdirSync(join(file, 'inside'), { recursive: true });
    const cache = open();
    expect(read(cache).ok).toBe(true);
    expect(() => cache.save()).not.toThrow();
    expect(readdirSync(join(tmp, 'cache'))).toEqual(['plugins.json']);
  });

  test('writes only what is new, for the owner alone', () => {
    const { open, read, file } = usePlugin();
    const cache = open();
    cache.save();
    expect(existsSync(file)).toBe(false);
    read(cache);
    cache.save();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(file);
    read(cache);
    cache.save();
    expect(existsSync(file)).toBe(false);
  });

  test('sees a file that was added to a directory of a script, and one that is written over', () => {
    const directory = writeFiles(join(useTmp(), 'tool'), { 'main.py': '', 'lib/a.py': '', 'lib/sub/b.py': '' });
    const file = join(directory, '..', 'cache', 'plugins.json');
    const load = (): { readonly plugin: Plugin; readonly isNew: boolean } => {
      const cache = createReadingCache({ file, key: 'k' });
      const recognised = cache.recall(directory) ?? tryRecognise({ directory, names: readdirSync(directory).sort() });
      if (recognised === undefined) throw new Error('nothing was recognised');
      let isNew = false;
      const reading = cache.read(recognised, (current) => {
        isNew = true;
        const read = readManifest(current);
        if (!read.ok) throw new Error('it could not be read');
        return { ok: true, plugin: read.plugin, warnings: [] };
      });
      cache.save();
      if (!reading.ok) throw new Error(reading.problem);
      return { plugin: reading.plugin, isNew };
    };
    let last = load();
    expect(load()).toEqual({ plugin: last.plugin, isNew: false });
    const changes = { 'lib/sub/c.py': '', 'lib/d.py': '', 'lib/sub/b.py': 'x', 'node_modules/p/index.js': '', 'node_modules/p/new.js': '' };
    for (const [name, text] of Object.entries(changes)) {
      writeFiles(directory, { [name]: text });
      const next = load();
      expect(next.isNew, name).toBe(true);
      expect(next.plugin.digest, name).not.toBe(last.plugin.digest);
      expect(load()).toEqual({ plugin: next.plugin, isNew: false });
      last = next;
    }
  });

  test('reads a manifest that was written over as that of another system', () => {
    const script = '[plugin]\nname = "p"\nversion = "1.0.0"\ndescription = "d"\nruntime = "bash"\n';
    const directory = writeFiles(join(useTmp(), 'p'), { 'PLUGIN.toml': PLAIN, 'plain.wasm': EMPTY_MODULE, 'main.sh': '' });
    const cache = createReadingCache({ file: join(directory, '..', 'plugins.json'), key: 'k' });
    const systemNow = (): string => {
      const names = readdirSync(directory).sort();
      const recognised = cache.recall(directory) ?? tryRecognise({ directory, names });
      if (recognised === undefined) throw new Error('nothing was recognised');
      const reading = cache.read(recognised, (current) => {
        const read = readManifest(current);
        return read.ok
          ? { ok: true, plugin: read.plugin, warnings: [] }
          : { ok: false, system: current.system, name: read.name, problem: 'p', warnings: [] };
      });
      return reading.ok ? `${reading.plugin.system} ${reading.plugin.runtime.kind}` : `${reading.system} broken`;
    };
    const found = [PLAIN, script, PLAIN, '[plugin]\nruntime = "bash"\n', script].map((toml) => {
      writeFileSync(join(directory, 'PLUGIN.toml'), toml);
      return systemNow();
    });
    expect(found).toEqual(['agentzero wasm', 'kaizen script', 'agentzero wasm', 'kaizen broken', 'kaizen script']);
  });
});
