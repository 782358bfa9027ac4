import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { findMissingDependencies } from '../../src/executors/script/dependencies/find-missing-dependencies.ts';
import { buildNpmPackage, toNpmLock, useNpmRegistry } from '../helpers/package-registries.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useInstaller, usePlugin } from '../helpers/script-dependencies.ts';

const MAIN = `import say from 'greeter'; console.log(say());`;
const greeter = (version: string) =>
  buildNpmPackage({ name: 'greeter', version, files: { 'index.js': `module.exports = () => 'greeter ${version}';` } });
/** Writes beside itself what it could do. */
const SCRIPT = `require('node:fs').writeFileSync('ran.txt', 'yes')`;
const scripted = () =>
  buildNpmPackage({ name: 'scripted', version: '1.0.0', files: { 'index.js': '', 'run.js': SCRIPT }, scripts: { install: 'node run.js' } });

describe.skipIf(!HAS_BUBBLEWRAP)('npm dependencies', () => {
  test('declared ones are installed and can be imported in the sandbox', async () => {
    const registry = await useNpmRegistry([greeter('1.0.0'), greeter('1.2.0'), greeter('2.0.0')]);
    const { install, run } = useInstaller({ registries: { node: registry.url } });
    const plugin = usePlugin('node', { 'main.mjs': MAIN }, ['greeter@^1']);
    expect(findMissingDependencies(plugin)).toEqual(['greeter@^1']);
    const { result, lines } = await install(plugin);
    expect(result).toMatchObject({
      kind: 'installed',
      language: 'node',
      source: 'the manifest',
      locked: false,
      registry: registry.url,
      packages: [{ name: 'greeter', version: '1.2.0' }],
    });
    expect(lines.join('\n')).toContain('/greeter');
    expect(findMissingDependencies(plugin)).toEqual([]);
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.2.0', stderr: '' });
    expect(readdirSync(join(plugin.directory, '.dependencies'))).toEqual([]);
  });

  test('a lock decides which version, and a wrong integrity is refused', async () => {
    const old = greeter('1.0.0');
    const registry = await useNpmRegistry([old, greeter('1.2.0')]);
    const { install, run } = useInstaller({ registries: { node: registry.url } });
    const plugin = usePlugin('node', { 'main.mjs': MAIN, 'package-lock.json': toNpmLock([old], registry.url) }, ['greeter@^1']);
    expect((await install(plugin)).result).toMatchObject({
      kind: 'installed',
      locked: true,
      packages: [{ name: 'greeter', version: '1.0.0' }],
    });
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.0.0', stderr: '' });
    expect(findMissingDependencies(plugin)).toEqual([]);

    const lock = toNpmLock([greeter('1.2.0')], registry.url, { integrity: old.integrity });
    const other = usePlugin('node', { 'main.mjs': MAIN, 'package-lock.json': lock });
    expect((await install(other)).result).toMatchObject({
      kind: 'failed',
      why: 'integrity',
      reason: expect.stringContaining('is not what the lock says'),
    });
    expect(existsSync(join(other.directory, 'node_modules'))).toBe(false);
    expect(findMissingDependencies(other)).toEqual(['greeter@1.2.0']);
  });

  test('those of TypeScript plugins are npm’s too', async () => {
    const registry = await useNpmRegistry([greeter('1.0.0')]);
    const plugin = usePlugin('typescript', {}, ['greeter']);
    const { result } = await useInstaller({ registries: { node: registry.url } }).install(plugin);
    expect(result).toMatchObject({ kind: 'installed', language: 'typescript', packages: [{ name: 'greeter', version: '1.0.0' }] });
  });

  test('install scripts run only when they are allowed', async () => {
    const registry = await useNpmRegistry([scripted()]);
    const { install } = useInstaller({ registries: { node: registry.url } });
    const plugin = usePlugin('node', {}, ['scripted']);
    const marker = join(plugin.directory, 'node_modules/scripted/ran.txt');
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed' });
    expect(existsSync(marker)).toBe(false);
    expect((await install(plugin, { allowScripts: true })).result).toMatchObject({ kind: 'installed' });
    expect(existsSync(marker)).toBe(true);
  });

  test('a tarball at another host is out of reach, and the old packages stay', async () => {
    const elsewhere = await useNpmRegistry([greeter('1.2.0')]);
    const moved = buildNpmPackage({ name: 'greeter', version: '1.2.0', tarballOrigin: elsewhere.url });
    const good = await useNpmRegistry([greeter('1.0.0')]);
    const bad = await useNpmRegistry([moved]);
    const plugin = usePlugin('node', { 'main.mjs': MAIN }, ['greeter']);
    const { install, run } = useInstaller({ registries: { node: good.url } });
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed' });
    const { result } = await useInstaller({ registries: { node: bad.url } }).install(plugin);
    expect(result).toEqual({
      kind: 'failed',
      why: 'refused',
      reason: `127.0.0.1:${elsewhere.port} is not the registry: only 127.0.0.1:${bad.port} can be reached while packages are installed`,
    });
    expect(elsewhere.requests).toEqual([]);
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.0.0', stderr: '' });
  });

  test('the plugin’s own .npmrc changes nothing', async () => {
    const elsewhere = await useNpmRegistry([greeter('9.0.0')]);
    const registry = await useNpmRegistry([greeter('1.0.0')]);
    const { install } = useInstaller({ registries: { node: registry.url } });
    const plugin = usePlugin('node', { '.npmrc': `registry=${elsewhere.url}\nignore-scripts=false\n` }, ['greeter']);
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed', packages: [{ name: 'greeter', version: '1.0.0' }] });
    expect(elsewhere.requests).toEqual([]);
  });
});
