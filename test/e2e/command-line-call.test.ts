import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { runCli, startCli, usePlace, type Place } from '../helpers/built-cli.ts';
import { listDescendants, stillAlive } from '../helpers/process-tree.ts';
import { addWorkbench, buildWorkbench } from './workbench.ts';

beforeAll(async () => void (await buildWorkbench()));

/** A place whose workspace has a vault and whose vault plugin may write. */
async function useVault(): Promise<Place> {
  const place = usePlace('vault');
  await runCli(place, ['grant', 'vault', 'file_write', ...place.options]);
  const made = await runCli(place, ['vault', 'init', ...place.options]);
  expect(made).toMatchObject({ exit: 0, stderr: '' });
  return place;
}

describe('plugbridge call', { timeout: 60_000 }, () => {
  test('runs a command; results go to stdout, log lines to stderr', async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    const ran = await runCli(place, ['call', 'workbench', 'steps', ...place.options]);
    expect(ran).toEqual({ exit: 0, stdout: 'done\n', stderr: '[workbench] first\n[workbench] second\n[workbench] third\n' });
    const json = await runCli(place, [
      'call',
      'workbench',
      'say',
      '--args',
      '{"text":"a","times":2}',
      '--arg',
      'times=3',
      '--json',
      ...place.options,
    ]);
    expect(json.exit).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'ok', content: [{ type: 'text', text: 'aaa' }] });
  });

  test.for<[name: string, args: string[], exit: number, said: RegExp]>([
    [
      'an argument of the wrong type',
      ['workbench', 'say', '--arg', 'text=a', '--arg', 'times=two'],
      2,
      /--arg "times" is "two", wanted is a whole number/,
    ],
    ['an argument that is missing', ['workbench', 'say'], 2, /^DISPATCH_ARGUMENTS_INVALID: Cannot call "plugin_workbench_say": .*text/],
    ['an argument out of bounds', ['workbench', 'say', '--arg', 'text=a', '--arg', 'times=0'], 2, /"\/times" must be >= 1/],
    ['arguments that are no object', ['workbench', 'say', '--args', '[1]'], 2, /--args is "\[1\]", wanted is a JSON object/],
    ['a pair without =', ['workbench', 'say', '--arg', 'text'], 2, /--arg is "text", wanted is name=value/],
    ['a command that is not there', ['workbench', 'nothing'], 2, /CATALOG_UNKNOWN_COMMAND/],
    ['a plugin that is not there', ['nobody', 'say'], 2, /Cannot find the plugin "nobody": known are workbench \[CATALOG_UNKNOWN_PLUGIN\]/],
    ['a tool that fails', ['workbench', 'fail'], 5, /^EXECUTION_PLUGIN_FAILED: This tool intentionally/],
    ['a tool that traps', ['workbench', 'trap'], 5, /^EXECUTION_TRAPPED: .*this is a fault of the plugin/],
    [
      'a refused capability',
      ['workbench', 'write', '--arg', 'path=a', '--arg', 'text=b'],
      3,
      /Grant it with: plugbridge grant workbench file_write/,
    ],
  ])('says what is wrong with %s', async ([, args, exit, said]) => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    const ran = await runCli(place, ['call', ...args, ...place.options]);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(said);
    expect(ran.exit).toBe(exit);
  });

  test('is refused by a policy file with exit code 3', async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    const policy = join(place.base, 'policy.toml');
    writeFileSync(policy, 'wasm_execution = "deny"\n');
    const ran = await runCli(place, ['call', 'workbench', 'object', '--policy', policy, ...place.options]);
    expect(ran.exit).toBe(3);
    expect(ran.stderr).toMatch(/^DISPATCH_NOT_PERMITTED: Cannot run "plugin_workbench_object": /);
    const broken = join(place.base, 'broken.toml');
    writeFileSync(broken, 'wasm_execution = "perhaps"\n');
    expect((await runCli(place, ['call', 'workbench', 'object', '--policy', broken, ...place.options])).exit).not.toBe(0);
  });

  test('ends with everything it started when it is interrupted', async () => {
    const place = usePlace();
    await addWorkbench(place.plugins);
    const started = startCli(place, ['call', 'workbench', 'spin', ...place.options]);
    await started.heard(/\[workbench\] spinning/);
    const children = listDescendants(started.pid);
    expect(children.length).toBeGreaterThan(0);
    await started.stop('SIGINT');
    expect(started.child.exitCode).toBe(1);
    expect(started.said.stderr).toContain('DISPATCH_CANCELLED');
    await expect.poll(() => stillAlive(children), { timeout: 5_000 }).toEqual([]);
  });
});

