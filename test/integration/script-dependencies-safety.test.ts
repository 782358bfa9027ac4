import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { findMissingDependencies } from '../../src/executors/script/dependencies/find-missing-dependencies.ts';
import { bundleProgram } from '../helpers/bundle.ts';
import { useHttpServer } from '../helpers/http-server.ts';
import { buildNpmPackage, useNpmRegistry } from '../helpers/package-registries.ts';
import { findByCommand } from '../helpers/process-tree.ts';
import { HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { LOADERS, useInstaller, usePlugin, type TestPlugin } from '../helpers/script-dependencies.ts';
import { useTmp } from '../helpers/tmp.ts';

const MAIN = `import say from 'greeter'; console.log(say());`;
const greeter = (version: string) =>
  buildNpmPackage({ name: 'greeter', version, files: { 'index.js': `module.exports = () => 'greeter ${version}';` } });
const OLD = { stdout: 'greeter 1.0.0', stderr: '' };
const INSTALLER = fileURLToPath(new URL('../fixtures/dependency-installer.ts', import.meta.url));

/** A plugin whose packages are installed, of version 1.0.0. */
async function useInstalled(): Promise<TestPlugin & { run: () => Promise<{ stdout: string; stderr: string }> }> {
  const registry = await useNpmRegistry([greeter('1.0.0')]);
  const { install, run } = useInstaller({ registries: { node: registry.url } });
  const plugin = usePlugin('node', { 'main.mjs': MAIN }, ['greeter']);
  expect((await install(plugin)).result).toMatchObject({ kind: 'installed' });
  return { ...plugin, run: () => run(plugin) };
}

/** A registry that hears the first question and never answers. */
async function useSilentRegistry(): Promise<{ url: string; asked: Promise<void> }> {
  let hear: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (hear = resolve));
  const { port } = await useHttpServer(() => hear());
  return { url: `http://127.0.0.1:${port}/`, asked };
}

/** Installs a package whose install script is the one given. */
async function installScripted(script: string, over: Parameters<typeof useInstaller>[0] = { registries: {} }) {
  const scripted = buildNpmPackage({
    name: 'scripted',
    version: '1.0.0',
    files: { 'index.js': '', 'run.cjs': script },
    scripts: { install: 'node run.cjs' },
  });
  const registry = await useNpmRegistry([scripted]);
  const plugin = usePlugin('node', { 'secret.txt': 'of the plugin' }, ['scripted']);
  const { result } = await useInstaller({ ...over, registries: { node: registry.url } }).install(plugin, { allowScripts: true });
  return { result, plugin, place: join(plugin.directory, 'node_modules/scripted') };
}

describe.skipIf(!HAS_BUBBLEWRAP)('installations that go wrong', () => {
  test('a host that is killed in the middle leaves the old packages and no process, and the next run tidies up', async () => {
    const { run, ...plugin } = await useInstalled();
    const registry = await useSilentRegistry();
    const program = await bundleProgram(INSTALLER, useTmp());
    const host = spawn(process.execPath, [program, plugin.directory, registry.url, LOADERS], { stdio: 'ignore' });
    await registry.asked;
    expect(findByCommand(plugin.directory)).not.toEqual([]);
    host.kill('SIGKILL');
    await once(host, 'close');
    await expect.poll(() => findByCommand(plugin.directory)).toEqual([]);
    expect(await run()).toEqual(OLD);
    expect(findMissingDependencies(plugin)).toEqual([]);
    const home = join(plugin.directory, '.dependencies');
    expect(readdirSync(home)).toHaveLength(1);

    const next = await useNpmRegistry([greeter('2.0.0')]);
    expect((await useInstaller({ registries: { node: next.url } }).install(plugin)).result).toMatchObject({ kind: 'installed' });
    expect(await run()).toEqual({ stdout: 'greeter 2.0.0', stderr: '' });
    expect(readdirSync(home)).toEqual([]);
  });

  test('cancelling ends the package manager and leaves the old packages', async () => {
    const { run, ...plugin } = await useInstalled();
    const registry = await useSilentRegistry();
    const cancel = new AbortController();
    void registry.asked.then(() => cancel.abort());
    const { result } = await useInstaller({ registries: { node: registry.url } }).install(plugin, { signal: cancel.signal });
    expect(result).toEqual({ kind: 'failed', why: 'cancelled', reason: 'it was cancelled' });
    expect(findByCommand(plugin.directory)).toEqual([]);
    expect(readdirSync(join(plugin.directory, '.dependencies'))).toEqual([]);
    expect(await run()).toEqual(OLD);
  });

  test('the deadline ends it', async () => {
    const registry = await useSilentRegistry();
    const limits = { timeoutMs: 1500, maxBytes: 1_000_000, maxEntries: 100 };
    const plugin = usePlugin('node', {}, ['greeter']);
    const { result } = await useInstaller({ registries: { node: registry.url }, limits }).install(plugin);
    expect(result).toEqual({ kind: 'failed', why: 'failed', reason: 'npm did not finish within 1500 ms' });
  });

  test('nothing runs where nothing isolates', async () => {
    const registry = await useNpmRegistry([greeter('1.0.0')]);
    for (const unboxed of ['never', 'when-missing'] as const) {
      const sandbox = useSandbox({ unboxed, programs: { bwrap: '/nowhere/bwrap' } });
      const { result } = await useInstaller({ registries: { node: registry.url }, sandbox }).install(usePlugin('node', {}, ['greeter']));
      expect(result).toMatchObject({ kind: 'failed', why: 'refused', reason: expect.stringContaining('only run isolated') });
    }
    expect(registry.requests).toEqual([]);
  });

  test('a link in place of our directory is refused, and where it leads is left alone', async () => {
    const registry = await useNpmRegistry([greeter('1.0.0')]);
    const plugin = usePlugin('node', {}, ['greeter']);
    const outside = useTmp();
    symlinkSync(outside, join(plugin.directory, '.dependencies'));
    const { result } = await useInstaller({ registries: { node: registry.url } }).install(plugin);
    expect(result).toMatchObject({ kind: 'failed', reason: expect.stringContaining('must be a directory and no link') });
    expect(readdirSync(outside)).toEqual([]);
  });

  test('a link in place of the packages is replaced, and where it leads is left alone', async () => {
    const registry = await useNpmRegistry([greeter('1.0.0')]);
    const plugin = usePlugin('node', {}, ['greeter']);
    const outside = useTmp();
    mkdirSync(join(outside, 'kept'));
    symlinkSync(outside, join(plugin.directory, 'node_modules'));
    expect((await useInstaller({ registries: { node: registry.url } }).install(plugin)).result).toMatchObject({ kind: 'installed' });
    expect(lstatSync(join(plugin.directory, 'node_modules')).isDirectory()).toBe(true);
    expect(readdirSync(outside)).toEqual(['kept']);
  });
});

