import { describe, test } from 'vitest';

import { toBubblewrapArguments, toPrlimitOptions, type BubblewrapSetting } from '../../../../src/executors/sandbox/bubblewrap.ts';
import type { SandboxDescription } from '../../../../src/executors/sandbox/sandbox.ts';

const SETTING: BubblewrapSetting = {
  features: { disableUserNamespaces: true, cgroupNamespace: true, coverFirstProcess: true },
  layout: { readOnly: ['/usr', '/etc/ld.so.cache'], links: [['usr/bin', '/bin']] },
  descriptors: { options: 3, status: 4, block: 5, seccomp: 6, files: [[7, '/etc/passwd']] },
  programs: { prlimit: '/usr/bin/prlimit', timeout: '/usr/bin/timeout' },
  owner: '42:4711',
  isDirectory: (path) => !path.endsWith('.env'),
};
const DESCRIPTION: SandboxDescription = {
  command: ['/usr/bin/bash', '/plugin/run.sh', '--', '-x'],
  mounts: [
    { source: '/home/a/plugin', target: '/plugin', access: 'read' },
    { source: '/home/a/out', target: '/out', access: 'write' },
  ],
  workingDirectory: '/plugin',
  environment: { TOKEN: 'secret value', PATH: '/usr/bin' },
  limits: { processes: 8, fileBytes: 1024, scratchBytes: 4096 },
  lifetimeSeconds: 9,
};

describe('toBubblewrapArguments()', () => {
  test('writes a whole description', ({ expect }) => {
    const { options, argv } = toBubblewrapArguments(DESCRIPTION, SETTING);
    expect(options.join(' ')).toBe(
      [
        '--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup --disable-userns',
        '--die-with-parent --uid 1000 --gid 1000 --cap-drop ALL --hostname plugin',
        '--perms 0755 --dir /etc --ro-bind /usr /usr --ro-bind /etc/ld.so.cache /etc/ld.so.cache --symlink usr/bin /bin',
        '--perms 0444 --file 7 /etc/passwd --proc /proc --dev /dev --perms 0555 --tmpfs /proc/1 --remount-ro /proc/1',
        '--perms 1777 --size 4096 --tmpfs /tmp --perms 1777 --size 4096 --tmpfs /dev/shm',
        '--ro-bind /home/a/plugin /plugin --bind /home/a/out /out --remount-ro /proc --remount-ro /dev --remount-ro / --chdir /plugin',
        '--clearenv --setenv TOKEN secret value --setenv PATH /usr/bin --seccomp 6 --block-fd 5 --json-status-fd 4',
      ].join(' '),
    );
    expect(argv.join(' ')).toBe(
      '--args 3 --setenv PLUGBRIDGE_OWNER 42:4711 --unsetenv PLUGBRIDGE_OWNER -- /usr/bin/prlimit --core=0 --nproc=8 --fsize=1024 /usr/bin/timeout -s KILL 9 /usr/bin/bash /plugin/run.sh -- -x',
    );
  });

  test('makes a run directory of its size before the mounts, and covers before what is seen inside them', ({ expect }) => {
    const { options } = toBubblewrapArguments(
      {
        ...DESCRIPTION,
        runDirectory: { path: '/run/plugbridge/run', maxBytes: 8192 },
        mounts: [
          { source: '/home/a', target: '/home/a', access: 'write' },
          { source: '/home/a/.env', target: '/home/a/.env', access: 'none' },
          { source: '/home/a/ours', target: '/home/a/ours', access: 'none' },
          { source: '/home/a/ours/data', target: '/home/a/ours/data', access: 'write' },
        ],
      },
      SETTING,
    );
    expect(options.join(' ')).toContain(
      [
        '--perms 0700 --size 8192 --tmpfs /run/plugbridge/run --bind /home/a /home/a --ro-bind /dev/null /home/a/.env',
        '--perms 0755 --tmpfs /home/a/ours --bind /home/a/ours/data /home/a/ours/data',
        '--remount-ro /home/a/ours --remount-ro /proc --remount-ro /dev --remount-ro /',
      ].join(' '),
    );
  });

  test('leaves out what this machine or this description lacks', ({ expect }) => {
    const { lifetimeSeconds: _, ...endless } = DESCRIPTION;
    const { options, argv } = toBubblewrapArguments(
      { ...endless, mounts: [], limits: {} },
      {
        ...SETTING,
        features: { disableUserNamespaces: false, cgroupNamespace: false, coverFirstProcess: false },
        descriptors: { options: 3, status: 4, block: 5, files: [] },
      },
    );
    for (const option of ['--disable-userns', '--unshare-cgroup', '--seccomp', '--bind', '--file', '/proc/1'])
      expect(options).not.toContain(option);
    expect(options.join(' ')).toContain('--size 67108864 --tmpfs /tmp');
    expect(argv).not.toContain('/usr/bin/timeout');
    expect(argv).toContain('--core=0');
  });

  test('never starts a second session and always isolates the network', ({ expect }) => {
    const { options } = toBubblewrapArguments(DESCRIPTION, SETTING);
    expect(options).not.toContain('--new-session');
    expect(options).not.toContain('--share-net');
    expect(options).toContain('--unshare-net');
  });
});

test('toPrlimitOptions() names every limit that prlimit has', ({ expect }) => {
  expect(
    toPrlimitOptions({
      addressSpaceBytes: 1,
      dataBytes: 2,
      processes: 3,
      fileBytes: 4,
      descriptors: 5,
      cpuSeconds: 6,
      memoryBytes: 7,
      scratchBytes: 8,
    }),
  ).toEqual(['--core=0', '--as=1', '--data=2', '--nproc=3', '--fsize=4', '--nofile=5', '--cpu=6']);
});
