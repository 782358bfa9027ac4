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

describe('toSeatbeltPlan()', () => {
  const plan = toSeatbeltPlan(DESCRIPTION, '/private/scratch');
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
