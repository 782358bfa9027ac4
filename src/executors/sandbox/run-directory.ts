import { closeSync, constants, openSync, readFileSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { HostError, reasonOf } from '../../errors.ts';
import { tryHostPath } from './identity.ts';
import { isAlive } from './owner.ts';
import type { RunDirectory, SandboxDescription, SandboxMount } from './sandbox.ts';

/** The run directory of one process, for as long as that lives and for as long as somebody holds it. */
export interface RunDirectoryKeeper {
  /** Throws what the system throws. */
  hold(): RunDirectory;
  /** The process is gone: what nobody holds goes with it. */
  release(): Promise<void>;
}

/** The run directory of a process that is being started, if it gets one. */
export interface RunDirectorySlot {
  /** Settles as `opening` does. */
  fill(opening: Promise<RunDirectoryKeeper | undefined>): Promise<void>;
  /** Throws HostError EXECUTION_SANDBOX_FAILED when there is none, or none any more. */
  hold(): RunDirectory;
  /** Lets go of it once it has been opened; runs once. Never rejects. */
  release(): Promise<void>;
}

export function createRunDirectorySlot(program: string): RunDirectorySlot {
  let filling: Promise<RunDirectoryKeeper | undefined> | undefined;
  let keeper: RunDirectoryKeeper | undefined;
  return {
    async fill(opening) {
      filling = opening;
      keeper = await opening;
    },
    hold() {
      if (!keeper) throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: 'it has no run directory that could be held' });
      try {
        return keeper.hold();
      } catch (error) {
        throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: reasonOf(error) }, { cause: error });
      }
    },
    async release() {
      const filled = await filling?.catch(() => undefined);
      keeper = undefined;
      await filled?.release().catch(() => {});
    },
  };
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** `TMPFS_MAGIC`, `linux/magic.h`. */
const TMPFS = 0x0102_1994;
const POLL_MS = 1;
const POLLS = 5000;

/**
 * Opens the directory in memory at `path` inside a sandbox as soon as it is there: a descriptor keeps it readable after
 * every process of the sandbox is dead. It is reached through a child of bubblewrap’s first process inside, for children are
 * started when all is mounted, and one that has executed a program may be looked into by an ordinary user, which
 * bubblewrap itself may not (proc(5), “/proc/pid/root”; ptrace(2), “access mode checking”).
 * Resolves with undefined when the process ended before. Rejects when it cannot be opened.
 */
export async function openRunDirectory(innerPid: number, path: string): Promise<RunDirectoryKeeper | undefined> {
  for (let poll = 0; poll < POLLS; poll += 1) {
    for (const pid of listChildren(innerPid)) {
      const descriptor = tryOpen(`/proc/${pid}/root${path}`);
      if (descriptor !== undefined) return keepDescriptor(descriptor);
    }
    if (!isAlive(innerPid)) return undefined;
    await delay(POLL_MS);
  }
  throw new Error('its run directory cannot be opened');
}

/** A temporary directory of the host that serves as one. */
export function keepTemporary(path: string): RunDirectoryKeeper {
  let holders = 1;
  const letGo = async (): Promise<void> => {
    holders -= 1;
    if (holders === 0) await rm(path, { recursive: true, force: true });
  };
  return {
    hold: () => {
      holders += 1;
      return { path, close: once(() => void letGo().catch(() => {})) };
    },
    release: letGo,
  };
}

function keepDescriptor(descriptor: number): RunDirectoryKeeper {
  return {
    hold: () => {
      const own = openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_DIRECTORY);
      return { path: `/proc/self/fd/${own}`, close: once(() => closeSync(own)) };
    },
    release: () => Promise.resolve(closeSync(descriptor)),
  };
}

/** The children of a process’s first thread; of kernels without the list, the process itself. */
function listChildren(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [pid];
  }
}

function tryOpen(path: string): number | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, DIRECTORY);
    // A process whose mounts are not made yet would show a directory of the host.
    if (statfsSync(`/proc/self/fd/${descriptor}`).type === TMPFS) return descriptor;
  } catch {
    // Not there yet, or not ours to look into.
  }
  if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

function once(close: () => void): () => void {
  let open = true;
  return () => {
    if (open) close();
    open = false;
  };
}

/** The description for where nothing can be mounted: its run directory lies at `place`, and what names it names that. */
export function withRunDirectory(description: SandboxDescription, place: string): SandboxDescription {
  const { runDirectory, mounts, environment } = description;
  if (!runDirectory) return description;
  const mount: SandboxMount = { source: place, target: runDirectory.path, access: 'write' };
  return {
    ...description,
    mounts: [...mounts, mount],
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, tryHostPath([mount], value) ?? value])),
  };
}
