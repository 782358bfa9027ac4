import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { listDirectory } from '../../src/manifest/directory-listing.ts';
import { readManifest, tryRecognise } from '../../src/manifest/formats.ts';
import { buildPlugins, callGuest, listExports, listImports, loadGuest, PLUGINS, REPOSITORY } from '../helpers/guest.ts';
import { useTmp } from '../helpers/tmp.ts';

const GUIDE = readFileSync(join(REPOSITORY, 'docs/writing-a-wasm-plugin.md'), 'utf8');

/** Writes the files that the guide shows, named by the fences' info strings, beside a copy of the SDK. */
function writeGuideFiles(directory: string): void {
  cpSync(join(PLUGINS, 'guest-sdk'), join(directory, 'guest-sdk'), { recursive: true });
  for (const [, path = '', text = ''] of GUIDE.matchAll(/^```\w+ (\S+\/\S+)\n(.*?)^```$/gms)) writeSource(directory, path, text);
}

function writeSource(directory: string, path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

function readPlugin(directory: string) {
  const listing = listDirectory(directory, 100);
  if (!listing.ok) throw new Error(listing.reason);
  const recognised = tryRecognise({ directory, names: listing.entries.map((entry) => entry.name) });
  if (!recognised) throw new Error(`no manifest in ${directory}`);
  return readManifest(recognised);
}

describe('build-plugins', () => {
  test('builds only what is older than its sources, and the same bytes each time', async () => {
    const directory = useTmp();
    writeGuideFiles(directory);
    const module = join(directory, 'greeter/greeter.wasm');
    const build = async (): Promise<string> => (await buildPlugins('--plugins', directory)).stdout;

    expect(await build()).toMatch(/^greeter: built \d+ bytes in \d+ ms\n$/);
    const first = readFileSync(module);
    expect(await build()).toBe('greeter: up to date\n');
    const later = new Date(statSync(module).mtimeMs + 2_000);
    utimesSync(join(directory, 'guest-sdk/assembly/json.ts'), later, later);
    expect(await build()).toMatch(/^greeter: built /);
    expect(readFileSync(module).equals(first)).toBe(true);
  });

  test('fails with what the compiler said, keeps the old module and leaves nothing half done', async () => {
    const directory = useTmp();
    writeGuideFiles(directory);
    writeSource(directory, 'greeter/assembly/index.ts', 'export function run(): i32 { return nothing; }\n');
    writeFileSync(join(directory, 'greeter/greeter.wasm'), 'old');
    utimesSync(join(directory, 'greeter/greeter.wasm'), 0, 0);
    await expect(buildPlugins('--plugins', directory)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ERROR TS2304: Cannot find name 'nothing'."),
    });
    expect(readFileSync(join(directory, 'greeter/greeter.wasm'), 'utf8')).toBe('old');
    const listing = listDirectory(join(directory, 'greeter'), 10);
    expect(listing.ok && listing.entries.map((entry) => entry.name)).toEqual(['PLUGIN.toml', 'assembly', 'greeter.wasm']);
  });

  test('refuses a name that is no plugin', async () => {
    await expect(buildPlugins('guest-sdk')).rejects.toMatchObject({ code: 1, stderr: 'guest-sdk: failed, it has no assembly/index.ts\n' });
  });
});

describe('the guide', () => {
  test('shows a plugin that compiles, is read without a problem and runs', async () => {
    const root = useTmp();
    const directory = useTmp();
    writeGuideFiles(directory);
    await buildPlugins('--plugins', directory);
    expect(readPlugin(join(directory, 'greeter'))).toMatchObject({ ok: true, plugin: { name: 'greeter', warnings: [] } });

    const guest = loadGuest(join(directory, 'greeter/greeter.wasm'));
    const call = (request: Record<string, unknown>) => callGuest(guest, request, { root });
    expect(call({ action: 'list' })).toEqual({ success: true, output: 'Nobody was greeted yet', error: null });
    expect(call({ action: 'greet', name: 'Ada', times: 2 }).output).toBe('Hello, Ada! Hello, Ada!');
    expect(call({ action: 'list' }).output).toBe('- 2026-05-11 Ada\n');
    expect(call({ action: 'greet' }).error).toBe('Missing argument "name": wanted a text that is not empty');
    expect(call({ action: 'greet', name: 'Ada', times: 6 }).error).toBe('Wrong argument "times": wanted a whole number from 1 to 5');
    expect(call({ action: 'sing' }).error).toBe('Unknown command "sing": wanted greet or list');
    mkdirSync(join(root, 'blocked'));
    rmSync(join(root, 'greetings.md'));
    symlinkSync(join(root, 'blocked'), join(root, 'greetings.md'));
    expect(call({ action: 'greet', name: 'Ada' }).error).toBe(
      'Cannot write greetings.md: the host refused or failed, check the permission file_write',
    );
  });
});

describe('sample plugins', () => {
  beforeAll(() => buildPlugins());

  test.for([
    ['vault', ['log', 'read_file', 'file_exists', 'create_dir', 'write_file', 'list_dir', 'now', 'append_file']],
    ['wikipedia', ['log', 'http_request']],
  ] as const)('%s imports only what it uses and exports the ABI', ([name, imports]) => {
    const guest = loadGuest(join(PLUGINS, name, `${name}.wasm`));
    const found = listImports(guest);
    expect(found.every((entry) => entry.module === 'az' && entry.kind === 'function')).toBe(true);
    expect(new Set(found.map((entry) => entry.name))).toEqual(new Set(imports));
    expect(listExports(guest)).toEqual(expect.arrayContaining(['memory', 'alloc', 'run']));
  });

  test.for(['vault', 'wikipedia'])('%s has a manifest without problems or warnings, whose commands its module all knows', (name) => {
    const reading = readPlugin(join(PLUGINS, name));
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    expect(reading.plugin.warnings).toEqual([]);
    const guest = loadGuest(join(PLUGINS, name, `${name}.wasm`));
    const host = { root: useTmp() };
    for (const command of reading.plugin.commands) {
      expect(callGuest(guest, { action: command.name }, host).error ?? '').not.toContain('Unknown command');
    }
  });
});
