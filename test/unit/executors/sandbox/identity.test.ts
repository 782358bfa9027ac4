import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { canUse, findIdentity, tryHostPath, tryParseIdentity } from '../../../../src/executors/sandbox/identity.ts';
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
