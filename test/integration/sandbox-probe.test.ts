import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { collect, describeSandbox, HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const TRUE = describeSandbox(['/usr/bin/true']);

/** A program that stands in for one of the system’s, such as bubblewrap on a machine where that cannot make namespaces. */
function useStandIn(script: string): string {
  const directory = useTmp();
  // The sandbox’s user must be able to start it.
  chmodSync(directory, 0o755);
  const path = join(directory, 'stand-in');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(!HAS_BUBBLEWRAP)('createSandbox()', () => {
  test('finds out what holds here, line by line', async ({ expect }) => {
    const sandbox = useSandbox();
    const findings = await sandbox.findings();
    const always = [
      'namespaces',
      'no network',
      'no capabilities',
      'seccomp',
      'sealed root',
      'closed first process',
      'limits per process',
      'run directory',
    ];
    for (const capability of always) expect(findings).toContainEqual(expect.objectContaining({ capability, state: 'enforced' }));
    expect(findings.map(({ capability }) => capability)).toEqual([
      ...always.slice(0, 5),
      'no nested user namespaces',
      'closed first process',
      'limits per process',
      'unprivileged user',
      'run directory',
      'control groups',
    ]);
    expect(await sandbox.tier()).toMatch(/^bwrap\+seccomp(\+cgroup)?$/);
    expect(await sandbox.findings()).toBe(findings);
  });

  test('refuses to start anything where bubblewrap cannot work, and says what to do', async ({ expect }) => {
    const bwrap = useStandIn('echo "bwrap: No permissions to create new namespace" >&2; exit 1');
    const sandbox = useSandbox({ programs: { bwrap } });
    expect(await sandbox.tier()).toBe('none');
    expect(await sandbox.findings()).toEqual([
      { capability: 'namespaces', state: 'missing', detail: 'bwrap: No permissions to create new namespace' },
    ]);
    await expect(sandbox.spawn(TRUE)).rejects.toMatchObject({
      code: 'EXECUTION_SANDBOX_MISSING',
      message:
        'Cannot run "/usr/bin/true" isolated: bubblewrap cannot isolate here: bwrap: No permissions to create new namespace; allow it unprivileged user namespaces (an AppArmor profile for bwrap or kernel.apparmor_restrict_unprivileged_userns=0; in a container, a seccomp profile that permits them)',
    });
  });

  test('is not fooled by a bubblewrap that isolates nothing', async ({ expect }) => {
    const bwrap = useStandIn('while [ "$1" != "--" ]; do shift; done; shift; exec "$@"');
    expect(await useSandbox({ programs: { bwrap } }).tier()).toBe('none');
  });

  test('does without seccomp where the kernel refuses the filter, and says so', async ({ expect }) => {
    const bwrap = useStandIn(
      'if tr "\\0" "\\n" <&3 >/tmp/$$.o && grep -qx -e --seccomp /tmp/$$.o; then rm /tmp/$$.o; echo "bwrap: prctl(PR_SET_SECCOMP)" >&2; exit 1; fi; shift 2; tr "\\n" "\\0" </tmp/$$.o >/tmp/$$.z; rm /tmp/$$.o; exec 3</tmp/$$.z; rm /tmp/$$.z; exec /usr/bin/bwrap --args 3 "$@"',
    );
    const sandbox = useSandbox({ programs: { bwrap } });
    expect(await sandbox.tier()).toBe('bwrap');
    expect(await sandbox.findings()).toContainEqual({
      capability: 'seccomp',
      state: 'missing',
      detail: `no filter for ${process.arch}, or the kernel refuses it`,
    });
  });

  test('starts without isolation only where that was asked for and there is none', async ({ expect }) => {
    const strong = useSandbox({ unboxed: 'when-missing' });
    expect(await strong.tier()).toMatch(/^bwrap/);
    const weak = useSandbox({ unboxed: 'when-missing', programs: { bwrap: '/nonexistent' } });
    expect(await weak.tier()).toBe('process');
    process.env['PLUGBRIDGE_TEST_SECRET'] = 'seeded';
    const started = await weak.spawn(
      describeSandbox(['/usr/bin/bash', '-c', 'env; ulimit -Hn; sleep 600'], {
        environment: { OWN: 'mine' },
        workingDirectory: '/nowhere',
      }),
    );
    expect(started.tier).toBe('process');
    started.stdin.end();
    // Taking one chunk alone would close the pipe, and the next line would end the program by itself.
    const [shown] = (await once(started.stdout, 'data')) as [Buffer];
    expect(String(shown)).toContain('OWN=mine');
    expect(String(shown)).not.toContain('seeded');
    await started.kill();
    expect((await started.exited).signal).toBe('SIGKILL');
    delete process.env['PLUGBRIDGE_TEST_SECRET'];
    const absent = await collect(await weak.spawn(describeSandbox(['/nonexistent/program'])));
    expect(absent).toMatchObject({ exit: { code: 127 }, stderr: expect.stringContaining('/nonexistent/program') });
  });

  test.for([
    ['that is not there', undefined],
    ['that does not know --pdeathsig, as busybox’s', 'echo "setpriv: unrecognized option: pdeathsig" >&2; exit 1'],
  ] as const)('starts without isolation also with a setpriv %s', async ([, script], { expect }) => {
    const setpriv = script === undefined ? '/nonexistent' : useStandIn(script);
    const weak = useSandbox({ unboxed: 'when-missing', programs: { bwrap: '/nonexistent', setpriv } });
    expect(await collect(await weak.spawn(describeSandbox(['/usr/bin/echo', 'fine'])))).toMatchObject({ stdout: 'fine\n', stderr: '' });
  });

  test('translates mounted paths for what it starts without isolation', async ({ expect }) => {
    const tmp = useTmp();
    writeFileSync(join(tmp, 'script.sh'), 'pwd; echo "$1"');
    const weak = useSandbox({ unboxed: 'when-missing', programs: { bwrap: '/nonexistent' } });
    const started = await weak.spawn(
      describeSandbox(['/usr/bin/bash', '/plugin/script.sh', 'x'], {
        mounts: [{ source: tmp, target: '/plugin', access: 'read' }],
        workingDirectory: '/plugin',
      }),
    );
    expect((await collect(started)).stdout).toBe(`${tmp}\nx\n`);
  });

  test('has nothing for other systems, and says so', async ({ expect }) => {
    const sandbox = useSandbox({ platform: 'win32' });
    expect(await sandbox.tier()).toBe('none');
    await expect(sandbox.spawn(TRUE)).rejects.toThrow(
      'Cannot run "/usr/bin/true" isolated: there is no sandbox for win32; use Linux with bubblewrap, or macOS',
    );
  });

  test.for([
    ['a relative program', { command: ['true'] }, 'program "true" must be an absolute path'],
    ['dots in the program', { command: ['/usr/../bin/true'] }, 'program "/usr/../bin/true" must be'],
    [
      'a missing mount',
      { mounts: [{ source: '/nowhere', target: '/in', access: 'read' }] },
      'mount source "/nowhere" must be an existing, absolute, normalised path',
    ],
    [
      'a mount through a link',
      { mounts: [{ source: '/bin', target: '/in', access: 'read' }] },
      'mount source "/bin" must be free of symbolic links',
    ],
    ['a mount over /proc', { mounts: [{ source: '/usr', target: '/proc/sys', access: 'read' }] }, 'mount target "/proc/sys" must be'],
    ['a mount over the root', { mounts: [{ source: '/usr', target: '/', access: 'write' }] }, 'mount target "/" must be'],
    ['an odd variable', { environment: { 'A=B': 'x' } }, 'environment variable "A=B" must be'],
    ['a NUL byte', { command: ['/usr/bin/true', 'a\0b'] }, 'argument "a\0b" must be free of NUL bytes'],
    ['a limit of nothing', { limits: { processes: 0 } }, 'limit processes "0" must be a positive whole number'],
    ['a broken limit', { limits: { fileBytes: 1.5 } }, 'limit fileBytes "1.5" must be'],
  ] as const)('spawn() refuses %s', async ([, over, message], { expect }) => {
    await expect(useSandbox().spawn({ ...TRUE, ...over })).rejects.toMatchObject({
      code: 'EXECUTION_SANDBOX_INVALID',
      message: expect.stringContaining(message),
    });
  });
});
