import { endianness } from 'node:os';

/**
 * Classic BPF, as `seccomp(2)` takes it: what a sandboxed process may never ask of the kernel, whatever its namespaces
 * and capabilities. Namespaces decide what is visible; this keeps the rarely needed parts of the kernel out of reach.
 */

const ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;
type Answer = keyof typeof ERRNO;

/** `linux/bpf_common.h`, `linux/seccomp.h`. */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_SET = 0x45;
const AND = 0x54;
const RETURN = 0x06;
const RETURN_ALLOW = 0x7fff_0000;
const RETURN_ERRNO = 0x0005_0000;
const RETURN_KILL_PROCESS = 0x8000_0000;

/** Offsets in `struct seccomp_data`; the arguments are 64 bits wide and their low words come first on both architectures. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const ARGUMENT = [16, 24, 32] as const;

/** `CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET`, `linux/sched.h`. */
const CLONE_NEW_NAMESPACES = 0x7e02_0000;
/** `asm-generic/ioctls.h`: typing into a terminal on someone’s behalf. */
const TERMINAL_INJECTIONS = [0x5412, 0x541c];
/** AF_UNIX, AF_INET, AF_INET6: the network namespace is empty, so the last two reach nothing but the loopback inside. */
const SOCKET_FAMILIES = [1, 2, 10];
const SOCKET_TYPE_MASK = 0xf;
const SOCK_RAW = 3;
/** PER_LINUX, and the value that only asks. */
const PERSONALITIES = [0, 0xffff_ffff];
/** Calls numbered from here on came after Linux 6.6 and are unknown to this table; they are numbered alike on every architecture. */
const FIRST_UNKNOWN_CALL = 463;
/** Calls of the x32 ABI carry this bit and would slip past a table of x86-64 numbers. */
const X32_BIT = 0x4000_0000;

/** Call numbers: `asm/unistd_64.h` and `asm-generic/unistd.h`; `null` where the architecture lacks the call. */
const DENIED: readonly (readonly [name: string, x64: number, arm64: number | null, answer?: Answer])[] = [
  ['ptrace', 101, 117],
  ['syslog', 103, 116],
  ['uselib', 134, null],
  ['modify_ldt', 154, null],
  ['pivot_root', 155, 41],
  ['_sysctl', 156, null],
  ['adjtimex', 159, 171],
  ['chroot', 161, 51],
  ['acct', 163, 89],
  ['settimeofday', 164, 170],
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['swapon', 167, 224],
  ['swapoff', 168, 225],
  ['reboot', 169, 142],
  ['sethostname', 170, 161],
  ['setdomainname', 171, 162],
  ['iopl', 172, null],
  ['ioperm', 173, null],
  ['create_module', 174, null],
  ['init_module', 175, 105],
  ['delete_module', 176, 106],
  ['get_kernel_syms', 177, null],
  ['query_module', 178, null],
  ['quotactl', 179, 60],
  ['nfsservctl', 180, 42],
  ['lookup_dcookie', 212, 18],
  ['clock_settime', 227, 112],
  ['vserver', 236, null],
  ['kexec_load', 246, 104],
  ['add_key', 248, 217],
  ['request_key', 249, 218],
  ['keyctl', 250, 219],
  ['migrate_pages', 256, 238],
  ['unshare', 272, 97],
  ['move_pages', 279, 239],
  ['perf_event_open', 298, 241],
  ['fanotify_init', 300, 262],
  ['name_to_handle_at', 303, 264],
  ['open_by_handle_at', 304, 265],
  ['clock_adjtime', 305, 266],
  ['setns', 308, 268],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['kcmp', 312, 272],
  ['finit_module', 313, 273],
  ['kexec_file_load', 320, 294],
  ['bpf', 321, 280],
  ['userfaultfd', 323, 282],
  ['io_uring_setup', 425, 425, 'ENOSYS'],
  ['io_uring_enter', 426, 426, 'ENOSYS'],
  ['io_uring_register', 427, 427, 'ENOSYS'],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fspick', 433, 433],
  // Its flags lie behind a pointer that a filter cannot follow; libc falls back to clone, whose flags are a number.
  ['clone3', 435, 435, 'ENOSYS'],
  ['pidfd_getfd', 438, 438],
  ['process_madvise', 440, 440],
  ['mount_setattr', 442, 442],
  ['quotactl_fd', 443, 443],
  ['statmount', 457, 457],
  ['listmount', 458, 458],
];

