import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, onTestFinished, test } from 'vitest';

import { findCgroupHome, type CgroupHome } from '../../src/executors/sandbox/cgroup.ts';
import { launchBubblewrap, type BubblewrapMachine } from '../../src/executors/sandbox/launch-bubblewrap.ts';
import { createMemoryFile } from '../../src/executors/sandbox/memory-file.ts';
import { describeOwner } from '../../src/executors/sandbox/owner.ts';
import { createSeccompFilter, isSeccompArchitecture } from '../../src/executors/sandbox/seccomp.ts';
import { DIRECT_STARTER } from '../../src/executors/sandbox/start-bubblewrap.ts';
import { readSystemLayout } from '../../src/executors/sandbox/system-layout.ts';
import { createLog } from '../../src/log.ts';
import { isRunning, listProcesses } from '../helpers/processes.ts';
import { collect, describeSandbox, HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

/** A machine whose control groups are where a test says. */
function useMachine(cgroups: CgroupHome): BubblewrapMachine {
  const seccomp = isSeccompArchitecture(process.arch) ? createMemoryFile(createSeccompFilter(process.arch)) : undefined;
  onTestFinished(() => seccomp?.close());
  return {
    programs: { bwrap: '/usr/bin/bwrap', prlimit: '/usr/bin/prlimit', timeout: '/usr/bin/timeout' },
    features: { disableUserNamespaces: false, cgroupNamespace: false, coverFirstProcess: false },
    layout: readSystemLayout(),
    seccomp,
    starter: DIRECT_STARTER,
    files: [],
    identity: undefined,
    staging: undefined,
    cgroups,
    owner: describeOwner(),
    log: createLog('silent'),
  };
}

const findHome = (): CgroupHome | undefined =>
  findCgroupHome(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
const countDescriptors = (): number => readdirSync('/proc/self/fd').length;
/** The descriptors of a start that failed close with the next turns of the event loop. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

describe.skipIf(!HAS_BUBBLEWRAP)('a sandbox whose control group fails it', () => {
  test('does not start when the group cannot be made, although the probe promised one', async ({ expect }) => {
    const nowhere = join(useTmp(), 'gone');
    const machine = useMachine({ version: 2, memory: nowhere, pids: nowhere });
    await collect(await launchBubblewrap(describeSandbox(['/usr/bin/true'], { limits: {} }), machine));
    const before = countDescriptors();
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await expect(launchBubblewrap(describeSandbox(['/usr/bin/sleep', '60']), machine)).rejects.toMatchObject({
        code: 'EXECUTION_SANDBOX_FAILED',
        message: expect.stringMatching(
          /^Cannot start "\/usr\/bin\/sleep" in the sandbox: its control group cannot be made: ENOENT: .*\/gone\/plugbridge-/,
        ),
      });
    }
    await settle();
    expect(countDescriptors()).toBeLessThanOrEqual(before);
  });

  test('is killed when it cannot join, and runs none of its command', async ({ expect }) => {
    const home = findHome();
    if (!home || (await useSandbox().tier()) !== 'bwrap+seccomp+cgroup') return;
    // The limit of processes is set in the real hierarchy; the directory that takes the place of the other holds no control files.
    const impostor = useTmp();
    const shared = useTmp();
    const machine = useMachine({ version: home.version, memory: impostor, pids: home.pids });
    const mark = `4711.${process.pid}`;
    const description = describeSandbox(['/usr/bin/bash', '-c', `touch /out/ran; exec sleep ${mark}`], {
      limits: { processes: 16 },
      mounts: [{ source: shared, target: '/out', access: 'write' }],
    });
    await expect(launchBubblewrap(description, machine)).rejects.toMatchObject({
      code: 'EXECUTION_SANDBOX_FAILED',
      message: expect.stringMatching(
        /^Cannot start "\/usr\/bin\/bash" in the sandbox: it cannot join its control group: ENOENT: .*cgroup\.procs'$/,
      ),
    });
    expect(existsSync(join(shared, 'ran'))).toBe(false);
    expect(listProcesses().filter(({ commandLine }) => commandLine.includes(mark))).toEqual([]);
    expect([...readdirSync(impostor), ...readdirSync(home.pids)].filter((name) => name.startsWith(`plugbridge-${process.pid}.`))).toEqual(
      [],
    );
  });

  test('tells itself why when it is gone before it can join', async ({ expect }) => {
    const home = findHome();
    if (!home || (await useSandbox().tier()) !== 'bwrap+seccomp+cgroup') return;
    const started = await launchBubblewrap(describeSandbox(['/usr/bin/true'], { workingDirectory: '/nowhere' }), useMachine(home));
    const { exit, stderr } = await collect(started);
    expect(exit.cause).toBe('setup');
    expect(stderr).toContain('/nowhere');
    expect(isRunning(started.pid)).toBe(false);
  });
});
