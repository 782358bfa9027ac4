import { describe, test } from 'vitest';

import { findCgroupHome } from '../../../../src/executors/sandbox/cgroup.ts';

const V1 = `30 20 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
31 20 0:31 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids`;
const V2 = '40 20 0:40 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate';

describe('findCgroupHome()', () => {
  test.for([
    [
      'version 1, below our own groups',
      '8:pids:/\n4:memory:/jobs/a:b\n0::/',
      V1,
      { version: 1, memory: '/sys/fs/cgroup/memory/jobs/a:b', pids: '/sys/fs/cgroup/pids' },
    ],
    [
      'version 2, beside our own group',
      '0::/user.slice/app.slice/a.scope',
      V2,
      { version: 2, memory: '/sys/fs/cgroup/user.slice/app.slice', pids: '/sys/fs/cgroup/user.slice/app.slice' },
    ],
    ['version 2 at the root', '0::/', V2, { version: 2, memory: '/sys/fs/cgroup', pids: '/sys/fs/cgroup' }],
    [
      'both mounted, controllers on version 1',
      '8:pids:/\n4:memory:/\n0::/',
      `${V1}\n${V2}`,
      { version: 1, memory: '/sys/fs/cgroup/memory', pids: '/sys/fs/cgroup/pids' },
    ],
    [
      'a mount of a part that we are in',
      '0::/docker/x/y',
      V2.replace(' / /sys', ' /docker/x /sys'),
      { version: 2, memory: '/sys/fs/cgroup', pids: '/sys/fs/cgroup' },
    ],
    ['a mount of a part that we are not in', '0::/other', V2.replace(' / /sys', ' /docker/x /sys'), undefined],
    ['no memory controller', '8:pids:/', V1, undefined],
    ['nothing mounted', '0::/', '', undefined],
  ] as const)('finds %s', ([, own, mounts, wanted], { expect }) => {
    expect(findCgroupHome(own, mounts)).toEqual(wanted);
  });
});
