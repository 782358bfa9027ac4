import { once } from 'node:events';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { HostError } from '../../errors.ts';
import { OWNER_VARIABLE, toPrlimitOptions } from './bubblewrap.ts';
import { tryHostPath } from './identity.ts';
import { createProcessHandle, watchChild } from './process-handle.ts';
import { createRunDirectorySlot, keepTemporary, withRunDirectory, type RunDirectorySlot } from './run-directory.ts';
import type { SandboxDescription, SandboxedProcess } from './sandbox.ts';
import { standardStreams, startProcess } from './start-process.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

export interface UnboxedMachine {
  /** Absent where the system has none: then no limits hold. */
  readonly prlimit: string | undefined;
  /** One that knows `--pdeathsig`, see `tryPrepareSetpriv`. Absent: a busy process outlives a server that is killed, until a sweep. */
  readonly setpriv: string | undefined;
  readonly owner: string;
}

/** `PR_SET_PDEATHSIG` (prctl(2)): whatever is executed from then on dies with the thread that started it, here the main one. */
const DIE_WITH_PARENT = ['--pdeathsig', 'KILL', '--'];

/** The given `setpriv` if it can do what is wanted of it, found out by running it: that of busybox and old ones cannot. */
export async function tryPrepareSetpriv(setpriv: string | undefined): Promise<string | undefined> {
  if (setpriv === undefined) return undefined;
  const started = await startProcess(setpriv, [...DIE_WITH_PARENT, setpriv, '--version'], { env: {}, detached: false, stdio: 'ignore' });
  if (!started.ok) return undefined;
  const [code] = (await once(started.child, 'exit')) as [number | null];
  return code === 0 ? setpriv : undefined;
}

/**
 * Starts a description as a plain process of its own group: no isolation but an environment of its own, limits where
 * `prlimit` exists, and death with the server where `setpriv` does. For runtimes that contain their guests themselves; paths inside mounts become those of the host.
 * Throws HostError.
 */
export async function launchUnboxed(description: SandboxDescription, machine: UnboxedMachine): Promise<SandboxedProcess> {
  if (!description.runDirectory) return launch(description, machine, createRunDirectorySlot(description.command[0] ?? ''));
  const place = makeTemporaryDirectory();
  const runDirectory = createRunDirectorySlot(description.command[0] ?? '');
  await runDirectory.fill(Promise.resolve(keepTemporary(place)));
  try {
    return await launch(withRunDirectory(description, place), machine, runDirectory);
  } catch (error) {
    await runDirectory.release();
    throw error;
  }
}

async function launch(description: SandboxDescription, machine: UnboxedMachine, runDirectory: RunDirectorySlot): Promise<SandboxedProcess> {
  const { command, mounts, environment, limits } = description;
  const [program = '', ...args] = command.map((word) => tryHostPath(mounts, word) ?? word);
  // RLIMIT_NPROC would count everything that this user runs.
  const { processes: _, ...ownLimits } = limits;
  const argv = [
    ...(machine.setpriv ? [machine.setpriv, ...DIE_WITH_PARENT] : []),
    ...(machine.prlimit ? [machine.prlimit, ...toPrlimitOptions(ownLimits)] : []),
    program,
    ...args,
  ];
  const started = await startProcess(argv[0] ?? '', argv.slice(1), {
    env: { ...environment, [OWNER_VARIABLE]: machine.owner },
    cwd: toWorkingDirectory(description),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (!started.ok) throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: started.reason });
  const { child } = started;
  return createProcessHandle({ pid: child.pid, ended: watchChild(child), pipes: standardStreams(child), tier: 'process', runDirectory });
}

/** A working directory that exists only inside a sandbox is replaced by the one for temporary files. */
function toWorkingDirectory({ mounts, workingDirectory }: SandboxDescription): string {
  const directory = tryHostPath(mounts, workingDirectory) ?? workingDirectory;
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? directory : tmpdir();
}
