import { describe, test } from 'vitest';

import {
  createSeccompFilter,
  DENIED_CALLS,
  isSeccompArchitecture,
  type SeccompArchitecture,
} from '../../../../src/executors/sandbox/seccomp.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;
const EAFNOSUPPORT = 0x50061;
const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** Runs a filter as the kernel does (classic BPF, the six instructions that filters of ours use). */
function runFilter(filter: Buffer, call: { audit: number; number: number; args?: readonly number[] }): number {
  const data = new Map([
    [0, call.number],
    [4, call.audit],
    ...[0, 1, 2].map((index) => [16 + index * 8, call.args?.[index] ?? 0] as const),
  ]);
  let loaded = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const code = filter.readUInt16LE(at * 8);
    const [ifTrue, ifFalse, operand] = [filter.readUInt8(at * 8 + 2), filter.readUInt8(at * 8 + 3), filter.readUInt32LE(at * 8 + 4)];
    if (code === 0x06) return operand;
    if (code === 0x20) loaded = data.get(operand) ?? Number.NaN;
    else if (code === 0x54) loaded = (loaded & operand) >>> 0;
    else if (code === 0x15) at += loaded === operand ? ifTrue : ifFalse;
    else if (code === 0x35) at += loaded >= operand ? ifTrue : ifFalse;
    else if (code === 0x45) at += (loaded & operand) !== 0 ? ifTrue : ifFalse;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the filter ends without an answer');
}

const ask = (architecture: SeccompArchitecture, number: number, ...args: number[]): number =>
  runFilter(createSeccompFilter(architecture), { audit: AUDIT[architecture], number, args });

describe('createSeccompFilter()', () => {
  test.for([
    ['x64', 'read', 0, [], ALLOW],
    ['x64', 'execve', 59, [], ALLOW],
    ['x64', 'memfd_create', 319, [], ALLOW],
    ['x64', 'landlock_restrict_self', 446, [], ALLOW],
    ['x64', 'ptrace', 101, [], EPERM],
    ['x64', 'mount', 165, [], EPERM],
    ['x64', 'keyctl', 250, [], EPERM],
    ['x64', 'clone3', 435, [], ENOSYS],
    ['x64', 'io_uring_setup', 425, [], ENOSYS],
    ['x64', 'clone for a process', 56, [17], ALLOW],
    ['x64', 'clone for a thread', 56, [0x3d0f00], ALLOW],
    ['x64', 'clone with CLONE_NEWUSER', 56, [0x10000011], EPERM],
    ['x64', 'clone with CLONE_NEWNET', 56, [0x40000011], EPERM],
    ['x64', 'ioctl TCGETS', 16, [0, 0x5401], ALLOW],
    ['x64', 'ioctl TIOCSTI', 16, [0, 0x5412], EPERM],
    ['x64', 'ioctl TIOCLINUX', 16, [0, 0x541c], EPERM],
    ['x64', 'personality that asks', 135, [0xffffffff], ALLOW],
    ['x64', 'personality READ_IMPLIES_EXEC', 135, [0x400000], EPERM],
    ['x64', 'socket AF_UNIX', 41, [1, 1], ALLOW],
    ['x64', 'socket AF_INET6 SOCK_DGRAM|SOCK_CLOEXEC', 41, [10, 0x80002], ALLOW],
    ['x64', 'socket AF_INET SOCK_RAW|SOCK_CLOEXEC', 41, [2, 0x80003], EPERM],
    ['x64', 'socket AF_NETLINK', 41, [16, 3], EAFNOSUPPORT],
    ['x64', 'socketpair AF_UNIX', 53, [1, 1], ALLOW],
    ['x64', 'socketpair AF_TIPC', 53, [30, 1], EAFNOSUPPORT],
    ['x64', 'a call of the x32 ABI', 0x40000000, [], ENOSYS],
    ['x64', 'the last known call', 462, [], ALLOW],
    ['x64', 'the first unknown call', 463, [], ENOSYS],
    ['arm64', 'read', 63, [], ALLOW],
    ['arm64', 'execve', 221, [], ALLOW],
    ['arm64', 'ptrace', 117, [], EPERM],
    ['arm64', 'mount', 40, [], EPERM],
    ['arm64', 'unshare', 97, [], EPERM],
    ['arm64', 'clone with CLONE_NEWUSER', 220, [0x10000011], EPERM],
    ['arm64', 'clone for a process', 220, [17], ALLOW],
    ['arm64', 'socket AF_VSOCK', 198, [40, 1], EAFNOSUPPORT],
    ['arm64', 'ioctl TIOCSTI', 29, [0, 0x5412], EPERM],
  ] as const)('answers on %s to %s', ([architecture, , number, args, wanted], { expect }) => {
    expect(ask(architecture, number, ...args)).toBe(wanted);
  });

  test.for(['x64', 'arm64'] as const)('kills a process of another architecture on %s', (architecture, { expect }) => {
    expect(runFilter(createSeccompFilter(architecture), { audit: 0x40000003, number: 0 })).toBe(KILL);
  });

  test('answers every number on both architectures, in one page', ({ expect }) => {
    for (const architecture of ['x64', 'arm64'] as const) {
      const answers = Array.from({ length: 600 }, (_, number) => ask(architecture, number, 0, 0));
      expect(new Set(answers)).toEqual(new Set([ALLOW, EPERM, ENOSYS, EAFNOSUPPORT]));
      expect(createSeccompFilter(architecture).length).toBeLessThan(4096);
    }
  });

  test('refuses each call once', ({ expect }) => {
    expect(new Set(DENIED_CALLS).size).toBe(DENIED_CALLS.length);
    expect(isSeccompArchitecture('x64')).toBe(true);
    expect(isSeccompArchitecture('riscv64')).toBe(false);
    expect(isSeccompArchitecture('toString')).toBe(false);
  });
});
