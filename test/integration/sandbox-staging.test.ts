import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import { describe, onTestFinished, test } from 'vitest';

import type { SandboxDescription, SandboxMount } from '../../src/executors/sandbox/sandbox.ts';
import { listDescendants } from '../helpers/processes.ts';
import { collect, describeSandbox, HAS_BUBBLEWRAP, runBash, runPython, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const NOBODY = 65534;
const STAGED = HAS_BUBBLEWRAP && process.getuid?.() === 0;

/** A directory that only root can reach, with what every user may read in it, and what nobody but root may. */
function useClosed() {
  const closed = useTmp();
  const shown = join(closed, 'shown');
  const write = (path: string, text = 'found-me\n', mode = 0o644): void => {
    mkdirSync(dirname(join(shown, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(shown, path), text);
    chmodSync(join(shown, path), mode);
  };
  write('file');
  write('secret', 'found-secret\n', 0o600);
  chmodSync(closed, 0o700);
  chmodSync(shown, 0o755);
  const own = join(closed, 'own');
  mkdirSync(own, { mode: 0o700 });
  chownSync(own, NOBODY, NOBODY);
  const mount = (source: string, access: SandboxMount['access'] = 'read'): SandboxMount => ({ source, target: source, access });
  return { closed, shown, own, write, mount, mounts: [mount(shown), mount(own, 'write')] };
}

/** The users, on this host, of all processes that a sandbox is made of. */
const usersBelow = (pid: number): Record<string, number> =>
  Object.fromEntries(
    listDescendants(pid).map((each) => {
      const status = readFileSync(`/proc/${each}/status`, 'utf8');
      return [/^Name:\s+(\S+)/m.exec(status)?.[1] ?? '', Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])];
    }),
  );

describe.skipIf(!STAGED)('a sandbox of a server that runs as root', () => {
  test('shows what only root can reach to a user who is not root', async ({ expect }) => {
    const { shown, own, mounts } = useClosed();
    const started = await useSandbox().spawn(
      describeSandbox(
        [
          '/usr/bin/bash',
          '-c',
          `cat ${shown}/file; cat ${shown}/secret; echo x > ${shown}/new; echo kept > ${own}/file; cat ${own}/file; read -r line`,
        ],
        { mounts },
      ),
    );
    const chunks: Buffer[] = [];
    await new Promise<void>((resolve) => {
      started.stdout.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (Buffer.concat(chunks).includes('kept')) resolve();
      });
    });
    expect(Buffer.concat(chunks).toString()).toBe('found-me\nkept\n');
    const users = usersBelow(started.pid);
    expect(users['bash']).toBe(NOBODY);
    expect(new Set(Object.values(users))).toEqual(new Set([NOBODY]));
    await started.kill();
  });

  test('is as closed as any other', async ({ expect }) => {
    const { closed, mounts } = useClosed();
    const server = createServer((socket) => socket.end('reached'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const ran = await runPython(
      useSandbox(),
      `
import ctypes, os, re, socket
status = open('/proc/self/status').read()
print(sorted(set(re.findall(r'^Cap\\w+:\\s+(\\w+)$', status, re.M))), re.findall(r'^(?:NoNewPrivs|Seccomp):\\s+(\\d)$', status, re.M), re.findall(r'^Groups:[ \\t]*(.*)$', status, re.M))
print(os.getuid(), sorted(os.listdir(${JSON.stringify(closed)})), sorted(int(f) for f in os.listdir('/proc/self/fd') if int(f) < 200 and os.path.exists('/proc/self/fd/' + f)))
print(os.listdir('/proc/1'), os.listdir('/tmp'), [p for p in ('/root', '/home', '/work', '/var') if os.path.exists(p)])
def attempt(name, do):
    try: do(); print(name, 'done')
    except OSError as e: print(name, 'refused')
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    if libc.syscall(*[ctypes.c_long(a) for a in args]) == -1: raise OSError(ctypes.get_errno(), '')
attempt('namespace', lambda: call(272, 0x10000000))
attempt('mount', lambda: call(165, 0, 0, 0, 0, 0))
attempt('trace', lambda: call(101, 16, 1, 0, 0))
attempt('setuid', lambda: os.setuid(0))
attempt('memory', lambda: open('/proc/1/mem', 'rb'))
attempt('environ', lambda: open('/proc/1/environ', 'rb'))
attempt('host', lambda: os.listdir('/proc/1/root/etc/ssh'))
attempt('shadow', lambda: open('/etc/shadow'))
attempt('kernel', lambda: open('/proc/sys/kernel/core_pattern', 'w'))
attempt('network', lambda: socket.create_connection(('127.0.0.1', ${typeof address === 'object' ? address?.port : 0}), 2))
attempt('descriptors', lambda: open('/proc/self/fd/3'))
`,
      { mounts },
    );
    const refused = ['namespace', 'mount', 'trace', 'setuid', 'memory', 'environ', 'host', 'shadow', 'kernel', 'network', 'descriptors'];
    expect(ran.stdout.split('\n')).toEqual([
      "['0000000000000000'] ['1', '2'] ['']",
      "1000 ['own', 'shown'] [0, 1, 2]",
      expect.stringMatching(/^\[\] \[('[\w.-]+')?\] \[\]$/),
      ...refused.map((name) => `${name} refused`),
      '',
    ]);
  });

  test('counts its own processes alone, and ends with all that it started', async ({ expect }) => {
    const { mounts } = useClosed();
    const sandbox = useSandbox();
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait; echo fine';
    const ran = await Promise.all([1, 2, 3].map(() => runBash(sandbox, script, { mounts, limits: { processes: 16 } })));
    expect(ran.map(({ stdout, stderr }) => stdout + stderr)).toEqual(['fine\n', 'fine\n', 'fine\n']);
    const daemons =
      "trap '' TERM; for i in 1 2 3; do setsid bash -c 'trap \"\" TERM HUP; sleep 600' & done; sleep 0.1; echo begun; sleep 600";
    const started = await sandbox.spawn(describeSandbox(['/usr/bin/bash', '-c', daemons], { mounts }));
    await new Promise((resolve) => started.stdout.once('data', resolve));
    const all = listDescendants(started.pid);
    expect(all.length).toBeGreaterThanOrEqual(7);
    await started.kill();
    expect(all.filter((pid) => readdirSync('/proc').includes(String(pid)) && !isZombie(pid))).toEqual([]);
  });

  test('reports its end, its limits and its failures as any other', async ({ expect }) => {
    const { mounts } = useClosed();
    const sandbox = useSandbox();
    expect(await runBash(sandbox, 'echo said; echo problem >&2; exit 7', { mounts })).toEqual({
      stdout: 'said\n',
      stderr: 'problem\n',
      exit: { code: 7, signal: null },
    });
    expect((await runBash(sandbox, 'kill -SEGV $$', { mounts })).exit.code).toBe(139);
    expect((await runBash(sandbox, 'sleep 600', { mounts, lifetimeSeconds: 1 })).exit.code).toBe(137);
    expect((await runBash(sandbox, 'true', { mounts, workingDirectory: '/nowhere' })).exit.cause).toBe('setup');
    if ((await sandbox.tier()) !== 'bwrap+seccomp+cgroup') return;
    const bomb = 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done';
    expect((await runBash(sandbox, bomb, { mounts, limits: { memoryBytes: 64 * 1024 * 1024 } })).exit.cause).toBe('memory');
  });

  test('keeps its run directory, its covers and its mounts within mounts', async ({ expect }) => {
    const { shown, own, write, mount } = useClosed();
    for (const path of ['.env', 'ours/trust', 'ours/data/x', 'private/.env']) write(path);
    chmodSync(join(shown, 'private'), 0o700);
    const mounts = [
      mount(shown),
      mount(join(shown, '.env'), 'none'),
      mount(join(shown, 'ours'), 'none'),
      mount(join(shown, 'private/.env'), 'none'),
      mount(join(shown, 'ours/data')),
      mount(own, 'write'),
    ];
    const over: Partial<SandboxDescription> = {
      mounts,
      workingDirectory: '/run/own',
      runDirectory: { path: '/run/own', maxBytes: 65_536 },
    };
    const started = await useSandbox().spawn(
      describeSandbox(['/usr/bin/bash', '-c', `echo left > file; cat ${shown}/.env; find ${shown}/ours -type f; read -r line`], over),
    );
    const users = usersBelow(started.pid);
    const held = started.holdRunDirectory();
    const ran = await collect(started);
    expect(ran).toMatchObject({ stdout: `${shown}/ours/data/x\n`, stderr: expect.stringContaining('Permission denied') });
    expect(readFileSync(join(held.path, 'file'), 'utf8')).toBe('left\n');
    held.close();
    expect(new Set(Object.values(users))).toEqual(new Set([NOBODY]));
  });
});

const isZombie = (pid: number): boolean => {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};
