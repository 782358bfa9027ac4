import { mkdirSync, openSync, closeSync, readFileSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { describe, onTestFinished, test } from 'vitest';

import { listDescendants } from '../helpers/processes.ts';
import { collect, describeSandbox, HAS_BUBBLEWRAP, runBash, runPython, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const SECRET = 'seeded-secret-5f1c';

/** Calls the kernel by number and prints the names of what was not refused. Column 0 of each row: the expected errno. */
const RAW_CALLS = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
calls = [
  ('ptrace(TRACEME)', EPERM, 101, 0), ('mount', EPERM, 165, 0, 0, 0, 0, 0), ('umount2', EPERM, 166, 0, 0), ('pivot_root', EPERM, 155, 0, 0),
  ('unshare(NEWUSER)', EPERM, 272, 0x10000000), ('unshare(NEWNS)', EPERM, 272, 0x20000), ('setns', EPERM, 308, 0, 0),
  ('clone(NEWUSER)', EPERM, 56, 0x10000011, 0, 0, 0, 0), ('clone3', ENOSYS, 435, 0, 0),
  ('add_key', EPERM, 248, 0, 0, 0, 0, 0), ('keyctl', EPERM, 250, 0, 0), ('request_key', EPERM, 249, 0, 0, 0, 0),
  ('bpf', EPERM, 321, 0, 0, 0), ('perf_event_open', EPERM, 298, 0, 0, 0, 0, 0), ('userfaultfd', EPERM, 323, 0),
  ('io_uring_setup', ENOSYS, 425, 1, 0), ('io_uring_enter', ENOSYS, 426, 0), ('process_vm_readv', EPERM, 310, 1, 0, 0, 0, 0, 0),
  ('process_vm_writev', EPERM, 311, 1, 0, 0, 0, 0, 0), ('open_by_handle_at', EPERM, 304, 0, 0, 0), ('kexec_load', EPERM, 246, 0, 0, 0, 0),
  ('init_module', EPERM, 175, 0, 0, 0), ('personality(ADDR_NO_RANDOMIZE)', EPERM, 135, 0x40000), ('pidfd_getfd', EPERM, 438, 0, 0, 0),
  ('ioctl(TIOCSTI)', EPERM, 16, 0, 0x5412, 0), ('ioctl(TIOCLINUX)', EPERM, 16, 0, 0x541c, 0), ('a call of the future', ENOSYS, 900),
  ('socket(AF_NETLINK)', EAFNOSUPPORT, 41, 16, 3, 0), ('socket(AF_VSOCK)', EAFNOSUPPORT, 41, 40, 1, 0), ('socket(AF_PACKET)', EAFNOSUPPORT, 41, 17, 3, 0),
  ('socket(AF_ALG)', EAFNOSUPPORT, 41, 38, 5, 0), ('socket(AF_INET, SOCK_RAW)', EPERM, 41, 2, 3, 1), ('x32 getpid', ENOSYS, 0x40000027),
]
for name, want, number, *args in calls:
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in args])
    if got != -1 or ctypes.get_errno() != want: print(name, got, ctypes.get_errno())
