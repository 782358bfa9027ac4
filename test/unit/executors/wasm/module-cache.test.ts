import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createModuleCache, type LoadedModule, type ModuleSource } from '../../../../src/executors/wasm/module-cache.ts';
import { sha256Hex } from '../../../../src/manifest/digest.ts';
import { useTmp } from '../../../helpers/tmp.ts';
import { loadWasmFixture } from '../../../helpers/wasm-fixture.ts';

const MEMORY_BYTES = 1024 * 1024;

async function useModule(fixture = 'echo') {
  const tmp = useTmp();
  const file = join(tmp, 'plugin.wasm');
  const directory = join(tmp, 'cache', 'wasm');
  const bytes = await loadWasmFixture(fixture);
  writeFileSync(file, bytes);
  const source: ModuleSource = { file, sha256: sha256Hex(bytes), memoryBytes: MEMORY_BYTES };
  const stored = (): string => join(directory, readdirSync(directory)[0] ?? 'none');
  return { tmp, file, directory, source, stored };
}
function moduleOf(loaded: LoadedModule) {
  if (!loaded.ok) throw new Error(loaded.problems.join('; '));
  return loaded.module;
}

describe('createModuleCache().load()', () => {
  test('gates a module once, keeps it in memory and for the next start', async () => {
    const { directory, source, file } = await useModule();
    const cache = createModuleCache(directory);
    const module = moduleOf(cache.load(source));
    expect(module.meta).toEqual({ entry: 'run', fuelExport: '__az_fuel', memory: { minPages: 1, maxPages: 16 } });
    rmSync(file);
    expect(moduleOf(cache.load(source))).toBe(module);
    const again = moduleOf(createModuleCache(directory).load(source));
    expect(again).toMatchObject({ digest: module.digest, meta: module.meta });
    expect(Buffer.from(again.bytes).equals(Buffer.from(module.bytes))).toBe(true);
  });

  test('keeps what was the start function', async () => {
    const { directory, source } = await useModule('loops-in-start');
    expect(moduleOf(createModuleCache(directory).load(source)).meta).toMatchObject({ startExport: '__az_start' });
    expect(moduleOf(createModuleCache(directory).load(source)).meta).toMatchObject({ startExport: '__az_start' });
  });

  test('makes another module for another memory cap', async () => {
    const { directory, source } = await useModule();
    const cache = createModuleCache(directory);
    const small = moduleOf(cache.load({ ...source, memoryBytes: 128 * 1024 }));
    expect(small.meta.memory?.maxPages).toBe(2);
    expect(small.digest).not.toBe(moduleOf(cache.load(source)).digest);
  });

  test('refuses bytes that are not those that were loaded', async () => {
    const { directory, source, file } = await useModule();
    writeFileSync(file, await loadWasmFixture('loops-forever'));
    expect(createModuleCache(directory).load(source)).toEqual({
      ok: false,
      problems: [`"${file}" changed since the plugin was loaded: reload it first`],
    });
  });

  test('keeps nothing of what the gate refuses', async () => {
    const { directory, source } = await useModule('imports-wasi');
    const loaded = createModuleCache(directory).load(source);
    expect(loaded.ok).toBe(false);
    expect(() => readdirSync(directory)).toThrow('ENOENT');
  });

  test.for([
    ['cut short', (path: string): void => truncateSync(path, statSync(path).size - 1)],
    ['empty', (path: string): void => truncateSync(path, 0)],
    ['changed', (path: string): void => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, -3), Buffer.alloc(3)]))],
    ['no module', (path: string): void => writeFileSync(path, 'text')],
  ] as const)('gates again when the stored module is %s', async ([, spoil]) => {
    const { directory, source, stored } = await useModule();
    const module = moduleOf(createModuleCache(directory).load(source));
    spoil(stored());
    const again = moduleOf(createModuleCache(directory).load(source));
    expect(Buffer.from(again.bytes).equals(Buffer.from(module.bytes))).toBe(true);
    expect(statSync(stored()).mode & 0o777).toBe(0o600);
  });

  test('works where nothing can be stored', async () => {
    const { tmp, directory, source } = await useModule();
    writeFileSync(join(tmp, 'cache'), 'a file');
    expect(createModuleCache(directory).load(source).ok).toBe(true);
    expect(readFileSync(join(tmp, 'cache'), 'utf8')).toBe('a file');
  });
});
