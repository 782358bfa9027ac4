import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { findMissingDependencies } from '../../src/executors/script/dependencies/find-missing-dependencies.ts';
import { buildGem, useGemSource } from '../helpers/package-registries.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useInstaller, usePlugin } from '../helpers/script-dependencies.ts';

const HAS_RUBY = existsSync('/usr/bin/ruby');
if (!HAS_RUBY) process.stderr.write('\n!!! ruby is missing: GEMS ARE NOT TESTED on this machine\n\n');

const MAIN = `require 'greeter'\nputs Greeter::SAYS\n`;
const greeter = (version: string, files = {}) =>
  buildGem({ name: 'greeter', version, files: { 'lib/greeter.rb': `module Greeter\n  SAYS = 'greeter ${version}'\nend\n`, ...files } });
/** A build that proves that it ran. */
const EXTCONF = `File.write('Makefile', "clean:\\n\\nall:\\n\\ninstall:\\n\\t@true\\n")\nFile.write(File.join(__dir__, '..', 'lib', 'ran.rb'), 'RAN = true')\n`;

const lockOf = (entries: string, url: string, checksums = ''): string =>
  `GEM\n  remote: ${url}\n  specs:\n${entries}\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  greeter\n${checksums}\nBUNDLED WITH\n   2.6.2\n`;

describe.skipIf(!HAS_BUBBLEWRAP || !HAS_RUBY)('Ruby dependencies', () => {
  test('declared ones are installed, with what they need, and can be required in the sandbox', async () => {
    const speaker = buildGem({
      name: 'speaker',
      version: '1.0',
      files: { 'lib/speaker.rb': `require 'greeter'\nSAYS = Greeter::SAYS\n` },
      dependencies: { greeter: '~> 1.0' },
    });
    const source = await useGemSource([speaker, greeter('1.0'), greeter('1.5'), greeter('2.0')]);
    const { install, run } = useInstaller({ registries: { ruby: source.url } });
    const plugin = usePlugin('ruby', { 'main.rb': `require 'speaker'\nputs SAYS\n` }, ['speaker:1.0']);
    expect(findMissingDependencies(plugin)).toEqual(['speaker:1.0']);
    const { result, lines } = await install(plugin);
    expect(result).toMatchObject({
      kind: 'installed',
      language: 'ruby',
      packages: [
        { name: 'greeter', version: '1.5' },
        { name: 'speaker', version: '1.0' },
      ],
    });
    expect(lines).toContain('Installing speaker-1.0');
    expect(findMissingDependencies(plugin)).toEqual([]);
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.5', stderr: '' });
  });

  test('a lock decides which version, and a wrong checksum is refused', async () => {
    const old = greeter('1.0');
    const source = await useGemSource([old, greeter('1.5')]);
    const { install, run } = useInstaller({ registries: { ruby: source.url } });
    const checksums = `\nCHECKSUMS\n  greeter (1.0) sha256=${old.sha256}\n`;
    const plugin = usePlugin('ruby', { 'main.rb': MAIN, 'Gemfile.lock': lockOf('    greeter (1.0)\n', source.url, checksums) });
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed', source: 'Gemfile.lock', locked: true });
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.0', stderr: '' });

    const wrong = lockOf('    greeter (1.5)\n', source.url, `\nCHECKSUMS\n  greeter (1.5) sha256=${old.sha256}\n`);
    const other = usePlugin('ruby', { 'main.rb': MAIN, 'Gemfile.lock': wrong });
    expect((await install(other)).result).toEqual({
      kind: 'failed',
      why: 'integrity',
      reason: 'greeter-1.5 is not what its checksum in Gemfile.lock says',
    });
    expect(existsSync(join(other.directory, '.dependencies/ruby'))).toBe(false);
  });

  test('native extensions and gem plugins run only when that is allowed', async () => {
    const native = buildGem({
      name: 'native',
      version: '1.0',
      files: { 'lib/native.rb': '', 'ext/extconf.rb': EXTCONF },
      extensions: ['ext/extconf.rb'],
    });
    const hooked = greeter('1.0', { 'lib/rubygems_plugin.rb': `File.write(File.join(__dir__, 'hooked.txt'), '')` });
    const source = await useGemSource([native, hooked]);
    const { install, run } = useInstaller({ registries: { ruby: source.url } });
    const plugin = usePlugin('ruby', { 'main.rb': `require 'ran'\nputs RAN\n` }, ['native']);
    expect((await install(plugin)).result).toEqual({
      kind: 'failed',
      why: 'refused',
      reason: 'RubyGems: native-1.0 has native extensions, which run code when they are built: --allow-scripts allows that',
    });
    expect((await install(plugin, { allowScripts: true })).result).toMatchObject({ kind: 'installed' });
    expect(await run(plugin)).toEqual({ stdout: 'true', stderr: '' });

    const other = usePlugin('ruby', {}, ['greeter']);
    expect((await install(other)).result).toMatchObject({ kind: 'installed' });
    const installed = readdirSync(join(other.directory, '.dependencies/ruby/gems/greeter-1.0/lib'));
    expect(installed.sort()).toEqual(['greeter.rb', 'rubygems_plugin.rb']);
  });

  test('gems at another host are out of reach, and the old ones stay', async () => {
    const elsewhere = await useGemSource([greeter('2.0')]);
    const bad = await useGemSource([greeter('2.0')], elsewhere.url);
    const good = await useGemSource([greeter('1.0')]);
    const plugin = usePlugin('ruby', { 'main.rb': MAIN }, ['greeter']);
    const { install, run } = useInstaller({ registries: { ruby: good.url } });
    expect((await install(plugin)).result).toMatchObject({ kind: 'installed' });
    const { result } = await useInstaller({ registries: { ruby: bad.url } }).install(plugin);
    const reason = expect.stringContaining(`127.0.0.1:${elsewhere.port} is not the registry`);
    expect(result).toMatchObject({ kind: 'failed', why: 'refused', reason });
    expect(elsewhere.requests).toEqual([]);
    expect(await run(plugin)).toEqual({ stdout: 'greeter 1.0', stderr: '' });
  });

  test('another source in the lock is refused before anything runs', async () => {
    const elsewhere = await useGemSource([greeter('1.0')]);
    const source = await useGemSource([greeter('1.0')]);
    const { install } = useInstaller({ registries: { ruby: source.url } });
    const plugin = usePlugin('ruby', { 'Gemfile.lock': lockOf('    greeter (1.0)\n', elsewhere.url) });
    expect((await install(plugin)).result).toMatchObject({
      kind: 'failed',
      why: 'refused',
      reason: expect.stringContaining(elsewhere.url),
    });
    expect([...source.requests, ...elsewhere.requests]).toEqual([]);
  });
});
