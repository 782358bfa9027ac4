import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { CLI, runCli, usePlace, type Place } from '../helpers/built-cli.ts';
import { useHttpServer } from '../helpers/http-server.ts';
import { buildNpmPackage, useNpmRegistry, writeFiles } from '../helpers/package-registries.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';

const MAIN = `import say from 'greeter';\nconsole.log(JSON.stringify({ said: say() }));\n`;
const greeter = () => buildNpmPackage({ name: 'greeter', version: '1.0.0', files: { 'index.js': `module.exports = () => 'hello';` } });

/** A machine with one script plugin that wants a package of the registry. */
function usePluginPlace(registryUrl: string, directory?: string): Place {
  const place = usePlace();
  writeFiles(join(directory === undefined ? place.plugins : join(place.base, directory), 'polite'), {
    'plugin.json': JSON.stringify({ name: 'polite', description: 'Greets', language: 'node', main: 'main.mjs', dependencies: ['greeter'] }),
    'main.mjs': MAIN,
  });
  writeFiles(join(place.own, 'config'), { 'config.toml': `[dependencies]\nnpm_registry = "${registryUrl}"\n` });
  return place;
}

const readJournal = (place: Place): Record<string, unknown>[] =>
  readdirSync(place.audit)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(place.audit, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.skipIf(!HAS_BUBBLEWRAP)('plugbridge dependencies', () => {
  test('installs, shows progress, and tells the journal; then the plugin runs', async () => {
    const registry = await useNpmRegistry([greeter()]);
    const place = usePluginPlace(registry.url);
    const ran = await runCli(place, ['dependencies', 'polite', ...place.options]);
    expect(ran).toMatchObject({ exit: 0, stdout: `Installed from ${registry.url}, as the manifest says: greeter 1.0.0\n` });
    expect(ran.stderr).toContain('/greeter');
    const called = await runCli(place, ['call', 'polite', 'run', ...place.options]);
    expect(called).toMatchObject({ exit: 0 });
    expect(JSON.parse(called.stdout)).toEqual({ said: 'hello' });
    const events = readJournal(place).filter((one) => String(one['event']).startsWith('dependencies-'));
    expect(events).toMatchObject([
      { event: 'dependencies-wanted', plugin: 'polite', detail: { language: 'node', registry: registry.url, scripts: false } },
      { event: 'dependencies-installed', plugin: 'polite', detail: { packages: ['greeter 1.0.0'], scripts: false } },
    ]);
  });

  test('--json answers with one object, also when it fails', async () => {
    const registry = await useNpmRegistry([]);
    const place = usePluginPlace(registry.url);
    const { exit, stdout } = await runCli(place, ['deps', 'polite', '--json', ...place.options]);
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ plugin: 'polite', ok: false, why: 'failed', reason: expect.stringContaining('404') });
    expect(existsSync(join(place.plugins, 'polite/node_modules'))).toBe(false);
    expect(readJournal(place).map((one) => one['event'])).toContain('dependencies-failed');
  });

  test('a plugin that the workspace brought installs nothing before it is trusted', async () => {
    const registry = await useNpmRegistry([greeter()]);
    const place = usePluginPlace(registry.url, 'root/.plugbridge/plugins');
    const refused = await runCli(place, ['dependencies', 'polite', ...place.options]);
    expect(refused).toMatchObject({ exit: 3, stderr: expect.stringContaining('CATALOG_NOT_CALLABLE') });
    expect(registry.requests).toEqual([]);
    await runCli(place, ['trust', 'polite', ...place.options]);
    const installed = await runCli(place, ['dependencies', 'polite', ...place.options]);
    expect(installed).toMatchObject({ exit: 0, stderr: expect.stringContaining('trust them with: plugbridge trust polite') });
  });

  test('Ctrl-C ends it and leaves nothing', async () => {
    let hear: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (hear = resolve));
    const { port } = await useHttpServer(() => hear());
    const place = usePluginPlace(`http://127.0.0.1:${port}/`);
    const child = spawn(process.execPath, [CLI, 'dependencies', 'polite', ...place.options], { env: place.environment, cwd: place.root });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await asked;
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(1);
    expect(stderr).toContain('Cannot install the packages of "polite": it was cancelled; what was installed before is unchanged');
    expect(readdirSync(join(place.plugins, 'polite/.dependencies'))).toEqual([]);
  });
});
