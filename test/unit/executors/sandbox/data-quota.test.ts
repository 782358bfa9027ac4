import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { makeDataDirectory, measureDirectory, watchDirectorySize } from '../../../../src/executors/sandbox/data-quota.ts';
import { findIdentity } from '../../../../src/executors/sandbox/identity.ts';
import { useTmp } from '../../../helpers/tmp.ts';

const LIMITS = { maxBytes: 1_000_000, maxEntries: 100 };
const KIB = 1024;

describe('measureDirectory()', () => {
  test('counts what lies on the disk, at any depth, each file once', async ({ expect }) => {
    const tmp = useTmp();
    mkdirSync(join(tmp, 'a/b'), { recursive: true });
    writeFileSync(join(tmp, 'one'), Buffer.alloc(64 * KIB, 1));
    writeFileSync(join(tmp, 'a/b/two'), Buffer.alloc(32 * KIB, 1));
    linkSync(join(tmp, 'one'), join(tmp, 'a/again'));
    symlinkSync('/usr', join(tmp, 'a/elsewhere'));
    writeFileSync(join(tmp, 'hole'), '');
    truncateSync(join(tmp, 'hole'), 1_000_000_000);
    const size = await measureDirectory(tmp, LIMITS);
    expect(size).toMatchObject({ entries: 7, isOver: false });
    expect(size.bytes).toBeGreaterThanOrEqual(96 * KIB);
    expect(size.bytes).toBeLessThan(128 * KIB);
  });

  test('stops where a limit is passed', async ({ expect }) => {
    const tmp = useTmp();
    for (let index = 0; index < 20; index += 1) writeFileSync(join(tmp, String(index)), Buffer.alloc(8 * KIB, 1));
    expect(await measureDirectory(tmp, { ...LIMITS, maxEntries: 10 })).toMatchObject({ entries: 11, isOver: true });
    expect(await measureDirectory(tmp, { ...LIMITS, maxBytes: 20 * KIB })).toMatchObject({ entries: 3, isOver: true });
    expect(await measureDirectory(tmp, LIMITS)).toMatchObject({ entries: 20, isOver: false });
  });

  test('takes a missing directory for an empty one, and one too deep to look into for full', async ({ expect }) => {
    const tmp = useTmp();
    expect(await measureDirectory(join(tmp, 'absent'), LIMITS)).toEqual({ bytes: 0, entries: 0, isOver: false });
    const name = 'd'.repeat(250);
    const before = process.cwd();
    try {
      process.chdir(tmp);
      for (let depth = 0; depth < 18; depth += 1) {
        mkdirSync(name);
        process.chdir(name);
      }
      expect(await measureDirectory(tmp, LIMITS)).toMatchObject({ isOver: true });
    } finally {
      process.chdir(before);
      // What is too deep to measure is too deep to remove by path as well.
      execFileSync('rm', ['-rf', join(tmp, name)]);
    }
  });
});

describe('watchDirectorySize()', () => {
  test('calls back once when what is written passes the limit', async ({ expect }) => {
    const tmp = useTmp();
    let calls = 0;
    const over = new Promise<void>((resolve) => {
      watchDirectorySize(tmp, LIMITS, () => {
        calls += 1;
        resolve();
      });
    });
    writeFileSync(join(tmp, 'large'), Buffer.alloc(1_200_000, 1));
    await over;
    expect(calls).toBe(1);
  });

  test('is silent once it has been ended, and leaves no descriptor', async ({ expect }) => {
    const tmp = useTmp();
    writeFileSync(join(tmp, 'large'), Buffer.alloc(1_200_000, 1));
    const before = readdirSync('/proc/self/fd').length;
    const failed: string[] = [];
    for (let round = 0; round < 20; round += 1) watchDirectorySize(tmp, LIMITS, () => failed.push('called'))();
    await new Promise<void>((resolve) => watchDirectorySize(tmp, LIMITS, resolve));
    expect(failed).toEqual([]);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
  });
});

test('makeDataDirectory() makes it private, for the user whom sandboxes run as', async ({ expect }) => {
  const path = join(useTmp(), 'a/b');
  await makeDataDirectory(path);
  await makeDataDirectory(path);
  const { mode, uid, gid } = statSync(path);
  const identity = findIdentity();
  // A server that is root shares it with root’s group, for the sandboxes that keep root’s user.
  expect([mode & 0o777, uid, gid]).toEqual(identity ? [0o770, identity.uid, 0] : [0o700, process.getuid?.(), process.getgid?.()]);
});
