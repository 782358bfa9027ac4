import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, statSync } from 'node:fs';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { HostError, reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Tier } from '../executor.ts';
import { toBubblewrapArguments, type BubblewrapFeatures, type SystemLayout } from './bubblewrap.ts';
import { createCgroup, type Cgroup, type CgroupHome } from './cgroup.ts';
import { canUse, withoutUnreachableCovers, type Identity } from './identity.ts';
import type { MemoryFile } from './memory-file.ts';
import { isAlive } from './owner.ts';
import { createProcessHandle } from './process-handle.ts';
import { createRunDirectorySlot, openRunDirectory } from './run-directory.ts';
import type { SandboxDescription, SandboxedProcess, SandboxExit } from './sandbox.ts';
import type { StandardPipes, StandardPipeSource } from './standard-pipes.ts';
import { stage, type Staging } from './staging.ts';
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
  /** Undefined where it is not needed or does not work. */
  readonly staging: Staging | undefined;
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
  const { visible, prefix, identity } = chooseUser(description, machine);
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
    const { argv, options } = toBubblewrapArguments(visible, {
      ...machine,
      isDirectory,
      descriptors: {
        options: OPTIONS,
        status: STATUS,
        block: BLOCK,
        ...(machine.seccomp ? { seccomp: open(machine.seccomp) } : {}),
        files: machine.files.map(([file, path]) => [open(file), path] as const),
      },
    });
    const [starter = '', ...words] = [...prefix, machine.programs.bwrap, ...argv];
    started = await startProcess(starter, words, {
      // Node’s own environment would be readable inside as /proc/1/environ (sandbox.md §0.4).
      env: {},
      cwd: '/',
      detached: true,
      stdio: [...pipes.childEnds, 'pipe', 'pipe', 'pipe', ...inherited],
      ...identity,
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
  const runDirectory = createRunDirectorySlot(program);
  const process = createProcessHandle({
    child,
    pipes,
    tier: tierOf(machine, cgroup),
    runDirectory,
    innerPid: () => status.innerPid,
    conclude: async (exit, killed) => {
      const memoryKills = cgroup?.countMemoryKills() ?? 0;
      await removeCgroup(cgroup, machine.log);
      return withCause(exit, { killed, memoryKills, started: status.ended });
    },
  });

  const giveUp = async (reason: string, cause: unknown): Promise<never> => {
    await process.kill();
    block.destroy();
    throw new HostError('EXECUTION_SANDBOX_FAILED', { program, reason: `${reason}: ${reasonOf(cause)}` }, { cause });
  };

  // What nothing has to be done for starts at once; the rest waits until it is in its group.
  if (!cgroup) block.end('1');
  const innerPid = await status.started;
  if (innerPid === undefined) {
    block.end('1');
    return process;
  }
  try {
    cgroup?.add(innerPid);
  } catch (error) {
    // One that is gone tells itself why; one that would go on without its limits must not.
    if (isAlive(innerPid)) await giveUp('it cannot join its control group', error);
  }
  if (cgroup) block.end('1');
  if (description.runDirectory) {
    const opening = openRunDirectory(innerPid, description.runDirectory.path);
    await runDirectory.fill(opening).catch((error: unknown) => giveUp('its files cannot be read', error));
  }
  return process;
}

/** What the sandbox is made of, what comes before bubblewrap on its command line, and the user of the host who starts it. */
interface Choice {
  readonly visible: SandboxDescription;
  readonly prefix: readonly string[];
  readonly identity?: Identity;
}

/** The unprivileged user, by itself or brought to what only root can reach; else the server’s own. */
function chooseUser(description: SandboxDescription, { identity, staging, programs, owner }: BubblewrapMachine): Choice {
  if (identity && canUse(identity, description)) return { visible: withoutUnreachableCovers(description, identity), prefix: [], identity };
  if (!identity || !staging || !canUse(identity, description, 'staged')) return { visible: description, prefix: [] };
  const staged = stage(withoutUnreachableCovers(description, identity, 'staged'), { ...staging, identity, owner, bwrap: programs.bwrap });
  return { visible: staged.description, prefix: staged.prefix };
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

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const pipeOf = <Kind>(child: ChildProcess, index: number): Kind => child.stdio[index] as Kind;
