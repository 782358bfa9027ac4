import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import type { Tier } from '../executor.ts';
import { tryReadStat } from './owner.ts';
import type { RunDirectorySlot } from './run-directory.ts';
import type { SandboxedProcess, SandboxExit } from './sandbox.ts';

/** How long a process that has ended by itself may leave unread output before its pipes are closed. */
const DRAIN_MS = 2000;
/** How long after its end somebody may begin to read. */
const UNREAD_MS = 250;
/** As DRAIN_MS, after a kill: what has arrived is delivered, nobody waits for more. */
const KILLED_DRAIN_MS = 20;
const GONE_POLL_MS = 1;
const GONE_POLLS = 1000;

export interface ProcessHandleOptions {
  /** The leader of its own group. */
  readonly pid: number;
  /** Settles when it has ended; never rejects. */
  readonly ended: Promise<SandboxExit>;
  readonly pipes: { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable };
  readonly tier: Tier;
  readonly runDirectory: RunDirectorySlot;
  /** The first process of the sandbox’s own process namespace, as the host counts, once known. */
  readonly innerPid?: () => number | undefined;
  /** Looks at what is left of the process; runs once, before `exited` settles. */
  readonly conclude?: (exit: SandboxExit, killed: boolean) => Promise<SandboxExit>;
}

/** How a child of this process ends. */
export const watchChild = (child: ChildProcess): Promise<SandboxExit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });

/** Gives a process the life cycle of a sandboxed one: `exited` always settles, `kill` takes the whole tree. */
export function createProcessHandle(options: ProcessHandleOptions): SandboxedProcess {
  const { pid, ended, pipes, tier, runDirectory, innerPid, conclude } = options;
  const startTime = tryReadStat(pid)?.startTime;
  let killed = false;
  let running = true;
  const hurry = new AbortController();
  // A pipe whose reader is gone must not take the server down; what was not written shows in the result.
  for (const pipe of [pipes.stdin, pipes.stdout, pipes.stderr]) pipe.on('error', () => {});

  const closed = Promise.all(
    [pipes.stdout, pipes.stderr].map((pipe) => new Promise<void>((resolve) => pipe.once('close', () => resolve()))),
  );

  const settle = async (): Promise<SandboxExit> => {
    const exit = await ended;
    running = false;
    // Whatever stayed behind in the group, without a process namespace to end it; its number is not free before.
    const stat = tryReadStat(pid);
    if (stat === undefined || stat.startTime === startTime) killGroup(pid);
    await Promise.race([closed, drain([pipes.stdout, pipes.stderr], hurry.signal)]);
    hurry.abort();
    for (const pipe of [pipes.stdin, pipes.stdout, pipes.stderr]) pipe.destroy();
    await waitUntilGone(innerPid?.());
    const concluded = conclude ? await conclude(exit, killed) : exit;
    await runDirectory.release();
    return concluded;
  };
  const exited = settle();

  return {
    stdin: pipes.stdin,
    stdout: pipes.stdout,
    stderr: pipes.stderr,
    pid,
    tier,
    exited,
    kill: async () => {
      if (!killed) {
        killed = true;
        // After its end the group’s number may belong to somebody else.
        if (running) killGroup(pid);
        hurry.abort();
      }
      await exited;
    },
    holdRunDirectory: () => runDirectory.hold(),
  };
}

/** Waits for readers. What nobody has begun to read after a while is let go, for it would hold its pipe open. */
async function drain(outputs: readonly Readable[], hurry: AbortSignal): Promise<void> {
  try {
    await delay(UNREAD_MS, undefined, { signal: hurry });
    for (const output of outputs) if (output.readableFlowing === null && output.listenerCount('readable') === 0) output.resume();
    await delay(DRAIN_MS, undefined, { signal: hurry });
  } catch {
    await delay(KILLED_DRAIN_MS);
  }
}

/** SIGKILL to a process group; nothing where it is gone already. */
export function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // ESRCH: everything in it has ended.
  }
}

/** The kernel ends a process namespace with its first process; this waits until it has. */
async function waitUntilGone(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  for (let poll = 0; poll < GONE_POLLS; poll += 1) {
    const stat = tryReadStat(pid);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return;
    await delay(GONE_POLL_MS);
  }
}
