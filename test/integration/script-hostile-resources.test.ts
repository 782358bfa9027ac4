import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import { describeHostile, type HostileRow } from '../helpers/hostile-rows.ts';

const OK = /^exit 0$/;
const TIMEOUT = { gets: 'timed-out', message: /did not end within \d+ ms and was killed/, exit: /^killed: timeoutMs$/ } as const;
const TOO_MUCH_OUTPUT = {
  gets: 'failed',
  message: /^.*printed more than 1048576 bytes and was killed/,
  exit: /^killed: outputBytes$/,
} as const;
/** The limit of the tree ends it, or the one of the process lets it fail by itself. */
const TOO_MUCH_MEMORY = {
  gets: 'failed',
  message: /memory|exit code|SIG(?:KILL|ABRT|TRAP)/i,
  exit: /^killed: memoryBytes$|^signal SIG(?:KILL|ABRT|TRAP)$|^exit [1-9]\d*$/,
} as const;

const fills = (place: string, path: string, mostMib: number): HostileRow => ({
  tries: `python fills ${place}`,
  of: [17],
  plugin: 'python',
  case: 'fill-scratch',
  args: () => ({ paths: [path] }),
  exit: OK,
  holds: ({ structured }) => {
    const mib = (structured?.['mib'] as Record<string, number> | undefined)?.[path] ?? Infinity;
    expect(mib).toBeGreaterThan(0);
    expect(mib).toBeLessThanOrEqual(mostMib);
  },
});

/** An interpreter that waits has the directory itself. */
function emptyDirectory(directory: string): void {
  if (existsSync(directory)) for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
}

