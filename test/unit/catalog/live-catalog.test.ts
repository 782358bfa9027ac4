import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import type { Catalog } from '../../../src/catalog/catalog.ts';
import { createLiveCatalog, type LiveCatalog, type LiveCatalogDeps } from '../../../src/catalog/live-catalog.ts';
import { createReadingCache } from '../../../src/catalog/reading-cache.ts';
import { discoverCandidates } from '../../../src/discover/candidates.ts';
import { createLog } from '../../../src/log.ts';
import { readManifest } from '../../../src/manifest/formats.ts';
import { EMPTY_MODULE, ONE_COMMAND, PLAIN } from '../../fixtures/manifests/write-plugin.ts';
import { useTmp } from '../../helpers/tmp.ts';

interface Live {
  readonly catalog: LiveCatalog;
  readonly directory: string;
  /** How often each listener was called. */
  readonly heard: { reloads: number; tools: number };
  write(name: string, manifest?: string): void;
  /** Does something and waits for the reload that it leads to. */
  reloadAfter(work: () => void): Promise<Catalog>;
}

/** A live catalog over a search directory in a temporary one. */
function useLive(below = 'plugins', over: Partial<LiveCatalogDeps> = {}, isWatched = true): Live {
  const tmp = useTmp();
  const directory = join(tmp, below);
  const heard = { reloads: 0, tools: 0 };
  const waiting: ((catalog: Catalog) => void)[] = [];
  const catalog = createLiveCatalog({
    discover: () => discoverCandidates([{ path: directory, origin: 'user', source: 'user', named: false }]),
    watched: [directory],
    readManifest,
    inspect: () => ({ ok: true, warnings: [] }),
    judgeTrust: () => ({ trusted: true }),
    capLimits: (limits) => limits,
    cache: createReadingCache({ file: join(tmp, 'cache', 'plugins.json'), key: 'k' }),
    log: createLog('silent'),
    ...over,
  });
  onTestFinished(() => catalog.close());
  catalog.onToolsChanged(() => heard.tools++);
  const reloadAfter = async (work: () => void): Promise<Catalog> => {
    const next = new Promise<Catalog>((resolve) => waiting.push(resolve));
    work();
    return next;
  };
  const onReload = (changed: Catalog): void => {
    heard.reloads++;
    for (const resolve of waiting.splice(0)) resolve(changed);
  };
  if (isWatched) catalog.watch(onReload);
  const write = (name: string, manifest = PLAIN.replace('"plain"', `"${name}"`) + ONE_COMMAND): void => {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, 'plain.wasm'), EMPTY_MODULE);
    writeFileSync(join(directory, name, 'PLUGIN.toml'), manifest);
  };
  return { catalog, directory, heard, write, reloadAfter };
}

const toolNames = (catalog: Catalog): string[] => catalog.tools.map((tool) => tool.definition.name);
const manifestOf = (name: string, description: string): string =>
  PLAIN.replace('"plain"', `"${name}"`) + ONE_COMMAND.replace('Goes', description);

describe('createLiveCatalog().reload()', () => {
  test('keeps the very same catalog when nothing changed', () => {
    const { catalog, write, heard } = useLive();
    write('a');
    const before = catalog.current();
    expect(toolNames(before)).toEqual(['plugin_a_go']);
    expect(catalog.reload()).toBe(before);
    expect(heard).toEqual({ reloads: 0, tools: 0 });
  });

  test('keeps it too when a tool had to be left out', () => {
    const { catalog, write } = useLive('plugins', {
      readManifest: (candidate) => {
        const reading = readManifest(candidate);
        if (!reading.ok) return reading;
        const commands = reading.plugin.commands.map((command) => ({ ...command, inputSchema: { type: 'string' } }));
        return { ok: true, plugin: { ...reading.plugin, commands } };
      },
    });
    write('a');
    const before = catalog.current();
    expect(before.findPlugin('a')?.warnings.at(-1)).toContain('command "go" is left out');
    expect(catalog.reload()).toBe(before);
  });

  test('tells of tools once, and not at all when the tools are the same', () => {
    const { catalog, write, heard } = useLive();
    write('a');
    catalog.current();
    write('a', manifestOf('a', 'Goes on'));
    catalog.reload();
    expect(heard).toEqual({ reloads: 1, tools: 1 });
    write('a', manifestOf('a', 'Goes on').replace('description = "A plain plugin"', 'description = "Another"'));
    catalog.reload();
    expect(heard).toEqual({ reloads: 2, tools: 1 });
  });

  test('tells nobody who ended the subscription', () => {
    const { catalog, write } = useLive();
    let heard = 0;
    catalog.onToolsChanged(() => heard++)();
    catalog.current();
    write('a');
    catalog.reload();
    expect(heard).toBe(0);
  });

  test('tells clients of tools even when the reload cannot be recorded', () => {
    const { catalog, write, heard } = useLive();
    catalog.current();
    catalog.watch(() => {
      throw new Error('no journal');
    });
    write('a');
    expect(() => catalog.reload()).toThrow('no journal');
    expect(heard.tools).toBe(1);
    expect(toolNames(catalog.current())).toEqual(['plugin_a_go']);
  });

  test('lets a call in flight keep its tool', () => {
    const { catalog, write } = useLive();
    write('a');
    const tool = catalog.current().findTool('plugin_a_go');
    write('a', manifestOf('a', 'Goes on'));
    catalog.reload();
    expect(tool?.command.description).toBe('Goes');
    expect(catalog.current().findTool('plugin_a_go')?.command.description).toBe('Goes on');
  });
});

