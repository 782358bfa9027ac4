import { describe, test } from 'vitest';

import { collect, describeSandbox, HAS_BUBBLEWRAP, runBash, runPython, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const MEBIBYTE = 1024 * 1024;
const WRITE_UNTIL_FULL = `
import os, sys
total = 0
try:
    f = os.open(sys.argv[1] if len(sys.argv) > 1 else PATH, os.O_WRONLY | os.O_CREAT)
    while True: total += os.write(f, b'x' * 65536)
except OSError as e: print(e.errno, total)
`;

describe.skipIf(!HAS_BUBBLEWRAP)('a sandbox', () => {
  test('stops a fork bomb and stays its own', async ({ expect }) => {
    const sandbox = useSandbox();
    const ran = await runPython(
      sandbox,
      'import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(20); os._exit(0)\n    n += 1\nexcept OSError as e: print(e.errno, n)',
      { limits: { processes: 20 } },
    );
    expect(ran.stdout).toMatch(/^11 1\d\n$/);
    expect((await runBash(sandbox, 'true & true & wait; echo fine', { limits: { processes: 20 } })).stdout).toBe('fine\n');
  });

  test('gives each of several sandboxes its own count of processes', async ({ expect }) => {
    const sandbox = useSandbox();
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait; echo fine';
    const ran = await Promise.all([1, 2, 3, 4].map(() => runBash(sandbox, script, { limits: { processes: 16 } })));
    expect(ran.map(({ stdout, stderr }) => stdout + stderr)).toEqual(['fine\n', 'fine\n', 'fine\n', 'fine\n']);
  });

  test.for([
    ['python3', ['/usr/bin/python3', '-I', '-S', '-c', 'b = []\nwhile True: b.append(bytearray(1 << 20))']],
    ['node', ['/usr/bin/node', '-e', 'const b = []; for (;;) b.push(Buffer.alloc(1 << 20, 1))']],
    ['bash', ['/usr/bin/bash', '-c', 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done']],
    [
      'many processes',
      ['/usr/bin/bash', '-c', 'for i in 1 2 3 4; do head -c 60000000 /dev/zero | tail -c 60000000 | sleep 5 & done; wait; exit 3'],
    ],
  ] as const)('ends the memory bomb of %s and names the cause', async ([, command], { expect }) => {
    const sandbox = useSandbox();
    if ((await sandbox.tier()) !== 'bwrap+seccomp+cgroup') return;
    const started = await sandbox.spawn(describeSandbox(command, { limits: { memoryBytes: 96 * MEBIBYTE, processes: 32 } }));
    expect((await collect(started)).exit.cause).toBe('memory');
  });

  test.for([['/tmp/f'], ['/dev/shm/f']] as const)('caps what can be written to %s', async ([path], { expect }) => {
    const ran = await runPython(useSandbox(), WRITE_UNTIL_FULL.replace('PATH', `'${path}'`), { limits: { scratchBytes: 2 * MEBIBYTE } });
    const [errno, total] = ran.stdout.split(' ').map(Number);
    expect(errno).toBe(28);
    expect(total).toBeLessThanOrEqual(2 * MEBIBYTE);
  });

  test('caps the size of a file in a writable mount', async ({ expect }) => {
    const tmp = useTmp();
    const ran = await runPython(
      useSandbox(),
      `import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)${WRITE_UNTIL_FULL.replace('PATH', "'/out/f'")}`,
      {
        mounts: [{ source: tmp, target: '/out', access: 'write' }],
        limits: { fileBytes: MEBIBYTE },
      },
    );
    expect(ran.stdout).toBe(`27 ${MEBIBYTE}\n`);
  });

  test('sets the limits of each process, which nothing inside can raise', async ({ expect }) => {
    const ran = await runBash(
      useSandbox(),
      'ulimit -Hn; ulimit -Hu; ulimit -Hf; ulimit -Hv; ulimit -Hd; ulimit -Ht; ulimit -Hc; ulimit -n 5000 2>&1',
      {
        limits: {
          descriptors: 77,
          processes: 33,
          fileBytes: MEBIBYTE,
          addressSpaceBytes: 512 * MEBIBYTE,
          dataBytes: 256 * MEBIBYTE,
          cpuSeconds: 9,
        },
      },
    );
    expect(ran.stdout.split('\n').slice(0, 7)).toEqual(['77', '33', '1024', '524288', '262144', '9', '0']);
    expect(ran.stdout).toContain('cannot modify limit');
  });

  test('takes no more than its processor time', async ({ expect }) => {
    const ran = await runBash(useSandbox(), 'while :; do :; done', { limits: { cpuSeconds: 1 } });
    expect(ran.exit.code).toBe(137);
  });
});
