import { test } from 'vitest';

import type { SandboxDescription } from '../../../../src/executors/sandbox/sandbox.ts';
import { stage } from '../../../../src/executors/sandbox/staging.ts';

test('stage() shows every mount in one directory before it becomes another user, and leaves covers as they are', ({ expect }) => {
  const description: SandboxDescription = {
    command: ['/usr/bin/true'],
    mounts: [
      { source: '/root/a', target: '/in', access: 'read' },
      { source: '/root/a/.env', target: '/root/a/.env', access: 'none' },
      { source: '/root/b', target: '/root/b', access: 'write' },
    ],
    workingDirectory: '/',
    environment: {},
    limits: {},
  };
  const setting = {
    bwrap: '/usr/bin/bwrap',
    setpriv: '/usr/bin/setpriv',
    directory: '/tmp/stage',
    identity: { uid: 990, gid: 991 },
    owner: '42:4711',
    status: 13,
  };
  const { description: staged, prefix } = stage(description, setting);
  expect(staged.mounts).toEqual([
    { source: '/tmp/stage/0', target: '/in', access: 'read' },
    { source: '/root/a/.env', target: '/root/a/.env', access: 'none' },
    { source: '/tmp/stage/2', target: '/root/b', access: 'write' },
  ]);
  expect(prefix.join(' ')).toBe(
    [
      '/usr/bin/bwrap --dev-bind / / --perms 0755 --tmpfs /tmp/stage --ro-bind /root/a /tmp/stage/0 --bind /root/b /tmp/stage/2',
      '--json-status-fd 13 --die-with-parent --cap-drop ALL --cap-add CAP_SETUID --cap-add CAP_SETGID --cap-add CAP_SETPCAP',
      '--setenv PLUGBRIDGE_OWNER 42:4711 --unsetenv PLUGBRIDGE_OWNER --',
      '/usr/bin/setpriv --reuid 990 --regid 991 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all --',
    ].join(' '),
  );
});
