import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import type { SandboxDescription } from '../../src/executors/sandbox/sandbox.ts';
import { bundleProgram } from '../helpers/bundle.ts';
import { collect, describeSandbox, HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const RUN = '/run/plugbridge-test';

/** Bash in a run directory of 64 KiB; ends with its input. */
const inRunDirectory = (script: string, over: Partial<SandboxDescription> = {}): SandboxDescription =>
  describeSandbox(['/usr/bin/bash', '-c', `${script}\nread -r line`], {
    workingDirectory: RUN,
    runDirectory: { path: RUN, maxBytes: 65_536 },
    ...over,
  });

const countDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(!HAS_BUBBLEWRAP)('a run directory', () => {
  test('is empty, private, writable and bounded, and the process begins in it', async ({ expect }) => {
    const script = 'pwd; stat -c %a .; ls -A; echo small > small && cat small; head -c 100000 /dev/zero > large; echo $?; touch ../beside';
    const ran = await collect(await useSandbox().spawn(inRunDirectory(script)));
    expect(ran.stdout).toBe(`${RUN}\n700\nsmall\n1\n`);
    expect(ran.stderr).toMatch(/No space left on device[\s\S]*Read-only file system/);
  });

  test('can be read once every process of it is dead, for as long as it is held', async ({ expect }) => {
    const started = await useSandbox().spawn(
      inRunDirectory('mkdir -p a/b; echo kept > a/b/file; ln -s /etc/hostname link; echo there; sleep 60'),
    );
    const held = started.holdRunDirectory();
    const again = started.holdRunDirectory();
    await new Promise((resolve) => started.stdout.once('data', resolve));
    await started.kill();
    expect(readdirSync(held.path).sort()).toEqual(['a', 'link']);
    expect(readFileSync(join(held.path, 'a/b/file'), 'utf8')).toBe('kept\n');
    held.close();
    held.close();
    expect(existsSync(held.path)).toBe(false);
    expect(readFileSync(join(again.path, 'a/b/file'), 'utf8')).toBe('kept\n');
    again.close();
  });

  test('is of one process alone', async ({ expect }) => {
    const sandbox = useSandbox();
    const [one, other] = await Promise.all([1, 2].map((mark) => sandbox.spawn(inRunDirectory(`echo ${mark} > ${mark}; echo there`))));
    if (!one || !other) throw new Error('they did not start');
    await Promise.all([one, other].map(({ stdout }) => new Promise((resolve) => stdout.once('data', resolve))));
    const held = [one, other].map((started) => started.holdRunDirectory());
    expect(held.map(({ path }) => readdirSync(path))).toEqual([['1'], ['2']]);
    for (const directory of held) directory.close();
    expect(existsSync(RUN)).toBe(false);
    await Promise.all([one.kill(), other.kill()]);
  });

  test('cannot be held where there is none, or when it is gone', async ({ expect }) => {
    const sandbox = useSandbox();
    const without = await sandbox.spawn(describeSandbox(['/usr/bin/cat']));
    const failure = expect.objectContaining({
      code: 'EXECUTION_SANDBOX_FAILED',
      message: expect.stringContaining('it has no run directory'),
    });
    expect(() => without.holdRunDirectory()).toThrow(failure);
    await without.kill();
    const gone = await sandbox.spawn(inRunDirectory(''));
    await collect(gone);
    expect(() => gone.holdRunDirectory()).toThrow(failure);
  });

  test('starts also what ends at once', async ({ expect }) => {
    const sandbox = useSandbox();
    const run = { workingDirectory: RUN, runDirectory: { path: RUN, maxBytes: 4096 } };
    for (let round = 0; round < 5; round += 1) {
      const ran = await collect(await sandbox.spawn(describeSandbox(['/usr/bin/true'], run)));
      expect(ran.exit.code).toBe(0);
    }
    const failed = await collect(await sandbox.spawn(describeSandbox(['/usr/bin/nonexistent'], run)));
    expect(failed.exit.code).toBe(127);
  });

  test('leaves no descriptor, however often it is held', async ({ expect }) => {
    const sandbox = useSandbox();
    await collect(await sandbox.spawn(inRunDirectory('')));
    const before = countDescriptors();
    const started = await sandbox.spawn(inRunDirectory(''));
    for (let round = 0; round < 200; round += 1) started.holdRunDirectory().close();
    await started.kill();
    for (let round = 0; round < 5; round += 1) await collect(await sandbox.spawn(inRunDirectory('')));
    // The pipes that are made ahead come and go by threes.
    expect(countDescriptors()).toBeLessThanOrEqual(before + 12);
  });

  test('can be held by a server without privileges', async ({ expect }) => {
    if (process.getuid?.() !== 0) return;
    const directory = useTmp();
    chmodSync(directory, 0o755);
    const outfile = await bundleProgram(join(import.meta.dirname, '../fixtures/sandbox-run-directory.ts'), directory);
    const shown = execFileSync(process.execPath, [outfile], { encoding: 'utf8', uid: 65534, gid: 65534, env: {}, cwd: '/' });
    expect(shown).toBe('65534 kept\n');
  });

  test('is a temporary directory where nothing isolates, named alike in command, directory and environment', async ({ expect }) => {
    const sandbox = useSandbox({ unboxed: 'when-missing', programs: { bwrap: '/nonexistent' } });
    const started = await sandbox.spawn({
      ...inRunDirectory('pwd; echo "$OUT"; echo kept > "$1/file"; echo there', {
        environment: { PATH: '/usr/bin:/bin', OUT: `${RUN}/sub` },
      }),
      command: ['/usr/bin/bash', '-c', 'pwd; echo "$OUT"; echo kept > "$1/file"; read -r line', 'bash', RUN],
    });
    const held = started.holdRunDirectory();
    const { stdout } = await collect(started);
    expect(stdout).toBe(`${held.path}\n${held.path}/sub\n`);
    expect(statSync(held.path).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(held.path, 'file'), 'utf8')).toBe('kept\n');
    held.close();
    await expect.poll(() => existsSync(held.path)).toBe(false);
    const unheld = await sandbox.spawn(inRunDirectory('pwd'));
    const place = (await collect(unheld)).stdout.trim();
    expect(place).toContain('plugbridge-');
    expect(existsSync(place)).toBe(false);
  });

  test.for([
    ['no absolute path', 'run', 'an absolute, normalised path'],
    ['the root', '/', 'an absolute, normalised path'],
    ['a directory of the system', '/usr/run', 'outside of the system’s directories'],
    ['the temporary directory', '/tmp', 'outside of the system’s directories'],
    ['the kernel’s', '/proc/run', 'outside of the system’s directories'],
  ] as const)('cannot be %s', async ([, path, wanted], { expect }) => {
    await expect(useSandbox().spawn(inRunDirectory('', { runDirectory: { path, maxBytes: 4096 } }))).rejects.toMatchObject({
      code: 'EXECUTION_SANDBOX_INVALID',
      message: expect.stringContaining(wanted),
    });
  });

  test('cannot overlap a mount, nor have no size', async ({ expect }) => {
    const tmp = useTmp();
    const sandbox = useSandbox();
    const mounts = (target: string) => [{ source: tmp, target, access: 'read' as const }];
    for (const target of [RUN, `${RUN}/below`, '/run']) {
      await expect(sandbox.spawn(inRunDirectory('', { mounts: mounts(target) }))).rejects.toThrow('neither inside a mount nor around one');
    }
    await expect(sandbox.spawn(inRunDirectory('', { runDirectory: { path: RUN, maxBytes: 0 } }))).rejects.toThrow('positive whole number');
  });
});