pid = os.fork()
if pid == 0: os._exit(7)
print('fork', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print('personality', libc.personality(ctypes.c_ulong(0xffffffff)))
`;

describe.skipIf(!HAS_BUBBLEWRAP)('a sandbox', () => {
  test('runs a command with its input, output and exit code', async ({ expect }) => {
    const ran = await runBash(useSandbox(), 'cat; echo problem >&2; exit 7');
    expect(ran).toEqual({ stdout: '', stderr: 'problem\n', exit: { code: 7, signal: null } });
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/cat']));
    expect(await collect(started, 'héllo')).toEqual({ stdout: 'héllo', stderr: '', exit: { code: 0, signal: null } });
  });

  test('lets standard streams be opened again by name', async ({ expect }) => {
    const script =
      'cat /dev/stdin; echo a > /dev/stderr; echo b >> /dev/stdout; echo c | tee /dev/stderr; exec 9>/proc/self/fd/1; echo d >&9';
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/bash', '-c', script]));
    expect(await collect(started, 'input\n')).toEqual({ stdout: 'input\nb\nc\nd\n', stderr: 'a\nc\n', exit: { code: 0, signal: null } });
  });

  test('passes much input and output at once', async ({ expect }) => {
    const text = 'x'.repeat(3_000_000);
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/cat']));
    expect((await collect(started, text)).stdout).toBe(text);
  });

  test('shows the environment of its description and nothing of the server’s', async ({ expect }) => {
    process.env['PLUGBRIDGE_TEST_SECRET'] = SECRET;
    onTestFinished(() => {
      delete process.env['PLUGBRIDGE_TEST_SECRET'];
    });
    const sandbox = useSandbox();
    const shown = await runBash(sandbox, 'cat /proc/*/environ | tr "\\0" "\\n"; echo --; env', {
      environment: { PATH: '/usr/bin', OWN: 'mine' },
    });
    expect(shown.stdout).toContain('OWN=mine');
    expect(shown.stdout).not.toContain(SECRET);
    const environment = shown.stdout
      .split('--\n')[1]
      ?.trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(environment?.toSorted()).toEqual(['OWN', 'PATH', 'PWD', 'SHLVL', '_']);
  });

  test('keeps the values of the environment out of every command line', async ({ expect }) => {
    const started = await useSandbox().spawn(describeSandbox(['/usr/bin/cat'], { environment: { TOKEN: SECRET } }));
    const outer = readFileSync(`/proc/${started.pid}/cmdline`, 'latin1');
    expect(outer).toContain('bwrap');
    expect(outer).not.toContain(SECRET);
    expect(readFileSync(`/proc/${started.pid}/environ`, 'latin1')).toBe('');
    await started.kill();
  });

  test('shows only its own processes and no way out through them', async ({ expect }) => {
    const ran = await runBash(
      useSandbox(),
      `ls /proc | grep -c '^[0-9]'; ls /proc/1/root/ 2>&1; ls /proc/1/cwd/work 2>&1; head -c1 /proc/1/mem 2>&1; echo b > /proc/sysrq-trigger; echo 1 > /proc/sys/kernel/printk; ls /sys /root /home /work /var /run 2>&1`,
    );
    const [count, ...rest] = ran.stdout.split('\n');
    expect(Number(count)).toBeLessThanOrEqual(6);
    expect(rest.join('\n')).not.toMatch(/work\/main|plugbridge/);
    for (const path of ['/sys', '/root', '/home', '/work', '/var', '/run']) {
      expect(ran.stdout).toContain(`ls: cannot access '${path}': No such file or directory`);
    }
    expect(ran.stderr).toMatch(/sysrq-trigger: (Permission denied|Read-only file system|No such file or directory)/);
    expect(ran.stderr).toMatch(/printk: (Permission denied|Read-only file system)/);
  });

  test('passes descriptors 0, 1 and 2 and no others', async ({ expect }) => {
    const descriptor = openSync('/etc/hostname', 'r');
    onTestFinished(() => closeSync(descriptor));
    // Closes what this test process was itself started with, as the server does.
    const { closeInheritedDescriptors } = await import('../../src/executors/sandbox/inherited-descriptors.ts');
    closeInheritedDescriptors();
    const ran = await runPython(
      useSandbox(),
      'import os; print(sorted(int(f) for f in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/"+f) or int(f) < 3))',
    );
    expect(ran.stdout).toBe('[0, 1, 2]\n');
  });

  test('refuses the kernel calls of its filter and leaves the rest', async ({ expect }) => {
    const ran = await runPython(useSandbox(), RAW_CALLS);
    expect(ran.stdout).toBe('fork 7\npersonality 0\n');
    expect(ran.exit).toEqual({ code: 0, signal: null });
  });

  test('holds no capabilities and gets none from set-user-id programs', async ({ expect }) => {
    const ran = await runBash(
      useSandbox(),
      'grep -E "^(Cap(Eff|Prm|Inh|Bnd|Amb)|NoNewPrivs|Seccomp):" /proc/self/status; id -u; su -c id 2>&1',
    );
    expect(ran.stdout.match(/^Cap\w+:\s+0{16}$/gm)).toHaveLength(5);
    expect(ran.stdout).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(ran.stdout).toMatch(/^Seccomp:\s+2$/m);
    expect(ran.stdout).not.toContain('uid=0');
  });

  test('reaches no network: not this host’s ports, nor names, nor abstract or plain unix sockets', async ({ expect }) => {
    const tmp = useTmp();
    const server = createServer((socket) => socket.end('reached'));
    const abstract = createServer((socket) => socket.end('reached'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => abstract.listen(`\0plugbridge-test-${process.pid}`, resolve));
    onTestFinished(() => void (server.close(), abstract.close()));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const ran = await runPython(
      useSandbox(),
      `
import socket
def attempt(name, make):
    try: make(); print(name, 'reached')
    except OSError as e: print(name, 'refused')
attempt('tcp', lambda: socket.create_connection(('127.0.0.1', ${port}), 2))
attempt('metadata', lambda: socket.create_connection(('169.254.169.254', 80), 2))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53)))
attempt('dns', lambda: socket.getaddrinfo('example.com', 80))
attempt('abstract', lambda: socket.socket(socket.AF_UNIX).connect('\\0plugbridge-test-${process.pid}'))
attempt('docker', lambda: socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock'))
attempt('pair', lambda: socket.socketpair())
`,
      { mounts: [{ source: tmp, target: tmp, access: 'read' }] },
    );
    expect(ran.stdout).toBe('tcp refused\nmetadata refused\nudp refused\ndns refused\nabstract refused\ndocker refused\npair reached\n');
  });

  test('shows mounts where they were asked for, read-only ones sealed, and follows no link out of them', async ({ expect }) => {
    const tmp = useTmp();
    mkdirSync(join(tmp, 'in'));
    mkdirSync(join(tmp, 'out'));
    writeFileSync(join(tmp, 'in', 'data'), 'granted');
    writeFileSync(join(tmp, 'secret'), SECRET);
    symlinkSync(join(tmp, 'secret'), join(tmp, 'in', 'link'));
    symlinkSync('/etc/shadow', join(tmp, 'in', 'shadow'));
    const ran = await runBash(
      useSandbox(),
      'cat /plugin/data; cat /plugin/link /plugin/shadow; echo x > /plugin/data; echo y > /result/made; echo z > /made; echo z > /etc/made; echo z > /usr/made; echo z > /dev/made; echo kept > /tmp/made && cat /tmp/made',
      {
        mounts: [
          { source: join(tmp, 'in'), target: '/plugin', access: 'read' },
          { source: join(tmp, 'out'), target: '/result', access: 'write' },
        ],
      },
    );
    expect(ran.stdout).toBe('grantedkept\n');
    expect(ran.stderr.match(/Read-only file system/g)).toHaveLength(5);
    expect(ran.stderr.match(/No such file or directory/g)).toHaveLength(2);
    expect(readFileSync(join(tmp, 'out', 'made'), 'utf8')).toBe('y\n');
    expect(readFileSync(join(tmp, 'in', 'data'), 'utf8')).toBe('granted');
  });

  test('runs as an unprivileged user of the host where that user can reach what is granted', async ({ expect }) => {
    if (process.getuid?.() !== 0) return;
    const tmp = useTmp();
    chmodSync(tmp, 0o755);
    const uidOf = async (over: Parameters<typeof describeSandbox>[1]) => {
      const started = await useSandbox().spawn(describeSandbox(['/usr/bin/bash', '-c', 'echo begun; read -r line'], over));
      await new Promise((resolve) => started.stdout.once('data', resolve));
      const inner = listDescendants(started.pid).find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'bash\n');
      const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${inner}/status`, 'utf8'))?.[1];
      await started.kill();
      return uid;
    };
    const into = (access: 'read' | 'write') => ({ mounts: [{ source: tmp, target: '/in', access }] });
    expect(await uidOf({})).toBe('65534');
    expect(await uidOf(into('read'))).toBe('65534');
    expect(await uidOf(into('write'))).toBe('0');
    chmodSync(tmp, 0o700);
    expect(await uidOf(into('read'))).toBe('0');
    // What only root can reach is brought to the user who may open it.
    const below = join(tmp, 'below');
    mkdirSync(below);
    chmodSync(below, 0o777);
    expect(await uidOf({ mounts: [{ source: below, target: '/in', access: 'write' }] })).toBe('65534');
  });

  test('finds no process inside without the filter, whose memory it could write', async ({ expect }) => {
    const ran = await runPython(
      useSandbox(),
      `
import os
for pid in sorted(int(p) for p in os.listdir('/proc') if p.isdigit()):
    try: print(pid > 1, open(f'/proc/{pid}/status').read().split('Seccomp:')[1].split()[0])
    except OSError: print(pid, 'covered', os.listdir(f'/proc/{pid}'))
for path in ('/proc/1/mem', '/proc/self/task/../../1/mem', '/proc/2/../1/environ', '/proc/1/root/'):
    try: os.open(path, os.O_RDWR); print(path, 'opened')
    except OSError as e: print(e.strerror)
`,
    );
    const [first, ...rest] = ran.stdout.trim().split('\n');
    expect(first).toBe('1 covered []');
    expect(rest.slice(0, -4).every((line) => line === 'True 2')).toBe(true);
    expect(rest.slice(-4)).toEqual(Array.from({ length: 4 }, () => 'No such file or directory'));
  });

  test('cannot see or trace its neighbours', async ({ expect }) => {
    const sandbox = useSandbox();
    const neighbour = await sandbox.spawn(describeSandbox(['/usr/bin/sleep', '20']));
    const ran = await runBash(
      sandbox,
      `kill -9 ${neighbour.pid} 2>&1; cat /proc/${neighbour.pid}/maps 2>&1; cat /proc/*/cmdline | tr '\\0' ' '`,
    );
    expect(ran.stdout).toMatch(/No such process/);
    expect(ran.stdout).not.toContain('sleep 20');
    await neighbour.kill();
  });
});

test.skipIf(!HAS_BUBBLEWRAP)('closeInheritedDescriptors() keeps a server’s inherited descriptors from its children', async ({ expect }) => {
  const tmp = useTmp();
  const { build } = await import('esbuild');
  const outfile = join(tmp, 'server.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../fixtures/sandbox-descriptors.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
  });
  const secret = join(tmp, 'secret');
  writeFileSync(secret, SECRET);
  const shell = spawn('/usr/bin/bash', ['-c', 'exec 7<"$1" 20<"$1" 100<"$1"; exec "$2" "$3"', 'bash', secret, process.execPath, outfile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { text } = await import('node:stream/consumers');
  const shown = JSON.parse(await text(shell.stdout)) as { closed: number[]; inside: string };
  expect(shown.closed).toEqual(expect.arrayContaining([20, 100]));
  expect(
    shown.inside
      .trim()
      .split('\n')
      .filter((descriptor) => Number(descriptor) > 3),
  ).toEqual([]);
});