const ARCHITECTURES = {
  x64: { audit: 0xc000_003e, column: 1, clone: 56, ioctl: 16, socket: 41, socketpair: 53, personality: 135 },
  arm64: { audit: 0xc000_00b7, column: 2, clone: 220, ioctl: 29, socket: 198, socketpair: 199, personality: 92 },
} as const;
export type SeccompArchitecture = keyof typeof ARCHITECTURES;

export const isSeccompArchitecture = (name: string): name is SeccompArchitecture => Object.hasOwn(ARCHITECTURES, name);

/** The names of the calls that are refused whatever their arguments. */
export const DENIED_CALLS: readonly string[] = DENIED.map(([name]) => name);

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly operand: number;
}

/**
 * The filter for one architecture, as an array of `struct sock_filter` in the byte order of this machine: what
 * bubblewrap’s `--seccomp` reads.
 */
export function createSeccompFilter(architecture: SeccompArchitecture): Buffer {
  const { audit, column, clone, ioctl, socket, socketpair, personality } = ARCHITECTURES[architecture];
  return assemble([
    load(ARCHITECTURE),
    jump(JUMP_EQUAL, audit, 1, 0),
    answer(RETURN_KILL_PROCESS),
    load(NUMBER),
    ...(architecture === 'x64' ? [jump(JUMP_GREATER_OR_EQUAL, X32_BIT, 0, 1), refuse('ENOSYS')] : []),
    jump(JUMP_GREATER_OR_EQUAL, FIRST_UNKNOWN_CALL, 0, 1),
    refuse('ENOSYS'),
    ...DENIED.flatMap((entry) => {
      const number = entry[column];
      return number === null ? [] : [jump(JUMP_EQUAL, number, 0, 1), refuse(entry[3] ?? 'EPERM')];
    }),
    ...inspect(clone, [load(ARGUMENT[0]), jump(JUMP_SET, CLONE_NEW_NAMESPACES, 0, 1), refuse('EPERM')]),
    ...inspect(ioctl, [load(ARGUMENT[1]), ...TERMINAL_INJECTIONS.flatMap((k) => [jump(JUMP_EQUAL, k, 0, 1), refuse('EPERM')])]),
    ...inspect(personality, [load(ARGUMENT[0]), ...onlyOf(PERSONALITIES, 'EPERM')]),
    ...inspect(socket, [
      load(ARGUMENT[0]),
      ...onlyOf(SOCKET_FAMILIES, 'EAFNOSUPPORT'),
      load(ARGUMENT[1]),
      { code: AND, ifTrue: 0, ifFalse: 0, operand: SOCKET_TYPE_MASK },
      jump(JUMP_EQUAL, SOCK_RAW, 0, 1),
      refuse('EPERM'),
    ]),
    ...inspect(socketpair, [load(ARGUMENT[0]), ...onlyOf(SOCKET_FAMILIES, 'EAFNOSUPPORT')]),
    answer(RETURN_ALLOW),
  ]);
}

const load = (offset: number): Instruction => ({ code: LOAD_WORD, ifTrue: 0, ifFalse: 0, operand: offset });
const jump = (code: number, operand: number, ifTrue: number, ifFalse: number): Instruction => ({ code, ifTrue, ifFalse, operand });
const answer = (value: number): Instruction => ({ code: RETURN, ifTrue: 0, ifFalse: 0, operand: value });
const refuse = (name: Answer): Instruction => answer(RETURN_ERRNO | ERRNO[name]);

/** Runs `body` for one call number; what it does not answer is allowed. */
const inspect = (number: number, body: readonly Instruction[]): Instruction[] => [
  jump(JUMP_EQUAL, number, 0, body.length + 1),
  ...body,
  answer(RETURN_ALLOW),
];

/** Goes on behind itself when the loaded value is one of `values`, else refuses. */
const onlyOf = (values: readonly number[], otherwise: Answer): Instruction[] => [
  ...values.map((value, index) => jump(JUMP_EQUAL, value, values.length - index, 0)),
  refuse(otherwise),
];

function assemble(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  const little = endianness() === 'LE';
  instructions.forEach(({ code, ifTrue, ifFalse, operand }, index) => {
    const at = index * 8;
    if (little) bytes.writeUInt16LE(code, at);
    else bytes.writeUInt16BE(code, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    if (little) bytes.writeUInt32LE(operand >>> 0, at + 4);
    else bytes.writeUInt32BE(operand >>> 0, at + 4);
  });
  return bytes;
}
