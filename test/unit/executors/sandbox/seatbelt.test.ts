import { execFileSync } from 'node:child_process';

import { describe, test } from 'vitest';

import type { SandboxDescription } from '../../../../src/executors/sandbox/sandbox.ts';
import { toSeatbeltPlan, toUlimitCommand } from '../../../../src/executors/sandbox/seatbelt.ts';

const DESCRIPTION: SandboxDescription = {
  command: ['/usr/bin/python3', '/plugin/run.py', '/tmp/x'],
  mounts: [
    { source: '/Users/a/root', target: '/Users/a/root', access: 'write' },
    { source: '/Users/a/root/pl"ug\\in', target: '/plugin', access: 'read' },
  ],
  workingDirectory: '/tmp',
  environment: { HOME: '/tmp', OWN: 'mine' },
  limits: {},
};

const STAND_INS = { scratch: '/private/scratch', run: '/private/run' };

describe('toSeatbeltPlan()', () => {
  const plan = toSeatbeltPlan(DESCRIPTION, STAND_INS);
  const rules = plan.profile.split('\n');

  test('denies by default and never opens the network', ({ expect }) => {
    expect(rules.slice(0, 2)).toEqual(['(version 1)', '(deny default)']);
    expect(rules).toContain('(deny network*)');
    expect(rules.filter((rule) => rule.includes('allow network'))).toEqual([]);
  });

  test('grants what is mounted, quoted, and seals what is mounted read-only inside', ({ expect }) => {
    const quoted = '(subpath "/Users/a/root/pl\\"ug\\\\in")';
    expect(rules.find((rule) => rule.startsWith('(allow file-read* '))).toContain(quoted);
    const written = rules.findIndex((rule) => rule === '(allow file-write* (subpath "/private/scratch") (subpath "/Users/a/root"))');
    const sealed = rules.indexOf(`(deny file-write* ${quoted})`);
    expect(written).toBeGreaterThan(0);
    expect(sealed).toBeGreaterThan(written);
  });

  test('balances its parentheses outside of strings', ({ expect }) => {
    const bare = plan.profile.replace(/"(?:[^"\\]|\\.)*"/g, '');
    expect(bare.split('(').length).toBe(bare.split(')').length);
  });

  test('turns paths of the sandbox into those of the host', ({ expect }) => {
    expect(plan.command).toEqual(['/usr/bin/python3', '/Users/a/root/pl"ug\\in/run.py', '/private/scratch/x']);
    expect(plan.workingDirectory).toBe('/private/scratch');
    expect(plan.environment).toEqual({ HOME: '/private/scratch', OWN: 'mine', TMPDIR: '/private/scratch' });
  });
});

test('toSeatbeltPlan() puts the run directory elsewhere, and says so wherever it is named', ({ expect }) => {
  const { command, workingDirectory, environment, profile } = toSeatbeltPlan(
    {
      ...DESCRIPTION,
      command: ['/usr/bin/python3', '/run/files/x', '/run/filesystem'],
      workingDirectory: '/run/files',
      environment: { OUT: '/run/files', LOG: '/run/files/log', OWN: 'in /run/files' },
      runDirectory: { path: '/run/files', maxBytes: 4096 },
    },
    STAND_INS,
  );
  expect({ command, workingDirectory, environment }).toEqual({
    command: ['/usr/bin/python3', '/private/run/x', '/run/filesystem'],
    workingDirectory: '/private/run',
    environment: { OUT: '/private/run', LOG: '/private/run/log', OWN: 'in /run/files', TMPDIR: '/private/scratch' },
  });
  expect(profile).toMatch(/^\(allow file-write\* .*"\/private\/run"/m);
});

test('toSeatbeltPlan() denies what is covered and opens what is mounted inside it again', ({ expect }) => {
  const mount = (path: string, access: 'read' | 'write' | 'none') => ({ source: path, target: path, access });
  const mounts = [mount('/u/a', 'write'), mount('/u/a/.env', 'none'), mount('/u/a/ours', 'none'), mount('/u/a/ours/data', 'write')];
  const rules = toSeatbeltPlan({ ...DESCRIPTION, mounts }, STAND_INS).profile.split('\n');
  expect(rules.find((rule) => rule.startsWith('(allow file-read* '))).not.toContain('.env');
  const order = [
    '(deny file-read* file-write* (subpath "/u/a/.env"))',
    '(deny file-read* file-write* (subpath "/u/a/ours"))',
    '(allow file-read* file-write* (subpath "/u/a/ours/data"))',
  ].map((rule) => rules.indexOf(rule));
  expect(order).toEqual(order.toSorted((one, other) => one - other));
  expect(order).not.toContain(-1);
});

test('toUlimitCommand() sets the limits and passes arguments untouched', ({ expect }) => {
  const run = (limits: SandboxDescription['limits']): string => {
    const [program = '', ...args] = toUlimitCommand(
      ['/bin/sh', '-c', 'ulimit -n; ulimit -f; ulimit -t; echo "$1"', 'sh', '$(id) "x" *'],
      limits,
    );
    return execFileSync(program, args, { encoding: 'utf8' });
  };
  expect(run({ descriptors: 50, fileBytes: 1025, cpuSeconds: 7 })).toBe('50\n3\n7\n$(id) "x" *\n');
  expect(run({})).toContain('$(id) "x" *\n');
});
