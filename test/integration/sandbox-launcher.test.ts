import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, test, vi } from 'vitest';

import { createLauncherStarter } from '../../src/executors/sandbox/launcher-starter.ts';
import { describeOwner, tryReadStat } from '../../src/executors/sandbox/owner.ts';
import { DIRECT_STARTER } from '../../src/executors/sandbox/start-bubblewrap.ts';
import { createLog } from '../../src/log.ts';
import { bundleProgram } from '../helpers/bundle.ts';
import { findOwned } from '../helpers/process-tree.ts';
import { isRunning, listProcesses } from '../helpers/processes.ts';
import { collect, describeSandbox, HAS_BUBBLEWRAP, runBash, runPython, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const HAS_LAUNCHER = HAS_BUBBLEWRAP && readdirSync('/bin').includes('bash');
const ECHO = ['/usr/bin/printf', '%s\\0'];

/** The launchers of a process, but not what they have forked. */
const listLaunchers = (server = process.pid): number[] =>
  listProcesses()
    .filter(({ parent, commandLine }) => parent === server && commandLine.includes('plugbridge-launcher'))
    .map(({ pid }) => pid);
const parentOf = (pid: number): number | undefined => tryReadStat(pid)?.parent;
const listChildren = (pid: number): number[] => listProcesses().flatMap((each) => (each.parent === pid ? [each.pid] : []));
const countDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(!HAS_LAUNCHER)('a sandbox that a launcher starts', () => {
  test('is no child of the server', async ({ expect }) => {
    const sandbox = useSandbox();
    const started = await sandbox.spawn(describeSandbox(['/usr/bin/cat']));
    expect(listLaunchers()).toContain(parentOf(started.pid));
    expect(tryReadStat(started.pid)?.group).toBe(started.pid);
    expect(readFileSync(`/proc/${started.pid}/environ`, 'latin1')).toBe('');
    expect(await collect(started, 'through')).toEqual({ stdout: 'through', stderr: '', exit: { code: 0, signal: null } });
  });

  test('gets the words of its command unchanged', { timeout: 60_000 }, async ({ expect }) => {
    const sandbox = useSandbox();
    const awkward = fc.constantFrom(
      '',
      ' ',
      '$(id)',
      '`id`',
      '*',
      '/*',
      '~',
      '"',
      "'",
      '\\',
      '\n',
      'a\nb',
      '\t',
      '-n',
      '\u{1f600}',
      '\x01',
      '\x7f',
      'é',
    );
    const word = fc
      .oneof(awkward, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }))
      .filter((text) => !text.includes('\0') && !text.includes('\x1f'));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 20 }), async (words) => {
        const started = await sandbox.spawn(describeSandbox([...ECHO, ...words]));
        expect((await collect(started)).stdout).toBe(words.map((each) => `${each}\0`).join(''));
      }),
      { numRuns: 30 },
    );
  });

  test('is started by the server itself when its words hold what parts them', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox([...ECHO, 'a\x1fb', '']));
    expect(parentOf(started.pid)).toBe(process.pid);
    expect((await collect(started)).stdout).toBe('a\x1fb\0\0');
  });

  test('gets words and an environment beyond what a pipe holds', async ({ expect }) => {
    const word = 'w'.repeat(100_000);
    const ran = await collect(await useSandbox().spawn(describeSandbox([...ECHO, word], { environment: { BIG: word, MORE: word } })));
    expect(ran.stdout).toBe(`${word}\0`);
  });

  test('has three descriptors, blocking ones, no signals ignored, and sees nothing of the launcher', async ({ expect }) => {
    const { closeInheritedDescriptors } = await import('../../src/executors/sandbox/inherited-descriptors.ts');
    closeInheritedDescriptors();
    const sandbox = useSandbox();
    const others = await Promise.all([1, 2, 3].map(() => sandbox.spawn(describeSandbox(['/usr/bin/sleep', '600']))));
    const ran = await runPython(
      sandbox,
      `
import fcntl, os
print(sorted(int(f) for f in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + f) or int(f) < 3))
print([fcntl.fcntl(f, fcntl.F_GETFL) & os.O_NONBLOCK for f in (0, 1, 2)], os.getcwd(), os.getsid(0))
`,
    );
    expect(ran.stdout).toBe('[0, 1, 2]\n[0, 0, 0] /tmp 0\n');
    const signals = await runBash(sandbox, 'grep -E "^Sig(Blk|Ign)" /proc/self/status; tr "\\0" "\\n" </proc/*/cmdline | grep -c launcher');
    expect(signals.stdout).toMatch(/^SigBlk:\s0+\nSigIgn:\s0+\n0\n$/);
    await Promise.all(others.map((other) => other.kill()));
  });

  test('ends with its launcher when somebody kills that, and the next starts from another', async ({ expect }) => {
    const sandbox = useSandbox();
    const started = await Promise.all(Array.from({ length: 5 }, () => sandbox.spawn(describeSandbox(['/usr/bin/sleep', '600']))));
    const launcher = parentOf(started[0]?.pid ?? 0) ?? 0;
    const starting = Array.from({ length: 5 }, () => sandbox.spawn(describeSandbox(['/usr/bin/true'])));
    process.kill(launcher, 'SIGKILL');
    for (const { exited } of started) expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    for (const each of starting) {
      const { exit } = await collect(await each);
      expect([0, null]).toContain(exit.code);
    }
    expect((await runBash(sandbox, 'echo fine')).stdout).toBe('fine\n');
    expect(listLaunchers()).not.toContain(launcher);
    for (const { pid } of started) expect(isRunning(pid)).toBe(false);
  });

  test('names the signal that ended bubblewrap itself', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/sleep', '600']));
    process.kill(started.pid, 'SIGTERM');
    expect(await started.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('starts 50 at once', { timeout: 60_000 }, async ({ expect }) => {
    const sandbox = useSandbox();
    const said = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, index) => (await collect(await sandbox.spawn(describeSandbox([...ECHO, String(index)])))).stdout,
      ),
    );
    expect(said).toEqual(Array.from({ length: 50 }, (_, index) => `${index}\0`));
  });

  test('leaves nothing of 200 starts, and close() nothing at all', { timeout: 120_000 }, async ({ expect }) => {
    const before = listLaunchers();
    const sandbox = useSandbox();
    const rounds = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round += 1) {
        await Promise.all(
          Array.from({ length: 5 }, async (_, index) => {
            const started = await sandbox.spawn(describeSandbox(index === 0 ? ['/usr/bin/sleep', '600'] : ['/usr/bin/true']));
            if (index === 0) await started.kill();
            else expect((await collect(started)).exit.code).toBe(0);
          }),
        );
      }
    };
    await rounds(2);
    const launcher = listLaunchers().find((pid) => !before.includes(pid)) ?? 0;
    await vi.waitFor(() => expect(listChildren(launcher).length).toBeLessThanOrEqual(1));
    const descriptors = countDescriptors();
    await rounds(38);
    // One that waits for the next start.
    await vi.waitFor(() => expect(listChildren(launcher).length).toBeLessThanOrEqual(1));
    await vi.waitFor(() => expect(countDescriptors()).toBeLessThanOrEqual(descriptors));
    const kept = listProcesses().filter(({ pid }) => pid === launcher || parentOf(pid) === launcher);
    await sandbox.close();
    await vi.waitFor(() => expect(kept.filter(({ pid }) => isRunning(pid))).toEqual([]));
  });

  test('has a launcher with no environment but its mark, in a session of its own', async ({ expect }) => {
    const sandbox = useSandbox();
    const started = await sandbox.spawn(describeSandbox(['/usr/bin/cat']));
    const launcher = parentOf(started.pid) ?? 0;
    expect(readFileSync(`/proc/${launcher}/environ`, 'latin1')).toBe(`PLUGBRIDGE_OWNER=${describeOwner()}\0`);
    expect(readlinkSync(`/proc/${launcher}/cwd`)).toBe('/');
    expect(readFileSync(`/proc/${launcher}/stat`, 'latin1').split(') ')[1]?.split(' ').slice(2, 4)).toEqual([
      String(launcher),
      String(launcher),
    ]);
    await started.kill();
  });

  test('is gone with a server that is killed, running or starting, though nobody sweeps', { timeout: 60_000 }, async ({ expect }) => {
    const program = await bundleProgram(join(import.meta.dirname, '../fixtures/sandbox-server.ts'), useTmp());
    for (const waitMs of [0, 2, 5, 10]) {
      const server = spawn(process.execPath, [program, 'many'], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(server.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const servers = new Set([server.pid ?? 0]);
      expect(findOwned(servers).length).toBeGreaterThan(20);
      server.kill('SIGKILL');
      await once(server, 'exit');
      await vi.waitFor(() => expect(findOwned(servers)).toEqual([]), { timeout: 5000 });
    }
  });
});

test.skipIf(!HAS_LAUNCHER)('where no launcher can be started, the server starts sandboxes itself', async ({ expect }) => {
  const words = ['/bin/sh', '-c', 'echo said; exit 3'];
  // Neither is a shell that makes slots: one ends at once, one is none, one does not exist.
  for (const shell of ['/usr/bin/true', '/usr/bin/env', '/nonexistent/bash']) {
    const starter = createLauncherStarter({ shell, files: [], owner: describeOwner(), fallback: DIRECT_STARTER, log: createLog('silent') });
    for (let round = 0; round < 3; round += 1) {
      const started = await starter.start({ words, options: '', files: [], groups: [], staged: false, identity: undefined });
      expect(parentOf(started.pid)).toBe(process.pid);
      let said = '';
      started.pipes.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      expect(await started.ended).toEqual({ code: 3, signal: null });
      await vi.waitFor(() => expect(said).toBe('said\n'));
      started.pipes.stdin.destroy();
      started.release();
    }
    await starter.close();
  }
});