const ROWS: readonly HostileRow[] = [
  {
    tries: 'python forks until it may not',
    of: [15],
    plugin: 'python',
    case: 'fork-bomb',
    exit: OK,
    holds: ({ structured }) => expect(structured?.['made']).toBeLessThan(64),
  },
  { tries: 'python forks for ever', of: [15], plugin: 'python-brief', case: 'fork-for-ever', ...TIMEOUT },
  {
    tries: 'bash forks for ever',
    of: [15],
    plugin: 'bash-brief',
    case: 'fork-for-ever',
    gets: 'any',
    message: /did not end|exit code/,
    exit: /^killed: timeoutMs$|^exit \d+$/,
  },
  {
    // Ruby tries again for ever when it may not.
    tries: 'ruby forks until it may not',
    of: [15],
    plugin: 'ruby-brief',
    case: 'fork-bomb',
    ...TIMEOUT,
  },
  {
    tries: 'python starts threads until it may not',
    of: [15],
    plugin: 'python',
    case: 'start-threads',
    exit: OK,
    holds: ({ structured }) => expect(structured?.['made']).toBeLessThan(64),
  },
  { tries: 'python takes memory', of: [16], plugin: 'python', case: 'take-memory', ...TOO_MUCH_MEMORY },
  {
    tries: 'python takes memory in many processes',
    of: [16],
    plugin: 'python',
    case: 'take-memory-by-forks',
    gets: 'any',
    message: /^$|memory/,
    exit: /^exit 0$|^killed: memoryBytes$/,
    holds: ({ kind, tier, structured }) => {
      // Only a control group limits them together.
      if (kind === 'ok' && tier.endsWith('cgroup')) expect(structured?.['alive']).toBeLessThanOrEqual(2);
    },
  },
  { tries: 'node takes memory in buffers', of: [16], plugin: 'node', case: 'take-memory', ...TOO_MUCH_MEMORY },
  { tries: 'node takes memory in objects', of: [16], plugin: 'node', case: 'take-heap', ...TOO_MUCH_MEMORY },
  { tries: 'node takes memory in WebAssembly', of: [16], plugin: 'node', case: 'take-wasm-memory', ...TOO_MUCH_MEMORY },
  { tries: 'ruby takes memory', of: [16], plugin: 'ruby', case: 'take-memory', ...TOO_MUCH_MEMORY },
  { tries: 'bash takes memory', of: [16], plugin: 'bash', case: 'take-memory', ...TOO_MUCH_MEMORY },
  fills('/tmp', '/tmp', 64),
  fills('/dev/shm', '/dev/shm', 64),
  fills('its run directory', '.', 64),
  {
    tries: 'python fills the root of the sandbox and system directories',
    of: [17],
    plugin: 'python',
    case: 'fill-root',
    exit: OK,
    attempts: 7,
  },
  {
    tries: 'python makes as many files as it can',
    of: [17],
    plugin: 'python',
    case: 'make-many-files',
    args: () => ({ path: '.' }),
    gets: 'any',
    message: /^$|memory/,
    exit: /^exit 0$|^killed: memoryBytes$/,
    holds: ({ kind, structured }) => {
      if (kind === 'ok') expect(structured?.['made']).toBeLessThan(300_000);
    },
  },
  {
    tries: 'python makes files of a terabyte and allocates gigabytes',
    of: [9, 17],
    plugin: 'python',
    case: 'make-huge-files',
    args: () => ({ paths: ['.', '/tmp', '/dev/shm'] }),
    exit: OK,
    attempts: 6,
  },
  { tries: 'bash makes a file of a terabyte', of: [9], plugin: 'bash', case: 'sparse', exit: OK },
  {
    tries: 'python fills its own data directory',
    of: [17],
    plugin: 'python-data',
    case: 'fill-data',
    before: ({ base }) => emptyDirectory(join(base, 'own/data/plugin-data/python-data')),
    gets: 'failed',
    message: /data directory/,
    exit: /^killed: data$/,
  },
  { tries: 'python floods its standard output', of: [18], plugin: 'python-small-output', case: 'flood-stdout', ...TOO_MUCH_OUTPUT },
  { tries: 'bash floods its standard output', of: [18], plugin: 'bash', case: 'flood-stdout', ...TOO_MUCH_OUTPUT },
  { tries: 'node floods its standard output', of: [18], plugin: 'node', case: 'flood-stdout', ...TOO_MUCH_OUTPUT },
  { tries: 'ruby floods its standard output', of: [18], plugin: 'ruby', case: 'flood-stdout', ...TOO_MUCH_OUTPUT },
  {
    tries: 'python floods its standard errors',
    of: [19],
    plugin: 'python-small-output',
    case: 'flood-stderr',
    gets: 'failed',
    message: /stderr and was killed/,
    exit: /^killed: stderrBytes$/,
  },
  {
    tries: 'bash floods its standard errors',
    of: [19],
    plugin: 'bash',
    case: 'flood-stderr',
    gets: 'failed',
    message: /stderr and was killed/,
    exit: /^killed: stderrBytes$/,
  },
  {
    tries: 'python prints a gigabyte without an end of line',
    of: [19],
    plugin: 'python-small-output',
    case: 'write-one-long-line',
    args: () => ({ descriptor: 1 }),
    ...TOO_MUCH_OUTPUT,
  },
  {
    tries: 'python writes a gigabyte without an end of line to its standard errors',
    of: [19],
    plugin: 'python-small-output',
    case: 'write-one-long-line',
    args: () => ({ descriptor: 2 }),
    gets: 'failed',
    message: /stderr and was killed/,
    exit: /^killed: stderrBytes$/,
    holds: ({ logs }) => expect(logs.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThan(1024 * 1024),
  },
  { tries: 'python loops', of: [20], plugin: 'python-brief', case: 'loop', ...TIMEOUT },
  { tries: 'python loops in many threads', of: [20], plugin: 'python-brief', case: 'loop-in-threads', ...TIMEOUT },
  { tries: 'python loops when it has answered and should end', of: [20], plugin: 'python-brief', case: 'loop-at-exit', ...TIMEOUT },
  { tries: 'ruby loops when it has answered and should end', of: [20], plugin: 'ruby-brief', case: 'loop-at-exit', ...TIMEOUT },
  { tries: 'node loops', of: [20], plugin: 'node-brief', case: 'loop', ...TIMEOUT },
  { tries: 'node loops in workers', of: [20], plugin: 'node-brief', case: 'loop-in-workers', ...TIMEOUT },
  { tries: 'bash loops', of: [20], plugin: 'bash-brief', case: 'loop', ...TIMEOUT },
  { tries: 'python raises its own limits', of: [15, 16, 17], plugin: 'python', case: 'raise-own-limits', exit: OK, attempts: 6 },
  {
    tries: 'python opens files until it may not',
    of: [13],
    plugin: 'python',
    case: 'open-many-files',
    exit: OK,
    holds: ({ structured }) => expect(structured?.['opened']).toBeLessThan(256),
  },
];

describeHostile('hostile scripts and resources', ROWS);
