import { existsSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { runProgram, usePlace } from '../helpers/built-cli.ts';
import { REPOSITORY } from '../helpers/guest.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { cloneInto, npmEnvironment } from './clone.ts';
import { SAMPLE_CALLS } from './sample-calls.ts';

const LOADERS = [
  'bash.sh',
  'bundle.cjs',
  'check.cjs',
  'check.py',
  'check.rb',
  'check.sh',
  'gem-install.rb',
  'node.cjs',
  'python.py',
  'relay.cjs',
  'ruby.rb',
];

test('the package holds what scripts need, and what is installed from it runs TypeScript', { timeout: 300_000 }, async () => {
  const place = usePlace('json-transform');
  const clone = join(place.base, 'clone');
  cloneInto(clone);
  symlinkSync(join(REPOSITORY, 'node_modules'), join(clone, 'node_modules'));
  const environment = { ...place.environment, ...npmEnvironment() };
  const run = async (program: string, ...args: readonly string[]): Promise<string> => {
    const ran = await runProgram(program, args, { cwd: clone, environment });
    expect(ran, `${program} ${args.join(' ')}`).toMatchObject({ exit: 0 });
    return ran.stdout;
  };
  await run(process.execPath, 'scripts/build.mjs');
  const packed = JSON.parse(await run('npm', 'pack', '--json', '--ignore-scripts')) as { filename: string; files: { path: string }[] }[];
  const [{ filename, files } = { filename: '', files: [] }] = packed;
  const paths = files.map(({ path }) => path);
  expect(paths.filter((path) => path.startsWith('dist/loaders/')).toSorted()).toEqual(LOADERS.map((name) => `dist/loaders/${name}`));
  expect(paths).toEqual(
    expect.arrayContaining(['dist/cli.js', 'dist/wasm-host.js', 'plugins/csv-chart/main.py', 'plugins/json-transform/main.ts']),
  );
  expect(paths.filter((path) => /^(?:src|test|bench|node_modules)\//.test(path))).toEqual([]);

  const prefix = join(place.base, 'prefix');
  await run('npm', 'install', '--global', '--prefix', prefix, '--ignore-scripts', '--no-audit', '--no-fund', join(clone, filename));
  const installed = join(prefix, 'lib/node_modules/plugbridge');
  // What is found beside the clone must not stand in for it.
  expect([join(installed, 'node_modules/esbuild'), join(dirname(installed), 'esbuild')].some(existsSync)).toBe(true);
  if (!HAS_BUBBLEWRAP) return;
  const { args, answer } = SAMPLE_CALLS['json-transform'];
  const called = await runProgram(
    join(prefix, 'bin/plugbridge'),
    ['call', 'json-transform', 'run', '--args', JSON.stringify(args), ...place.options],
    { cwd: place.root, environment: place.environment },
  );
  expect(called).toMatchObject({ exit: 0, stderr: '' });
  expect(JSON.parse(called.stdout)).toMatchObject(answer);
});