describe.skipIf(!HAS_BUBBLEWRAP)('install scripts that are allowed', () => {
  test('see neither the plugin nor the person, and reach no host but the registry', async () => {
    const { port, server } = await useHttpServer((_request, response) => response.end('reached'));
    let connections = 0;
    server.on('connection', () => (connections += 1));
    const script = `
      const { readdirSync, writeFileSync, existsSync } = require('node:fs');
      const http = require('node:http');
      const saw = { environment: process.env, root: readdirSync('/'), home: readdirSync(process.env.HOME) };
      saw.plugin = existsSync(process.cwd() + '/../../../../../../secret.txt');
      saw.etc = existsSync('/etc/shadow');
      try { writeFileSync(process.cwd() + '/../../../../../../left.txt', ''); } catch {}
      const ask = (options) => new Promise((resolve) =>
        http.get(options, (answer) => resolve(answer.statusCode)).on('error', (error) => resolve(error.code)));
      (async () => {
        saw.direct = await ask('http://127.0.0.1:${port}/');
        saw.proxied = await ask({ host: '127.0.0.1', port: 3128, path: 'http://127.0.0.1:${port}/', headers: { host: '127.0.0.1:${port}' } });
        writeFileSync('saw.json', JSON.stringify(saw));
      })();`;
    process.env['PLUGBRIDGE_TEST_SECRET'] = 'of the person';
    const { result, place, plugin } = await installScripted(script);
    delete process.env['PLUGBRIDGE_TEST_SECRET'];
    expect(result).toMatchObject({ kind: 'installed' });
    const text = readFileSync(join(place, 'saw.json'), 'utf8');
    expect(text).not.toContain('of the person');
    const { plugin: sawPlugin, etc, direct, proxied, root } = JSON.parse(text) as Record<string, unknown>;
    expect({ sawPlugin, etc, direct, proxied }).toEqual({ sawPlugin: false, etc: false, direct: 'ECONNREFUSED', proxied: 403 });
    expect(root).not.toContain('root');
    expect(connections).toBe(0);
    expect(existsSync(join(plugin.directory, 'left.txt'))).toBe(false);
  });

  const refused = [
    ['a link that leads out', `require('node:fs').symlinkSync('/etc/passwd', 'link')`, 'a link that leads out of them'],
    ['a link past the packages', `require('node:fs').symlinkSync('../../../..', 'link')`, 'a link that leads out of them'],
    ['a pipe', `require('node:child_process').execFileSync('mkfifo', ['pipe'])`, 'which is neither a file nor a directory'],
    ['too many files', `for (let i = 0; i < 200; i++) require('node:fs').writeFileSync('f' + i, '')`, 'more than 100 files'],
    ['too many bytes', `for (const f of 'abc') require('node:fs').writeFileSync(f, Buffer.alloc(400_000, 1))`, 'more than 1000000 bytes'],
    ['too large a file', `require('node:fs').writeFileSync('f', Buffer.alloc(1_500_000, 1))`, 'an install script failed: Error: EFBIG'],
  ] as const;
  test.for(refused)('%s is refused', async ([, script, reason], { expect: check }) => {
    const limits = { timeoutMs: 60_000, maxBytes: 1_000_000, maxEntries: 100 };
    const { result, place } = await installScripted(script, { registries: {}, limits });
    check(result).toMatchObject({ kind: 'failed', reason: check.stringContaining(reason) });
    check(existsSync(place)).toBe(false);
  });

  test('leave plain files of ours, whatever modes they set', async () => {
    const script = `const fs = require('node:fs');
      fs.writeFileSync('tool', '#!/bin/sh\\n'); fs.chmodSync('tool', 0o6777);
      fs.mkdirSync('closed'); fs.writeFileSync('closed/file', ''); fs.chmodSync('closed/file', 0); fs.chmodSync('closed', 0);`;
    const { result, place } = await installScripted(script);
    expect(result).toMatchObject({ kind: 'installed' });
    const look = (name: string) => {
      const { mode, uid } = lstatSync(join(place, name));
      return [(mode & 0o7777).toString(8), uid];
    };
    const uid = process.getuid?.();
    expect([look('tool'), look('closed'), look('closed/file')]).toEqual([
      ['755', uid],
      ['755', uid],
      ['644', uid],
    ]);
  });
});
