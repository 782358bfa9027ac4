import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

import { describe, test } from 'vitest';

import { describeSandbox, HAS_BUBBLEWRAP, runBash, useSandbox } from '../helpers/sandbox.ts';

/** Five daemons in sessions of their own that ignore every polite signal, then a word to say that they run. */
const DAEMONS = (mark: string): string =>
  `trap '' TERM HUP INT; for i in 1 2 3 4 5; do setsid bash -c 'trap "" TERM HUP INT; exec -a ${mark} sleep 600' & done; sleep 0.1; echo started; sleep 600`;

const findByMark = (mark: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(mark);
    } catch {
      return false;
    }
  });

describe.skipIf(!HAS_BUBBLEWRAP)('a sandboxed process', () => {
  test('kill() takes daemons in sessions of their own along, in time', async ({ expect }) => {
    const mark = `daemon-${process.pid}-kill`;
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/bash', '-c', DAEMONS(mark)]));
    await once(started.stdout, 'data');
    expect(findByMark(mark)).toHaveLength(5);
    const before = performance.now();
    await started.kill();
    expect(performance.now() - before).toBeLessThan(500);
    expect(findByMark(mark)).toEqual([]);
    expect((await started.exited).signal).toBe('SIGKILL');
    await started.kill();
  });

  test('leaves no daemon behind when its command ends', async ({ expect }) => {
    const mark = `daemon-${process.pid}-end`;
    const ran = await runBash(useSandbox(), DAEMONS(mark).replace('; sleep 600', ''));
    expect(ran.stdout).toBe('started\n');
    expect(findByMark(mark)).toEqual([]);
  });

  test('ends although a grandchild holds its output', async ({ expect }) => {
    const ran = await runBash(useSandbox(), 'sleep 600 & echo said; exit 3');
    expect(ran).toEqual({ stdout: 'said\n', stderr: '', exit: { code: 3, signal: null } });
  });

  test('ends at its lifetime without the server’s help', async ({ expect }) => {
    const ran = await runBash(useSandbox(), "trap '' TERM; setsid sleep 600 & sleep 600", { lifetimeSeconds: 1 });
    expect(ran.exit.code).toBe(137);
  });

  test('settles though nobody reads what it writes', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/yes']));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await started.kill();
    expect((await started.exited).signal).toBe('SIGKILL');
    expect(started.stdout.destroyed).toBe(true);
  });

  test('settles at once when it ends and nobody reads', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/echo', 'unread']));
    const before = performance.now();
    expect((await started.exited).code).toBe(0);
    expect(performance.now() - before).toBeLessThan(1500);
  });

  test('stays unharmed when its input is closed early', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/true']));
    started.stdin.write(Buffer.alloc(4 * 1024 * 1024));
    started.stdout.resume();
    started.stderr.resume();
    expect((await started.exited).code).toBe(0);
  });

  test('says when the sandbox itself could not be made', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/true'], { workingDirectory: '/nowhere' }));
    expect((await started.exited).cause).toBe('setup');
  });

  test('leaves nothing behind when killed at any moment of its start, 200 times', { timeout: 120_000 }, async ({ expect }) => {
    const sandbox = useSandbox();
    await sandbox.tier();
    const owner = `PLUGBRIDGE_OWNER\0${process.pid}:`;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const started = await sandbox.spawn(describeSandbox(['/usr/bin/sleep', '600']));
          await new Promise((resolve) => setTimeout(resolve, (index + round) % 7));
          await started.kill();
        }),
      );
    }
    const left = readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(owner);
      } catch {
        return false;
      }
    });
    expect(left).toEqual([]);
    expect(readdirSync(`/proc/self/fd`).length).toBeLessThan(100);
  });

  test('close() kills everything and lets nothing start after it', async ({ expect }) => {
    const sandbox = useSandbox();
    const started = await Promise.all([1, 2, 3].map(() => sandbox.spawn(describeSandbox(['/usr/bin/sleep', '600']))));
    const late = sandbox.spawn(describeSandbox(['/usr/bin/sleep', '600']));
    await Promise.all([sandbox.close(), late.catch(() => {})]);
    for (const { exited } of started) expect((await exited).signal).toBe('SIGKILL');
    await expect(late).rejects.toMatchObject({
      code: 'EXECUTION_SANDBOX_FAILED',
      message: 'Cannot start "/usr/bin/sleep" in the sandbox: the sandbox is closed',
    });
    await expect(sandbox.spawn(describeSandbox(['/usr/bin/true']))).rejects.toMatchObject({ code: 'EXECUTION_SANDBOX_FAILED' });
  });
});
