import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { HostError, reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Tier } from '../executor.ts';
import { toBubblewrapArguments, type BubblewrapFeatures, type SystemLayout } from './bubblewrap.ts';
import { createCgroup, type Cgroup, type CgroupHome } from './cgroup.ts';
import { canUse, type Identity } from './identity.ts';
import type { MemoryFile } from './memory-file.ts';
import { tryReadStat } from './owner.ts';
import { createProcessHandle } from './process-handle.ts';
import type { SandboxDescription, SandboxedProcess, SandboxExit } from './sandbox.ts';
import type { StandardPipes, StandardPipeSource } from './standard-pipes.ts';
import { startProcess, type Started } from './start-process.ts';

/** Everything about this machine that a start needs, found once by the probe. */
export interface BubblewrapMachine {
  readonly programs: { readonly bwrap: string; readonly prlimit: string; readonly timeout: string };
  readonly features: BubblewrapFeatures;
  readonly layout: SystemLayout;
  /** The filter of this architecture; undefined where there is none. */
  readonly seccomp: MemoryFile | undefined;
  readonly pipes: StandardPipeSource;
  readonly files: readonly (readonly [file: MemoryFile, path: string])[];
  readonly identity: Identity | undefined;
  readonly cgroups: CgroupHome | undefined;
  readonly owner: string;
  readonly log: Log;
}

/** Standard input, output, errors, and the three below. */
const FIRST_FILE = 6;
const OPTIONS = 3;
const STATUS = 4;
const BLOCK = 5;
const REMOVE_ATTEMPTS = 50;
const MAX_STATUS_BYTES = 4096;

/** Starts a description under bubblewrap. Throws HostError. */
export async function launchBubblewrap(description: SandboxDescription, machine: BubblewrapMachine): Promise<SandboxedProcess> {
  const program = description.command[0] ?? '';
  const pipes = await takePipes(program, machine);
  const inherited: number[] = [];
  let cgroup: Cgroup | undefined;
  let started: Started;
  try {
    cgroup = tryMakeCgroup(description, machine);
    const open = (file: MemoryFile): number => {
      const descriptor = file.open();
      inherited.push(descriptor);
      return FIRST_FILE + inherited.length - 1;
    };
    const { argv, options } = toBubblewrapArguments(description, {
      ...machine,
      descriptors: {
        options: OPTIONS,
        status: STATUS,
        block: BLOCK,
        ...(machine.seccomp ? { seccomp: open(machine.seccomp) } : {}),
        files: machine.files.map(([file, path]) => [open(file), path] as const),
      },
    });
    started = await startProcess(machine.programs.bwrap, argv, {
      // Node’s own environment would be readable inside as /proc/1/environ (sandbox.md §0.4).
      env: {},
      cwd: '/',
      detached: true,
      stdio: [...pipes.childEnds, 'pipe', 'pipe', 'pipe', ...inherited],
      ...(machine.identity && canUse(machine.identity, description) ? machine.identity : {}),
    });
    if (started.ok) {
      const optionsPipe = pipeOf<Writable>(started.child, OPTIONS);
      optionsPipe.on('error', () => {});
      optionsPipe.end(options.map((word) => `${word}\0`).join(''));
    }
  } catch (error) {
    cgroup?.tryRemove();
    destroyPipes(pipes);
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: reasonOf(error) }, { cause: error });
  } finally {
    for (const descriptor of inherited) closeSync(descriptor);
    pipes.closeChildEnds();
  }

  if (!started.ok) {
    cgroup?.tryRemove();
    destroyPipes(pipes);
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: started.reason });
  }
  const { child } = started;
  const status = followStatus(pipeOf<Readable>(child, STATUS));
  const block = pipeOf<Duplex>(child, BLOCK);
  block.on('error', () => {});
  const process = createProcessHandle({
    child,
    pipes,
    tier: tierOf(machine, cgroup),
    innerPid: () => status.innerPid,
    conclude: async (exit, killed) => {
      const memoryKills = cgroup?.countMemoryKills() ?? 0;
      await removeCgroup(cgroup, machine.log);
      return withCause(exit, { killed, memoryKills, started: status.ended });
    },
  });

  // What nothing has to be done for starts at once; the rest waits until it is in its group.
  if (!cgroup) block.end('1');
  const innerPid = await status.started;
  if (!cgroup) return process;
  try {
    if (innerPid !== undefined) cgroup.add(innerPid);
  } catch (error) {
    // One that is gone tells itself why; one that would go on without its limits must not.
    if (innerPid !== undefined && isAlive(innerPid)) {
      await process.kill();
      block.destroy();
      throw new HostError(
        'EXECUTION_SANDBOX_FAILED',
        { program, reason: `it cannot join its control group: ${reasonOf(error)}` },
        { cause: error },
      );
    }
  }
  block.end('1');
  return process;
}

