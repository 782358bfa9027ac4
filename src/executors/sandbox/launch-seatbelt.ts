import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HostError, reasonOf } from '../../errors.ts';
import { createProcessHandle, watchChild } from './process-handle.ts';
import { createRunDirectorySlot, keepTemporary } from './run-directory.ts';
import { standardStreams, startProcess } from './start-process.ts';
import { toSeatbeltPlan, toUlimitCommand } from './seatbelt.ts';
import type { SandboxDescription, SandboxedProcess, SandboxFinding } from './sandbox.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** Starts a description under macOS’s `sandbox-exec`. Throws HostError. */
export async function launchSeatbelt(description: SandboxDescription, sandboxExec: string): Promise<SandboxedProcess> {
  const program = description.command[0] ?? '';
  const scratch = makeTemporaryDirectory();
  const run = makeTemporaryDirectory();
  const runDirectory = createRunDirectorySlot(program);
  await runDirectory.fill(Promise.resolve(keepTemporary(run)));
  const removeScratch = () => rm(scratch, { recursive: true, force: true });
  try {
    const { profile, command, workingDirectory, environment } = toSeatbeltPlan(description, { scratch, run });
    const started = await startProcess(sandboxExec, ['-p', profile, ...toUlimitCommand(command, description.limits)], {
      env: environment,
      cwd: workingDirectory,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    if (!started.ok) throw new Error(started.reason);
    const { child } = started;
    return createProcessHandle({
      pid: child.pid,
      ended: watchChild(child),
      pipes: standardStreams(child),
      tier: 'seatbelt',
      runDirectory,
      conclude: async (exit) => {
        await removeScratch();
        return exit;
      },
    });
  } catch (error) {
    await removeScratch();
    await runDirectory.release();
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: reasonOf(error) }, { cause: error });
  }
}

/** Runs two programs under Seatbelt: one that must work, one whose write outside must fail. Never rejects. */
export async function probeSeatbelt(sandboxExec: string) {
  const outside = join(tmpdir(), `plugbridge-probe-${process.pid}`);
  const run = async (command: readonly string[]): Promise<number | null> => {
    const started = await launchSeatbelt({ command, mounts: [], workingDirectory: '/tmp', environment: {}, limits: {} }, sandboxExec);
    started.stdin.end();
    started.stdout.resume();
    started.stderr.resume();
    return (await started.exited).code;
  };
  try {
    const works = (await run(['/usr/bin/true'])) === 0 && (await run(['/usr/bin/touch', outside])) !== 0 && !existsSync(outside);
    return { works, reason: works ? '' : 'a write outside was not refused', findings: works ? FINDINGS : [] };
  } catch (error) {
    return { works: false, reason: reasonOf(error), findings: [] };
  } finally {
    await rm(outside, { force: true });
  }
}

const FINDINGS: readonly SandboxFinding[] = [
  { capability: 'files', state: 'enforced', detail: 'Seatbelt profile: only what is granted; file names and sizes elsewhere stay visible' },
  { capability: 'no network', state: 'enforced', detail: 'Seatbelt profile' },
  {
    capability: 'limits per process',
    state: 'best effort',
    detail: 'descriptors, file size and processor time; no memory or process limit',
  },
  { capability: 'run directory', state: 'best effort', detail: 'a temporary directory of its own, of no bounded size' },
  { capability: 'namespaces', state: 'missing', detail: 'a daemon that leaves the process group outlives the kill' },
  { capability: 'lifetime', state: 'missing', detail: 'nothing inside ends a process whose server died' },
];