describe('a plugin as a verb', { timeout: 60_000 }, () => {
  test('fills required parameters with words and the others with flags', async () => {
    const place = await useVault();
    const captured = await runCli(place, ['vault', 'capture', 'a thought', '--section', 'Ideas', ...place.options]);
    expect(captured.exit).toBe(0);
    expect(captured.stdout).toMatch(/^Captured to wiki\/daily\/\d{4}-\d\d-\d\d\.md under "Ideas"\n$/);
    const [, file = ''] = /to (\S+)/.exec(captured.stdout) ?? [];
    expect(readFileSync(join(place.root, file), 'utf8')).toContain('a thought');
    const found = await runCli(place, ['vault', 'query', 'thought', '--limit=1', ...place.options]);
    expect(found.stdout).toContain('1 match for "thought"');
  });

  test('shows its commands and the parameters of one', async () => {
    const place = usePlace('vault');
    const commands = await runCli(place, ['vault', '--help', ...place.options]);
    expect(commands.exit).toBe(0);
    expect(commands.stdout).toContain('Usage: plugbridge vault COMMAND');
    expect(commands.stdout).toContain('  capture ');
    const capture = await runCli(place, ['vault', 'capture', '--help', ...place.options]);
    expect(capture).toMatchObject({ exit: 0, stderr: '' });
    expect(capture.stdout).toContain('Usage: plugbridge vault capture MESSAGE [--option value]');
    expect(capture.stdout).toMatch(/--message +string +required/);
    expect(await runCli(place, ['vault', ...place.options])).toMatchObject({ exit: 0, stdout: commands.stdout });
  });

  test.for<[args: string[], said: RegExp]>([
    [['query'], /DISPATCH_ARGUMENTS_INVALID/],
    [['query', 'a', 'b'], /"b" is one word too many/],
    [['query', 'a', '--bogus', '1'], /unknown option "--bogus", known are --term --limit --json/],
    [['query', 'a', '--limit'], /option "--limit" wants a value/],
    [['nothing'], /Cannot find the command "nothing" of "vault"/],
  ])('refuses %j with exit code 2', async ([args, said]) => {
    const place = usePlace('vault');
    const ran = await runCli(place, ['vault', ...place.options, ...args]);
    expect(ran).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(said) });
  });
});

describe('grant and revoke', { timeout: 60_000 }, () => {
  test('a grant opens what it names until it is revoked', async () => {
    const place = usePlace('vault');
    const granted = await runCli(place, ['grant', 'vault', 'file_write', '--json', ...place.options]);
    expect(JSON.parse(granted.stdout)).toMatchObject({ plugin: 'vault', granted: ['write:fs:$ROOT'] });
    expect((await runCli(place, ['vault', 'init', ...place.options])).exit).toBe(0);
    const info = await runCli(place, ['info', 'vault', '--json', ...place.options]);
    expect(JSON.parse(info.stdout)).toMatchObject({ grants: ['write:fs:$ROOT'] });
    const revoked = await runCli(place, ['revoke', 'vault', '--json', ...place.options]);
    expect(JSON.parse(revoked.stdout)).toEqual({ plugin: 'vault', revoked: ['write:fs:$ROOT'] });
    expect((await runCli(place, ['vault', 'capture', 'x', ...place.options])).exit).toBe(3);
    expect((await runCli(place, ['revoke', 'vault', ...place.options])).stdout).toBe('vault held nothing of that\n');
  });

  test('a grant is void for changed content', async () => {
    const place = usePlace('vault');
    await runCli(place, ['grant', 'vault', 'file_write', ...place.options]);
    const manifest = join(place.plugins, 'vault/PLUGIN.toml');
    writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}\n# changed\n`);
    expect((await runCli(place, ['vault', 'init', ...place.options])).exit).toBe(3);
  });

  test('refuses what cannot be granted', async () => {
    const place = usePlace('vault');
    expect(await runCli(place, ['grant', 'vault', 'everything', ...place.options])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('POLICY_CAPABILITY_INVALID'),
    });
    expect((await runCli(place, ['grant', 'nobody', 'file_write', ...place.options])).exit).toBe(2);
    expect((await runCli(place, ['grant', 'vault', ...place.options])).exit).toBe(2);
  });
});

describe('trust', { timeout: 60_000 }, () => {
  test('what a workspace brings runs only when trusted, and no longer when it changed', async () => {
    const place = usePlace('vault');
    mkdirSync(join(place.root, '.plugbridge'));
    renameSync(place.plugins, join(place.root, '.plugbridge/plugins'));
    const at = ['--root', place.root];
    const call = ['vault', 'status', ...at];
    const statusOf = async (): Promise<unknown> => JSON.parse((await runCli(place, ['list', '--json', ...at])).stdout)[0].status;

    expect(await statusOf()).toBe('untrusted');
    expect(await runCli(place, call)).toMatchObject({ exit: 3, stderr: expect.stringContaining('CATALOG_NOT_CALLABLE') });
    const trusted = await runCli(place, ['trust', 'vault', '--json', ...at]);
    expect(JSON.parse(trusted.stdout)).toMatchObject({ plugin: 'vault', trusted: true });
    expect(await statusOf()).toBe('ok');
    // No vault there yet, but it ran.
    expect((await runCli(place, call)).exit).toBe(5);

    const manifest = join(place.root, '.plugbridge/plugins/vault/PLUGIN.toml');
    writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}\n`);
    expect(await statusOf()).toBe('changed');
    expect((await runCli(place, call)).exit).toBe(3);
    await runCli(place, ['trust', 'vault', ...at]);
    expect(await statusOf()).toBe('ok');
    expect((await runCli(place, ['trust', 'vault', '--revoke', ...at])).exit).toBe(0);
    expect(await statusOf()).toBe('untrusted');
    expect((await runCli(place, ['trust', 'nobody', ...at])).exit).toBe(2);
    expect(existsSync(join(place.root, 'wiki'))).toBe(false);
  });
});