async function takePipes(program: string, machine: BubblewrapMachine): Promise<StandardPipes> {
  try {
    return await machine.pipes.take();
  } catch (error) {
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: reasonOf(error) }, { cause: error });
  }
}

function destroyPipes({ stdin, stdout, stderr }: StandardPipes): void {
  for (const pipe of [stdin, stdout, stderr]) pipe.destroy();
}

function tierOf(machine: BubblewrapMachine, cgroup: Cgroup | undefined): Tier {
  if (!machine.seccomp) return 'bwrap';
  return cgroup ? 'bwrap+seccomp+cgroup' : 'bwrap+seccomp';
}

/** Undefined where there are none or nothing is to be limited. Throws where the probe promised one and it cannot be made. */
function tryMakeCgroup({ limits }: SandboxDescription, { cgroups, owner }: BubblewrapMachine): Cgroup | undefined {
  if (!cgroups || (limits.memoryBytes === undefined && limits.processes === undefined)) return undefined;
  try {
    return createCgroup(cgroups, `${owner.replace(':', '.')}.${randomBytes(6).toString('hex')}`, limits);
  } catch (error) {
    throw new Error(`its control group cannot be made: ${reasonOf(error)}`, { cause: error });
  }
}

function isAlive(pid: number): boolean {
  const stat = tryReadStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';
}

/** The kernel counts a process for some time after it has ended, so removing takes a few attempts. */
async function removeCgroup(cgroup: Cgroup | undefined, log: Log): Promise<void> {
  if (!cgroup) return;
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    if (cgroup.tryRemove()) return;
    await delay(1 + attempt);
  }
  log.warn('the control group of a sandbox could not be removed');
}

function withCause(exit: SandboxExit, seen: { killed: boolean; memoryKills: number; started: boolean }): SandboxExit {
  // A program that outlived the end of one of its processes has succeeded.
  if (seen.memoryKills > 0 && exit.code !== 0) return { ...exit, cause: 'memory' };
  // bubblewrap reports the end of what it has run; an end without a report and without a signal is its own.
  if (!seen.killed && !seen.started && exit.signal === null) return { ...exit, cause: 'setup' };
  return exit;
}

/** Follows bubblewrap’s `--json-status-fd`: the first process inside, and that the command has run to an end. */
function followStatus(pipe: Readable) {
  let text = '';
  let settle: (pid: number | undefined) => void = () => {};
  const status = {
    innerPid: undefined as number | undefined,
    ended: false,
    started: new Promise<number | undefined>((resolve) => {
      settle = resolve;
    }),
  };
  pipe.setEncoding('utf8');
  pipe.on('data', (chunk: string) => {
    if (text.length < MAX_STATUS_BYTES) text += chunk;
    const match = /"child-pid": ?(\d+)/.exec(text);
    if (match) {
      status.innerPid = Number(match[1]);
      settle(status.innerPid);
    }
    status.ended = /"exit-code": ?\d/.test(text);
  });
  pipe.on('error', () => settle(undefined));
  pipe.on('close', () => settle(undefined));
  return status;
}

const pipeOf = <Kind>(child: ChildProcess, index: number): Kind => child.stdio[index] as Kind;
