import { expect } from 'vitest';

import { describeHostile, type HostileRow } from '../helpers/hostile-rows.ts';

const OK = /^exit 0$/;
/** What a system call gives that is forbidden, not there, or not for the likes of it. */
const FORBIDDEN = /^(?:EPERM|ENOSYS|EACCES)$/;
const holdsOnlyForbidden: HostileRow['holds'] = ({ structured }) => {
  const refused = structured?.['refused'] as Record<string, string>;
  // Where the first process cannot be looked into, it has no namespaces to be entered.
  const wrong = Object.entries(refused).filter(([name, code]) => !FORBIDDEN.test(code) && !(name.startsWith('setns') && code === 'ENOENT'));
  expect(wrong).toEqual([]);
};

const ROWS: readonly HostileRow[] = [
  {
    tries: 'python makes system calls that it has no business with: mounts, namespaces, keys, bpf, io_uring, perf, modules, clocks',
    of: [24],
    plugin: 'python',
    case: 'call-forbidden',
    exit: OK,
    attempts: 37,
    holds: holdsOnlyForbidden,
  },
  {
    tries: 'python nests user namespaces and becomes root in them',
    of: [24],
    plugin: 'python',
    case: 'nest-namespaces',
    exit: OK,
    attempts: 5,
    holds: ({ structured }) => expect(structured).toMatchObject({ capabilities: [0, 0, 0, 0], no_new_privileges: 1, uid: 1000 }),
  },
  {
    tries: 'python traces and reads the memory of the processes above it',
    of: [23],
    plugin: 'python',
    case: 'trace-others',
    args: ({ processes }) => ({ processes }),
    exit: OK,
    attempts: 20,
  },
  { tries: 'python types into the terminal', of: [24], plugin: 'python', case: 'type-into-terminal', exit: OK, attempts: 6 },
  {
    tries: 'bash mounts, nests namespaces, makes devices, becomes root with the programs of the system',
    of: [24],
    plugin: 'bash',
    case: 'mount',
    exit: OK,
  },
  ...(['python', 'node'] as const).map((plugin): HostileRow => ({
    tries: `${plugin} signals processes of the host`,
    of: [23],
    plugin,
    case: 'signal-others',
    args: ({ processes }) => ({ processes }),
    exit: OK,
    attempts: 2,
  })),
  {
    tries: 'python kills whatever it can',
    of: [23],
    plugin: 'python-brief',
    case: 'kill-everybody',
    exit: /^exit 0$|^signal SIGKILL$/,
    gets: 'any',
    message: /^$|SIGKILL/,
  },
  {
    tries: 'bash kills whatever it can',
    of: [23],
    plugin: 'bash-brief',
    case: 'kill-everybody',
    exit: /^exit 0$|^signal SIGKILL$/,
    gets: 'any',
    message: /^$|SIGKILL/,
  },
  {
    tries: 'python kills and stops the first process of the sandbox and its parent',
    of: [23],
    plugin: 'python-brief',
    case: 'kill-first',
    exit: /^exit 0$|^signal SIG\w+$|^killed: timeoutMs$/,
    gets: 'any',
    message: /^$|SIG|did not end/,
  },
  {
    tries: 'python ignores every signal',
    of: [20],
    plugin: 'python-brief',
    case: 'ignore-signals',
    gets: 'timed-out',
    message: /did not end within/,
    exit: /^killed: timeoutMs$/,
  },
  {
    tries: 'node ignores signals',
    of: [20],
    plugin: 'node-brief',
    case: 'ignore-signals',
    gets: 'timed-out',
    message: /did not end within/,
    exit: /^killed: timeoutMs$/,
  },
  {
    tries: 'bash ignores signals',
    of: [20],
    plugin: 'bash-brief',
    case: 'ignore-signals',
    gets: 'timed-out',
    message: /did not end within/,
    exit: /^killed: timeoutMs$/,
  },
  ...(['python', 'ruby', 'bash'] as const).map((plugin): HostileRow => ({
    tries: `${plugin} leaves a daemon in a session of its own`,
    of: [20],
    plugin,
    case: 'daemonise',
    exit: OK,
  })),
  ...(['python', 'node', 'bash'] as const).map((plugin): HostileRow => ({
    tries: `${plugin} leaves a child that holds its standard output`,
    of: [21],
    plugin,
    case: 'hold-stdout',
    exit: OK,
  })),
  {
    tries: 'python leaves a child that holds its standard output, and ends without its loader',
    of: [21],
    plugin: 'python',
    case: 'hold-stdout-and-die',
    exit: OK,
    holds: ({ structured }) => expect(structured).toEqual({ ok: true }),
  },
  { tries: 'python leaves ten grandchildren', of: [20], plugin: 'python', case: 'leave-grandchildren', exit: OK },
  {
    tries: 'node starts processes until it may not, and leaves them',
    of: [15, 20],
    plugin: 'node',
    case: 'start-processes',
    exit: OK,
    holds: ({ structured }) => expect(structured?.['started']).toBeLessThan(64),
  },
  {
    tries: 'python crashes',
    of: [39],
    plugin: 'python',
    case: 'crash',
    gets: 'failed',
    message: /SIGSEGV/,
    exit: /^signal SIGSEGV$/,
  },
];

describeHostile('hostile scripts and processes', ROWS);