describe('createLiveCatalog().reloadSoon()', () => {
  test('reloads once for all that asked, though nothing is watched', async () => {
    const { catalog, write, heard } = useLive('plugins', {}, false);
    expect(catalog.current().tools).toEqual([]);
    write('a');
    const changed = new Promise<Catalog>((resolve) => catalog.onToolsChanged(resolve));
    for (let i = 0; i < 5; i++) catalog.reloadSoon();
    expect(toolNames(await changed)).toEqual(['plugin_a_go']);
    expect(heard.tools).toBe(1);
  });
});

describe('createLiveCatalog().watch()', () => {
  test('hears of a plugin that is added, changed, broken, repaired and removed', async () => {
    const { catalog, directory, write, heard, reloadAfter } = useLive();
    mkdirSync(directory);
    catalog.current();
    expect(toolNames(await reloadAfter(() => write('a')))).toEqual(['plugin_a_go']);
    const changed = await reloadAfter(() => write('a', manifestOf('a', 'Goes on')));
    expect(changed.tools[0]?.definition.description).toBe('[plugin:a] Goes on');
    const broken = await reloadAfter(() => write('a', 'no TOML ['));
    expect(broken.findPlugin('a')).toMatchObject({ status: 'broken', callable: true });
    expect(toolNames(broken)).toEqual(['plugin_a_go']);
    expect(heard.tools).toBe(2);
    expect((await reloadAfter(() => write('a', manifestOf('a', 'Goes on')))).findPlugin('a')?.status).toBe('ok');
    expect(heard.tools).toBe(2);
    expect((await reloadAfter(() => rmSync(join(directory, 'a'), { recursive: true }))).entries).toEqual([]);
    expect(heard.tools).toBe(3);
  });

  test('hears of many changes as one', async () => {
    const { catalog, write, heard, reloadAfter, directory } = useLive();
    mkdirSync(directory);
    catalog.current();
    const changed = await reloadAfter(() => {
      for (let i = 0; i < 20; i++) write(`p${i}`);
    });
    expect(changed.tools).toHaveLength(20);
    expect(heard).toEqual({ reloads: 1, tools: 1 });
  });

  test.for([
    ['', 'plugins'],
    ['two directories above it too', 'a/b/plugins'],
    ['four, in a directory that is called node_modules', 'a/node_modules/b/c/plugins'],
  ])('hears of a search directory that appears later %s', async ([, below]) => {
    const { catalog, write, reloadAfter, directory } = useLive(below);
    expect(catalog.current().entries).toEqual([]);
    expect(toolNames(await reloadAfter(() => write('a')))).toEqual(['plugin_a_go']);
    expect(toolNames(await reloadAfter(() => write('b')))).toEqual(['plugin_a_go', 'plugin_b_go']);
    const gone = await reloadAfter(() => renameSync(directory, `${directory}-away`));
    expect(gone.entries).toEqual([]);
    expect(toolNames(await reloadAfter(() => renameSync(`${directory}-away`, directory)))).toEqual(['plugin_a_go', 'plugin_b_go']);
  });

  test('hears of what changed between the first read and the start of watching', async () => {
    const { catalog, write, reloadAfter } = useLive();
    write('a');
    catalog.current();
    expect(toolNames(await reloadAfter(() => write('b')))).toEqual(['plugin_a_go', 'plugin_b_go']);
  });
});
