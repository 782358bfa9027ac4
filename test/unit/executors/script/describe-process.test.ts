import fc from 'fast-check';
import { describe, test } from 'vitest';

import type { Execution } from '../../../../src/executors/executor.ts';
import type { SandboxMount } from '../../../../src/executors/sandbox/sandbox.ts';
import { layerMounts } from '../../../../src/executors/sandbox/granted-mounts.ts';
import { describeProcess, routeThroughRelay, RUN_DIRECTORY } from '../../../../src/executors/script/describe-process.ts';
import { SCRIPT_LIMITS, type ScriptRuntime } from '../../../../src/manifest/plugin.ts';

const MIB = 1024 * 1024;
const read = (target: string): SandboxMount => ({ source: target, target, access: 'read' });

const execution = (over: Partial<Execution<ScriptRuntime>> = {}): Execution<ScriptRuntime> => ({
  callId: 'secret-call-id',
  plugin: { id: 'p', system: 's', name: 'The plugin', version: '1', digest: 'sha256:x', directory: '/plugins/p', files: {} },
  runtime: {
    kind: 'script',
    language: 'python',
    main: 'main.py',
    input: 'stdin',
    variables: { X_NAME: 'plugin-name', X_OUT: 'run-directory', X_DATA: 'data-directory', X_DIR: 'plugin-directory', X_COMMAND: 'command' },
    dependencies: [],
  },
  command: 'run',
  arguments: { secret: 'argument' },
  paths: { root: '/root-of-files', plugin: '/plugins/p', data: '/data/p' },
  permissions: [],
  environment: {},
  limits: SCRIPT_LIMITS,
  ...over,
});
const parts = {
  program: '/usr/bin/python3',
  mainFile: '/plugins/p/main.py',
  granted: [read('/plugins/p'), { source: '/data/p', target: '/data/p', access: 'write' as const }],
  mounts: [],
  loadersDirectory: '/ours/loaders',
};

describe('describeProcess()', () => {
  test('names everything that the script may see, and nothing of the call itself', ({ expect }) => {
    const description = describeProcess(execution({ environment: { API_KEY: 'k', PATH: '/evil', X_NAME: 'other' } }), parts);
    expect(description.mounts.map(({ target, access }) => `${access} ${target}`)).toEqual([
      'write /data/p',
      'read /plugins/p',
      'read /ours/loaders/python.py',
    ]);
    expect(description.workingDirectory).toBe(RUN_DIRECTORY);
    expect(description.environment).toMatchObject({
      API_KEY: 'k',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/tmp',
      TMPDIR: '/tmp',
      LANG: 'C.UTF-8',
      X_NAME: 'The plugin',
      X_OUT: RUN_DIRECTORY,
      X_DATA: '/data/p',
      X_DIR: '/plugins/p',
      X_COMMAND: 'run',
    });
    // What differs from call to call would keep spares from being used.
    expect(JSON.stringify(description)).not.toMatch(/secret|lifetime/);
    expect(describeProcess(execution({ environment: {} }), parts)).toEqual(
      describeProcess(execution({ callId: 'x', arguments: {} }), parts),
    );
  });

  test('limits memory by the language, and the run directory by the memory', ({ expect }) => {
    const node = execution({ runtime: { ...execution().runtime, language: 'node' }, limits: { ...SCRIPT_LIMITS, memoryBytes: 64 * MIB } });
    const { limits, runDirectory } = describeProcess(node, parts);
    expect(limits).toMatchObject({
      memoryBytes: 64 * MIB,
      dataBytes: (64 + 1024) * MIB,
      processes: 64,
      descriptors: 256,
      fileBytes: 64 * MIB,
    });
    expect(limits.cpuSeconds).toBeGreaterThanOrEqual(60);
    expect(runDirectory).toEqual({ path: RUN_DIRECTORY, maxBytes: 32 * MIB });
    expect(describeProcess(execution(), parts).runDirectory?.maxBytes).toBe(256 * MIB);
  });
});

test('routeThroughRelay() puts the relay and the socket of this process before the same command', ({ expect }) => {
  const description = describeProcess(execution(), parts);
  const routed = routeThroughRelay(description, {
    language: 'python',
    program: '/usr/bin/node',
    mounts: [],
    loadersDirectory: '/ours/loaders',
    socketFile: '/tmp/d/s',
  });
  expect(routed.command).toEqual([
    '/usr/bin/node',
    '/ours/loaders/relay.cjs',
    '/tmp/d/s',
    '3128',
    String(description.limits.dataBytes),
    '--',
    ...description.command,
  ]);
  expect(routed.mounts).toContainEqual(read('/tmp/d/s'));
  expect(routed.environment).toMatchObject({
    http_proxy: 'http://127.0.0.1:3128',
    HTTPS_PROXY: 'http://127.0.0.1:3128',
    X_NAME: 'The plugin',
  });
  expect(routed.limits.dataBytes).toBe((512 + 1024) * MIB);
});

describe('layerMounts()', () => {
  const mount = fc.record({
    target: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
    source: fc.constant('/x'),
    access: fc.constantFrom<SandboxMount['access']>('read', 'write', 'none'),
  });

  test('puts parents before what is in them, each target once, ours over what was granted', ({ expect }) => {
    fc.assert(
      fc.property(fc.array(mount), fc.array(mount), (granted, ours) => {
        const layered = layerMounts({ granted, own: ours });
        const targets = layered.map(({ target }) => target);
        expect(new Set(targets).size).toBe(targets.length);
        for (const [index, target] of targets.entries()) {
          for (const later of targets.slice(index + 1)) expect(target.startsWith(`${later}/`)).toBe(false);
        }
        for (const one of ours)
          expect(layered.find(({ target }) => target === one.target)).toEqual(ours.findLast(({ target }) => target === one.target));
      }),
    );
  });

  test('does not depend on the order of what it is given', ({ expect }) => {
    const unique = fc.uniqueArray(mount, { selector: ({ target }) => target });
    fc.assert(
      fc.property(unique, (mounts) => {
        expect(layerMounts({ granted: mounts })).toEqual(layerMounts({ granted: mounts.toReversed() }));
      }),
    );
  });
});
