import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { findMissingDependencies } from '../../src/executors/script/dependencies/find-missing-dependencies.ts';
import { buildSourceDistribution, buildWheel, usePythonIndex } from '../helpers/package-registries.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useInstaller, usePlugin } from '../helpers/script-dependencies.ts';

const MAIN = 'import greeter\nprint(greeter.SAYS)\n';
const greeter = (version: string) => buildWheel('greeter', version, { 'greeter.py': `SAYS = 'greeter ${version}'\n` });

describe.skipIf(!HAS_BUBBLEWRAP)('Python dependencies', () => {
  test('declared ones are installed, with what they need, and can be imported in the sandbox', async () => {
    const speaker = buildWheel('the_speaker', '1.0', { 'speaker.py': 'import greeter\nSAYS = greeter.SAYS\n' }, ['greeter>=1,<2']);
    const index = await usePythonIndex({ 'the-speaker': [speaker], greeter: [greeter('1.0'), greeter('1.5'), greeter('2.0')] });
    const { install, run } = useInstaller({ registries: { python: index.url } });
    const plugin = usePlugin('python', { 'main.py': 'import speaker\nprint(speaker.SAYS)\n' }, ['The_Speaker==1.0']);
    expect(findMissingDependencies(plugin)).toEqual(['The_Speaker==1.0']);
    const { result, lines } = await install(plugin);
    expect(result).toMatchObject({
      kind: 'installed',
      language: 'python',
      locked: false,
      packages: [
        { name: 'greeter', version: '1.5' },
        { name: 'the-speaker', version: '1.0' },
      ],
    });
    expect(lines.join('\n')).toContain('Collecting The_Speaker==1.0');
    expect(findMissingDependencies(plugin)).toEqual([]);
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.5', stderr: '' });
  });

  test('a lock decides which version, and a wrong hash is refused', async () => {
    const old = greeter('1.0');
    const index = await usePythonIndex({ greeter: [old, greeter('1.5')] });
    const { install, run } = useInstaller({ registries: { python: index.url } });
    const lock = `greeter==1.0 \\\n    --hash=sha256:${old.sha256}\n`;
    const plugin = usePlugin('python', { 'main.py': MAIN, 'requirements.txt': lock }, ['greeter']);
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed', source: 'requirements.txt', locked: true });
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.0', stderr: '' });

    const wrong = `greeter==1.5 --hash=sha256:${old.sha256}\n`;
    const other = usePlugin('python', { 'main.py': MAIN, 'requirements.lock': wrong });
    expect((await install(other)).result).toEqual({ kind: 'failed', why: 'integrity', reason: expect.stringContaining('greeter==1.5') });
    expect(existsSync(join(other.directory, '.dependencies/python'))).toBe(false);
  });

  test('a lock that leaves out what its packages need is refused', async () => {
    const speaker = buildWheel('speaker', '1.0', { 'speaker.py': '' }, ['greeter']);
    const index = await usePythonIndex({ speaker: [speaker], greeter: [greeter('1.0')] });
    const { install } = useInstaller({ registries: { python: index.url } });
    const hashed = usePlugin('python', { 'requirements.lock': `speaker==1.0 --hash=sha256:${speaker.sha256}\n` });
    expect((await install(hashed)).result).toMatchObject({ kind: 'failed', why: 'integrity' });
    const pinned = usePlugin('python', { 'requirements.lock': 'speaker==1.0\n' });
    expect((await install(pinned)).result).toEqual({
      kind: 'failed',
      why: 'integrity',
      reason: 'requirements.lock does not name "greeter", which the packages in it need: renew the lock',
    });
  });

  test('packages for other platforms are left out', async () => {
    const index = await usePythonIndex({ greeter: [greeter('1.0')] });
    const { install } = useInstaller({ registries: { python: index.url } });
    const plugin = usePlugin('python', {}, ['greeter ; sys_platform == "win32"']);
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed', packages: [] });
    expect(findMissingDependencies(plugin)).toEqual([]);
  });

  test('source distributions are built only when that is allowed', async () => {
    const index = await usePythonIndex({ built: [buildSourceDistribution('built', '1.0')] });
    const { install, run } = useInstaller({ registries: { python: index.url } });
    const plugin = usePlugin('python', { 'main.py': 'import built\nprint(built.BUILT)\n' }, ['built']);
    expect((await install(plugin)).result).toMatchObject({
      kind: 'failed',
      why: 'refused',
      reason: expect.stringContaining('there is no wheel for "built": a source distribution runs code'),
    });
    expect((await install(plugin, { allowScripts: true })).result).toMatchObject({ kind: 'installed' });
    expect(await run(plugin)).toEqual({ stdout: 'True', stderr: '' });
  });

  test('files at another host are out of reach, and the old packages stay', async () => {
    const elsewhere = await usePythonIndex({ greeter: [greeter('2.0')] });
    const bad = await usePythonIndex({ greeter: [greeter('2.0')] }, elsewhere.url);
    const good = await usePythonIndex({ greeter: [greeter('1.0')] });
    const plugin = usePlugin('python', { 'main.py': MAIN }, ['greeter']);
    const { install, run } = useInstaller({ registries: { python: good.url } });
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed' });
    const { result } = await useInstaller({ registries: { python: bad.url } }).install(plugin);
    expect(result).toMatchObject({
      kind: 'failed',
      why: 'refused',
      reason: expect.stringContaining(`127.0.0.1:${elsewhere.port} is not the registry`),
    });
    expect(elsewhere.requests).toEqual([]);
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.0', stderr: '' });
  });
});
