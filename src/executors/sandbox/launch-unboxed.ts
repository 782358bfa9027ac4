import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { HostError } from '../../errors.ts';
import { OWNER_VARIABLE, toPrlimitOptions } from './bubblewrap.ts';
import { tryHostPath } from './identity.ts';
import { createProcessHandle } from './process-handle.ts';
import type { SandboxDescription, SandboxedProcess } from './sandbox.ts';
import { standardStreams, startProcess } from './start-process.ts';

export interface UnboxedMachine {
  /** Absent where the system has none: then no limits hold. */
  readonly prlimit: string | undefined;
  readonly owner: string;
}

/**
 * Starts a description as a plain process of its own group: no isolation but an environment of its own, and limits where
 * `prlimit` exists. For runtimes that contain their guests themselves; paths inside mounts become those of the host.
 * Throws HostError.
 */
export async function launchUnboxed(description: SandboxDescription, machine: UnboxedMachine): Promise<SandboxedProcess> {
  const { command, mounts, environment, limits } = description;
  const [program = '', ...args] = command.map((word) => tryHostPath(mounts, word) ?? word);
  // RLIMIT_NPROC would count everything that this user runs.
  const { processes: _, ...ownLimits } = limits;
  const argv = machine.prlimit ? [machine.prlimit, ...toPrlimitOptions(ownLimits), program, ...args] : [program, ...args];
  const started = await startProcess(argv[0] ?? '', argv.slice(1), {
    env: { ...environment, [OWNER_VARIABLE]: machine.owner },
    cwd: toWorkingDirectory(description),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (!started.ok) throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: started.reason });
  return createProcessHandle({ child: started.child, pipes: standardStreams(started.child), tier: 'process' });
}

/** A working directory that exists only inside a sandbox is replaced by the one for temporary files. */
function toWorkingDirectory({ mounts, workingDirectory }: SandboxDescription): string {
  const directory = tryHostPath(mounts, workingDirectory) ?? workingDirectory;
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? directory : tmpdir();
}
