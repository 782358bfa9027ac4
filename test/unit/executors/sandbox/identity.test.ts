import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import {
  canUse,
  findIdentity,
  tryHostPath,
  tryParseIdentity,
  withoutUnreachableCovers,
} from '../../../../src/executors/sandbox/identity.ts';
import type { SandboxDescription, SandboxMount } from '../../../../src/executors/sandbox/sandbox.ts';
import { useTmp } from '../../../helpers/tmp.ts';

describe('tryParseIdentity()', () => {
  test.for([
    ['root:x:0:0:root:/root:/bin/sh\nplugbridge:x:990:991::/:/bin/false\n', { uid: 990, gid: 991 }],
    ['plugbridge:x:0:991::/:/bin/false\n', undefined],
    ['plugbridge:x:990:0::/:/bin/false\n', undefined],
    ['xplugbridge:x:990:991::/:/bin/false\nplugbridge2:x:1:1::\n', undefined],
    ['', undefined],
  ] as const)('reads %j', ([passwd, wanted], { expect }) => {
    expect(tryParseIdentity(passwd)).toEqual(wanted);
  });
});

test('findIdentity() is for servers that run as root', ({ expect }) => {
  expect(findIdentity(1000)).toBeUndefined();
  expect(findIdentity(0)?.uid).toBeGreaterThan(0);
});

describe('tryHostPath()', () => {
  const mounts: SandboxMount[] = [
    { source: '/host/root', target: '/root', access: 'read' },
    { source: '/host/in', target: '/root/inner', access: 'read' },
  ];
  test.for([
    ['/root/a', '/host/root/a'],
    ['/root', '/host/root'],
    ['/root/inner/b', '/host/in/b'],
    ['/rootless', undefined],
    ['relative', undefined],
  ] as const)('maps %s', ([path, wanted], { expect }) => {
    expect(tryHostPath(mounts, path)).toBe(wanted);
  });
});

describe('canUse()', () => {
  const stranger = { uid: 54321, gid: 54321 };
  const describeMount = (source: string, access: SandboxMount['access'] = 'read', command = ['/usr/bin/true']): SandboxDescription => ({
    command,
    mounts: [{ source, target: '/in', access }],
    workingDirectory: '/',
    environment: {},
    limits: {},
  });

  test('asks for every directory on the way, the mount itself, and files of it that the command names', ({ expect }) => {
    const tmp = useTmp();
    const inner = join(tmp, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'run'), '');
    chmodSync(join(inner, 'run'), 0o700);
    chmodSync(tmp, 0o711);
    chmodSync(inner, 0o755);
    expect(canUse(stranger, describeMount(inner))).toBe(true);
    expect(canUse(stranger, describeMount(inner, 'write'))).toBe(false);
    expect(canUse(stranger, describeMount(inner, 'read', ['/usr/bin/sh', '/in/run']))).toBe(false);
    chmodSync(inner, 0o777);
    expect(canUse(stranger, describeMount(inner, 'write'))).toBe(true);
    chmodSync(tmp, 0o700);
    expect(canUse(stranger, describeMount(inner))).toBe(false);
    expect(canUse(stranger, describeMount(join(tmp, 'absent')))).toBe(false);
  });
});

describe('canUse() of what has been staged', () => {
  const stranger = { uid: 54321, gid: 54321 };
  const mount = (source: string, access: SandboxMount['access'] = 'read'): SandboxMount => ({ source, target: source, access });
  const describeMounts = (mounts: readonly SandboxMount[], command = ['/usr/bin/true']): SandboxDescription => ({
    command,
    mounts,
    workingDirectory: '/',
    environment: {},
    limits: {},
  });

  test('asks for what lies in the mounts, and not for the way to them', ({ expect }) => {
    const tmp = useTmp();
    const shown = join(tmp, 'shown');
    mkdirSync(join(shown, 'inner/deep'), { recursive: true });
    writeFileSync(join(shown, 'inner/run'), '', { mode: 0o644 });
    chmodSync(tmp, 0o700);
    for (const path of ['', 'inner', 'inner/deep']) chmodSync(join(shown, path), 0o755);
    const run = join(shown, 'inner/run');
    expect(canUse(stranger, describeMounts([mount(shown)], ['/usr/bin/sh', run]))).toBe(false);
    expect(canUse(stranger, describeMounts([mount(shown)], ['/usr/bin/sh', run]), 'staged')).toBe(true);
    expect(canUse(stranger, describeMounts([mount(run)], ['/usr/bin/sh', run]), 'staged')).toBe(true);
    expect(canUse(stranger, describeMounts([mount(shown, 'write')]), 'staged')).toBe(false);
    const nested = [mount(shown), mount(join(shown, 'inner/deep'))];
    expect(canUse(stranger, describeMounts(nested), 'staged')).toBe(true);
    chmodSync(join(shown, 'inner'), 0o700);
    expect(canUse(stranger, describeMounts(nested), 'staged')).toBe(false);
    expect(canUse(stranger, describeMounts([mount(shown)], ['/usr/bin/sh', run]), 'staged')).toBe(false);
    const inClosed = [mount(shown), mount(join(shown, 'inner/deep'), 'none')];
    const inOpen = [mount(shown), mount(join(shown, 'inner'), 'none')];
    expect(withoutUnreachableCovers(describeMounts(inClosed), stranger, 'staged').mounts).toEqual([inClosed[0]]);
    expect(withoutUnreachableCovers(describeMounts(inOpen), stranger, 'staged').mounts).toEqual(inOpen);
    expect(withoutUnreachableCovers(describeMounts(inOpen), stranger).mounts).toEqual([inOpen[0]]);
  });
});
